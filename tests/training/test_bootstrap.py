import numpy as np
import pytest

from comedo.training.bootstrap import interval


def mean_of(values):
    return lambda rows: float(np.mean([values[r] for r in rows]))


def test_the_same_seed_gives_the_same_interval():
    values = np.random.default_rng(0).normal(size=40)
    first = interval(range(40), mean_of(values), seed=3, rounds=200)
    assert first == interval(range(40), mean_of(values), seed=3, rounds=200)
    assert first != interval(range(40), mean_of(values), seed=4, rounds=200)
    assert first[0] < values.mean() < first[1]


def test_the_interval_of_a_mean_is_that_of_the_normal_law():
    values = np.random.default_rng(1).normal(size=400)
    low, high = interval(range(400), mean_of(values), rounds=2000)
    half = 1.645 * values.std() / 20
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.02)


def test_photos_of_one_person_are_drawn_together():
    values = np.repeat(np.random.default_rng(2).normal(size=20), 10)
    people = np.repeat(np.arange(20), 10)
    by_photo = interval(range(200), mean_of(values), rounds=500)
    by_person = interval(people.tolist(), mean_of(values), rounds=500)
    assert by_person[1] - by_person[0] > 2 * (by_photo[1] - by_photo[0])


@pytest.mark.parametrize(
    ("groups", "figure"),
    [
        pytest.param([], lambda rows: 1.0, id="no photos"),
        pytest.param(["a", "a"], lambda rows: 1.0, id="one person"),
        pytest.param(["a", "b"], lambda rows: None, id="an undefined figure"),
        pytest.param(["a", "b", "c", "d"], lambda rows: 1.0 if rows.count(0) > 1 else None, id="mostly undefined"),
    ],
)
def test_no_interval_without_ground(groups, figure):
    assert interval(groups, figure, rounds=100) is None
