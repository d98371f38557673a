import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from change_builders import make_visit
from comedo.errors import UnusableInput
from comedo.progress.compare import compare
from comedo.progress.noise import load_noise
from comedo.progress.values import Answer, State
from comedo.synthetic import Camera, FaceSpec, Person, render, scatter_lesions
from comedo.training.change.figures import (
    answer_of_counts,
    correlation,
    f1_of,
    known_figures,
    summary_of,
    with_interval,
)
from comedo.training.change.fit import PRIOR, Differences, fit_measure, fit_noise, inflation, tolerance
from comedo.training.change.pairs import (
    CLEAR,
    PASTED,
    RETAKEN,
    VISITS,
    Observation,
    Pair,
    choose,
    observe,
    people_of,
    read_observations,
    read_pairs,
)
from comedo.training.change.series import score, series_specs, too_faint
from comedo.training.command import RECIPES
from comedo.types import Kind

PAIR = Pair("a", "b", "similar", "train", "later")


def observation(before, after, view="comparable", **more):
    readings = [{"count": float(n), "area": 10.0 * n, "severity": None} for n in (before, after)]
    return Observation(PAIR, view, 0.9, 0.005, 0.05, 0.0, *readings, **{"totals": (before, after), **more})


def test_the_list_in_the_repository_reads():
    pairs = read_pairs(RECIPES / "change-pairs.txt")
    assert len(pairs) == len({(p.a, p.b) for p in pairs}) > 100
    assert {p.light for p in pairs} == {"similar", "differs"}
    few = choose(pairs, split="val", most=6)
    assert len(few) == 6
    assert {p.split for p in few} == {"val"}


def test_a_wrong_line_is_named(tmp_path):
    for line in ("a b bright train later", "a b similar train", "a b similar train today"):
        (tmp_path / "p.txt").write_text(f"# names\na b similar train later\n\n{line}\n")
        with pytest.raises(UnusableInput, match="line 4"):
            read_pairs(tmp_path / "p.txt")


def test_a_fit_finds_the_noise_that_was_put_in():
    rng = np.random.default_rng(0)
    mean = rng.uniform(2, 60, 600)
    sd = np.sqrt(1.0 + 3.0 * mean)
    data = Differences(rng.standard_normal(600) * sd, mean, *np.zeros((4, 600)))
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


@pytest.mark.parametrize(
    ("scores", "factor"),
    [
        pytest.param([0.1] * 50, 1.0, id="never narrower"),
        pytest.param([0.5] * 43 + [3.92], 2.0, id="44 are few: the largest counts"),
        pytest.param([1.0] * 98 + [9.0], 1.0, id="one of 99 may lie outside"),
        pytest.param([1.0] * 97 + [3.92] * 2, 2.0, id="two of 99 may not"),
        pytest.param([1.0] * 145 + [9.0] * 3, 1.0, id="three of 148 may"),
    ],
)
def test_tolerance(scores, factor):
    assert tolerance(np.array(scores)) == pytest.approx(factor)


def test_a_fitted_limit_holds_for_new_pairs_nine_times_out_of_ten():
    rng = np.random.default_rng(4)
    beyond = []
    for _ in range(400):
        seen, new = np.abs(rng.standard_t(4, 150)), np.abs(rng.standard_t(4, 4000))
        wider = inflation(seen)
        beyond.append(np.mean(new > 1.96 * wider * tolerance(seen / wider)))
    assert np.mean(np.array(beyond) <= 0.05) > 0.87


def repeats(number, **more):
    return [observation(10 + i % 3, 11, kind=RETAKEN, known=0.0, **more) for i in range(number)]


def test_too_few_repeats_make_no_model():
    others = [observation(3, 9)] * 20 + [observation(3, 4, "no_match", kind=RETAKEN)] * 5
    with pytest.raises(UnusableInput, match="10 repeats"):
        fit_noise(repeats(9) + others, "by hand")


def test_noise_is_of_repeats_and_the_response_of_pasted_lesions():
    later = [observation(4, 40)] * 10
    still = fit_noise(repeats(30) + later, "by hand")
    assert still.pairs == 30
    assert still.measures["count"].responses == ()
    # Of a change of n all but one in forty show 0.5 n + 2 or n, and none a change that is not there.
    pasted = [
        observation(10, 10 + round(shown), kind=PASTED, known=float(n))
        for n in (4, 8, 12, 20)
        for shown in [0] + [0.5 * n + 2] * 8 + [n] * 31
    ]
    (fitted,) = fit_noise(repeats(30) + pasted, "by hand").measures["count"].responses
    assert (fitted.faces, fitted.share, fitted.shortfall) == ("with lesions", pytest.approx(0.5, abs=0.01), 0.0)
    late = [replace(o, after={"count": o.after["count"] - 4}) for o in pasted]
    (lower,) = fit_noise(repeats(30) + late, "by hand").measures["count"].responses
    assert lower.shortfall == pytest.approx(2.0, abs=0.1)
    clear = [replace(o, pair=replace(PAIR, split=CLEAR)) for o in late]
    both = fit_noise(repeats(30) + pasted + clear, "by hand").measures["count"]
    assert [r.faces for r in both.responses] == ["clear", "with lesions"]
    assert both.smallest_detectable(4.0, 2.0) == pytest.approx((4 + 2) / 0.5, abs=0.3), "the kind that shows less"
    unchanged = [observation(10, 10, kind=PASTED, known=0.0)] * 30
    assert fit_noise(repeats(30) + pasted[:19] + unchanged, "by hand").measures["count"].responses == ()


def test_later_visits_are_no_repeats():
    later = [observation(10, 20, kind=VISITS, known=2.0)] * 5
    assert fit_noise(repeats(30) + later, "by hand") == fit_noise(repeats(30), "by hand")


def test_a_pair_is_read_on_shared_skin():
    visits = make_visit(0, lesions=8), make_visit(0, lesions=6)
    found, ledger = observe(PAIR, visits, compare(*visits), load_noise())
    assert found.comparable
    assert (found.before["count"], found.after["count"]) == (8, 6)
    assert len(ledger) == 8
    strange = make_visit(0), make_visit(0, person=3)
    stranger, ledger = observe(PAIR, strange, compare(*strange), load_noise())
    assert not stranger.comparable
    assert (stranger.before, ledger) == ({}, ())


def test_observations_come_back(tmp_path):
    kept = [observation(1, 2, known=1.0, found=(1, 0, 2)), observation(0, 0, "no_match", totals=None)]
    (tmp_path / "o.jsonl").write_text("".join(json.dumps(asdict(o)) + "\n" for o in kept))
    assert read_observations(tmp_path / "o.jsonl") == kept


def test_answers_of_pairs():
    assert summary_of(observation(10, 10), load_noise()).answer in (Answer.SAME, Answer.CANNOT_TELL)
    assert summary_of(replace(observation(120, 0), light=None), load_noise()).answer is Answer.BETTER


@pytest.mark.parametrize(
    ("before", "after", "answer"),
    [
        pytest.param(0, 0, Answer.SAME, id="none"),
        pytest.param(10, 18, Answer.SAME, id="8 within 1.96 * sqrt(28)"),
        pytest.param(10, 22, Answer.WORSE, id="12 beyond 1.96 * sqrt(32)"),
        pytest.param(22, 10, Answer.BETTER, id="fewer"),
    ],
)
def test_the_baseline_of_two_counts(before, after, answer):
    assert answer_of_counts(before, after) is answer


def test_figures_of_known_changes():
    seen = [
        observation(120, 0, kind=PASTED, known=-120.0, found=(3, 1, 0)),
        observation(10, 10, kind=PASTED, known=0.0),
        observation(10, 120, "no_match", kind=PASTED),
    ]
    found = known_figures(seen, load_noise(), {"a": 1}, 50)
    assert (found["pairs"], found["compared"]) == (3, 2)
    assert found["large_changes_told"]["value"] == found["large_changes_told_by_counts"]["value"] == 1.0
    assert found["large_changes_told_wrongly"]["value"] == 0.0
    assert found["no_change_called_changed"]["value"] == 0.0
    assert found["ledger_f1"]["value"] == pytest.approx(6 / 7, abs=1e-4)
    assert known_figures([], load_noise(), {}, 50)["large_changes_told"] is None


def test_a_pair_with_a_poor_photo_is_counted_not_compared():
    fine, poor = (observation(2, 40, known=38.0, poor=p) for p in (False, True))
    found = known_figures([fine, poor], load_noise(), {"a": 0}, 10)
    assert (found["pairs"], found["compared"], found["refused_as_poor"]) == (2, 1, 1)
    assert found["large_changes_told"]["n"] == 1


def test_correlations():
    assert correlation([(1, 2), (2, 4), (3, 6)]) == 1.0
    assert correlation([(1, 2), (1, 4), (1, 6)]) is None
    assert correlation([]) is None


def test_intervals_hold_the_value():
    found = with_interval(np.mean, [True, False, True, True], 200)
    assert found["interval_90"][0] <= found["value"] == 0.75 <= found["interval_90"][1]
    assert with_interval(np.mean, [], 10) is None
    of_one = with_interval(np.mean, [True, False], 200, people=["a", "a"])
    assert (of_one["interval_90"], of_one["n"], of_one["people"]) == (None, 2, 1)


@pytest.mark.parametrize(
    ("values", "interval"),
    [
        pytest.param([True] * 30, [0.90503, 1.0], id="all: 0.05 to the power of a thirtieth"),
        pytest.param([False] * 30, [0.0, 0.09497], id="none"),
    ],
)
def test_none_and_all_of_few_are_not_certain(values, interval):
    assert with_interval(np.mean, values, 50)["interval_90"] == pytest.approx(interval, abs=1e-4)


def test_intervals_of_tables_draw_people():
    counts = [(10, 0, 0)] * 3 + [(0, 10, 10)] * 3
    apart = with_interval(f1_of, counts, 500)
    together = with_interval(f1_of, counts, 500, people=["a"] * 3 + ["b"] * 3)
    assert apart["value"] == together["value"] == 0.5
    assert (apart["people"], together["people"]) == (6, 2)
    assert together["interval_90"] == [0.0, 1.0]  # one person drawn twice in half of the rounds
    assert apart["interval_90"][0] > 0
    assert with_interval(f1_of, [(0, 0, 0)], 10) is None
    assert with_interval(correlation, [(1.0, 2.0)], 10) is None


def test_lesions_too_faint_in_a_photo_are_known():
    lesions = scatter_lesions(Person(), {Kind.PAPULE: 3}, seed=1, strength=(1.3, 1.5))
    clear, noisy = (render(FaceSpec(camera=Camera(200, 240, 0.9, noise=n), lesions=lesions)) for n in (0.0, 0.8))
    assert too_faint([clear]) == set()
    assert too_faint([clear, noisy]) == {lesion.index for lesion in clear.lesions} != set()


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
