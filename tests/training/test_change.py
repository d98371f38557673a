import json
from dataclasses import replace

import numpy as np
import pytest

from change_builders import make_visit
from comedo.errors import UnusableInput
from comedo.progress.noise import load_noise
from comedo.progress.values import Answer, State
from comedo.training.change_evaluate import answer_of, with_interval
from comedo.training.change_fit import PRIOR, Differences, fit_measure, fit_noise, inflation
from comedo.training.change_pairs import Observation, Pair, choose, observe, people_of, read_pairs
from comedo.training.change_series import f1_of, score, series_specs
from comedo.training.command import RECIPES

PAIR = Pair("a", "b", "similar", "train")


def observation(before, after, view="comparable"):
    readings = [{"count": float(n), "area": 10.0 * n, "severity": None} for n in (before, after)]
    return Observation(PAIR, view, 0.9, 0.005, 0.05, 0.0, *readings)


def test_the_list_in_the_repository_reads():
    pairs = read_pairs(RECIPES / "change-pairs.txt")
    assert len(pairs) == len({(p.a, p.b) for p in pairs}) > 100
    assert {p.light for p in pairs} == {"similar", "differs"}
    few = choose(pairs, split="val", most=6)
    assert len(few) == 6
    assert {p.split for p in few} == {"val"}


def test_a_wrong_line_is_named(tmp_path):
    (tmp_path / "p.txt").write_text("# names\na b similar train\n\na b bright train\n")
    with pytest.raises(UnusableInput, match="line 4"):
        read_pairs(tmp_path / "p.txt")


def test_a_fit_finds_the_noise_that_was_put_in():
    rng = np.random.default_rng(0)
    mean = rng.uniform(2, 60, 600)
    sd = np.sqrt(1.0 + 3.0 * mean)
    data = Differences(rng.standard_normal(600) * sd, mean, np.zeros(600), np.zeros(600))
    fitted = fit_measure(data, PRIOR["count"])
    for at in (5, 20, 50):
        assert fitted.sd(at, 0, 0) == pytest.approx(np.sqrt(1 + 3 * at), rel=0.2)
    assert np.mean(np.abs(data.difference) <= 1.96 * np.array([fitted.sd(m, 0, 0) for m in mean])) >= 0.95


@pytest.mark.parametrize(
    ("scores", "factor"),
    [
        pytest.param([0.1] * 50, 1.0, id="never narrower"),
        pytest.param([0.5] * 9 + [3.92], 2.0, id="few pairs: the largest counts"),
        pytest.param([1.0] * 96 + [9.0] * 3, 1.0, id="three of 99 may lie outside"),
    ],
)
def test_inflation(scores, factor):
    assert inflation(np.array(scores)) == pytest.approx(factor)


def test_too_few_pairs_make_no_model():
    with pytest.raises(UnusableInput, match="10 pairs"):
        fit_noise([observation(3, 4)] * 9 + [observation(3, 4, "no_match")] * 5, "by hand")


def test_a_pair_is_read_on_shared_skin():
    found = observe(PAIR, make_visit(0, lesions=8), make_visit(0, lesions=6), load_noise())
    assert found.comparable
    assert (found.before["count"], found.after["count"]) == (8, 6)
    stranger = observe(PAIR, make_visit(0), make_visit(0, person=3), load_noise())
    assert not stranger.comparable
    assert stranger.before == {}


def test_answers_of_pairs():
    assert answer_of(observation(10, 10), load_noise()) in (Answer.SAME, Answer.CANNOT_TELL)
    assert answer_of(observation(60, 0), load_noise()) is Answer.BETTER
    assert json.dumps(replace(observation(1, 2), light=None).before)


def test_intervals_hold_the_value():
    found = with_interval(np.mean, [True, False, True, True], 200)
    assert found["interval_90"][0] <= found["value"] == 0.75 <= found["interval_90"][1]
    assert with_interval(np.mean, [], 10) is None


def test_scores_of_statements():
    truth = {(1, 1, State.PERSISTING), (2, 1, State.RESOLVED)}
    told = {(1, 1, State.PERSISTING), (-3, 1, State.NEW)}
    assert score(told, truth) == (1, 1, 1)
    assert f1_of([(1, 1, 1), (3, 0, 0)]) == 0.8
    assert f1_of([]) is None


@pytest.mark.parametrize(("course", "sign"), [("better", -1), ("same", 0), ("worse", 1)])
def test_courses_of_rendered_series(course, sign):
    specs = series_specs(3, 320, course)
    sizes = [len(spec.lesions) for spec in specs]
    assert np.sign(sizes[2] - sizes[0]) == sign
    assert set(specs[0].lesions) <= set(specs[2].lesions) or set(specs[2].lesions) <= set(specs[0].lesions)


@pytest.mark.parametrize(
    ("names", "people"),
    [
        pytest.param([], [], id="none"),
        pytest.param(["ab", "cd"], [{"a", "b"}, {"c", "d"}], id="two"),
        pytest.param(["ab", "bc", "de"], [{"a", "b", "c"}, {"d", "e"}], id="by-a-shared-photo"),
        pytest.param(["ab", "cd", "bc"], [{"a", "b", "c", "d"}], id="joined-late"),
    ],
)
def test_pairs_that_share_a_photo_are_of_one_person(names, people):
    number = people_of(Pair(a, b, "similar", "val") for a, b in names)
    found = [{name for name, who in number.items() if who == person} for person in dict.fromkeys(number.values())]
    assert sorted(found, key=min) == people
