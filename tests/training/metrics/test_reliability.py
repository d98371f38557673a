import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comedo.training.metrics.reliability import Bin, calibration_error, pool_ranges, reliability, spread

ANSWERS = st.lists(st.tuples(st.integers(0, 20), st.booleans()), max_size=40)


@pytest.mark.parametrize(
    ("said", "true", "error"),
    [
        pytest.param([], [], None, id="nothing said"),
        pytest.param([0.25] * 4, [True, False, False, False], 0.0, id="means it"),
        pytest.param([0.9, 0.9], [False, False], 0.9, id="too sure"),
        pytest.param([0.0, 0.05, 0.95, 1.0], [False, True, True, True], (0.95 + 0.05) / 4, id="two ranges"),
        pytest.param([0.31, 0.39], [False, True], 0.15, id="one range: only its mean counts"),
    ],
)
def test_the_error_is_the_mean_distance_by_how_many(said, true, error):
    assert calibration_error(said, true) == (None if error is None else pytest.approx(error))


@pytest.mark.parametrize(
    ("value", "place"),
    [
        pytest.param(0.0, 0, id="the lower end"),
        pytest.param(0.5, 1, id="a border belongs to the range above"),
        pytest.param(1.0, 1, id="the upper end"),
        pytest.param(-3.0, 0, id="below all ranges"),
        pytest.param(7.0, 1, id="above all ranges"),
    ],
)
def test_everything_has_a_range(value, place):
    assert reliability([value], [True], ranges=2).sums[place].tolist() == [1, value, 1]


def test_bins_say_what_was_said_and_what_was_true():
    found = reliability([0.0, 0.1, 1.0], [False, True, True], ranges=2)
    assert found.bins == [Bin(pytest.approx(0.05), 0.5, 2), Bin(1.0, 1.0, 1)]
    assert reliability([], []).bins == []


def test_numbers_have_ranges_of_their_own():
    grades = reliability([0.4, 0.6, 9.0], [0, 2, 2], ranges=3, ends=(-0.5, 2.5))
    assert grades.bins == [Bin(0.4, 0.0, 1), Bin(0.6, 2.0, 1), Bin(9.0, 2.0, 1)]


def test_the_first_range_can_be_left_out():
    found = reliability([0.0, 0.0, 0.4, 0.6], [False, False, True, True]).beyond_first
    assert (found.number, len(found.sums), found.ends) == (2, 9, (0.1, 1.0))
    assert found.error == pytest.approx(0.5)


@settings(max_examples=40, deadline=None)
@given(ANSWERS, st.integers(0, 40))
def test_parts_add_up_to_the_whole(answers, cut):
    said, true = np.array([s / 20 for s, _ in answers]), np.array([t for _, t in answers], np.bool_)
    whole = reliability(said, true)
    parts = pool_ranges([reliability(said[:cut], true[:cut]), reliability(said[cut:], true[cut:])])
    assert parts.sums == pytest.approx(whole.sums)
    assert parts.number == len(answers)


def test_nothing_adds_up_to_nothing():
    assert pool_ranges([]).error is None


def test_what_was_said_and_what_is_true_come_in_pairs():
    with pytest.raises(ValueError, match=r"in pairs, got shapes \(2,\) and \(1,\)"):
        reliability([0.1, 0.2], [True])


def test_intervals_draw_people():
    # Range 0: one person alone. Range 1: two people who differ in everything. Ranges 2 to 9: nobody.
    parts = [reliability([0.05] * 3 + [0.15] * 4, [True] * 7), reliability([0.15] * 4, [False] * 4)]
    found = spread(parts, ["anna", "ben"])
    assert found[1].tolist() == [0.0, 1.0]
    assert np.isnan(found[[0, *range(2, 10)]]).all()
    assert (found[1] == spread(parts, ["anna", "ben"])[1]).all()
    assert np.isnan(spread(parts, ["anna", "anna"])).all()
