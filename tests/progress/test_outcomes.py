from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from change_builders import NOISE, START, make_visit, turn
from comedo.progress.change import measure_change
from comedo.progress.outcomes import iga_success
from comedo.progress.values import Answer
from comedo.types import Region


def measured(visits, **more):
    return measure_change(visits, **{"noise": NOISE, **more})


def outcomes(*visits):
    return measured(visits).outcomes


@pytest.mark.parametrize(
    ("before", "after", "success"),
    [
        pytest.param(None, 1, None, id="before unknown"),
        pytest.param(3, None, None, id="after unknown"),
        pytest.param(3, 1, True, id="almost clear, two better"),
        pytest.param(2, 1, False, id="one better"),
        pytest.param(4, 2, False, id="two better, not almost clear"),
        pytest.param(0, 0, False, id="clear all along"),
    ],
)
def test_iga_success(before, after, success):
    assert iga_success(before, after) is success


def test_outcome_measures():
    found = outcomes(
        make_visit(0, lesions=20, severity=4.0, iga=3),
        make_visit(42, lesions=8, severity=2.5, iga=2),
        make_visit(84, lesions=2, severity=1.5, iga=1),
    )
    assert found.percent_change == -90
    assert (found.iga_before, found.iga_after, found.iga_success) == (3, 1, True)
    assert found.days_to_first_real_change == 42
    assert found.slope_per_week == pytest.approx(-1.5)
    assert found.slope_interval_90 is None  # from three points
    # Of 20 in the first six weeks 12 go, of 8 in the next 6: 18 in gaps of 42 days, 10 times 42 days without.
    assert found.half_life_days == pytest.approx(42 * 0.693147 / 1.029619, rel=1e-4)
    assert found.half_life_interval_90[0] < found.half_life_days < found.half_life_interval_90[1] < 84
    assert found.flare_regions == ()


def test_lesions_that_flicker_have_no_half_life():
    found = outcomes(make_visit(0, lesions=20), make_visit(28, lesions=18))
    assert (found.half_life_days, found.half_life_interval_90) == (None, None)


def test_all_lesions_gone_bound_the_half_life():
    found = outcomes(make_visit(0, lesions=20), make_visit(84))
    assert found.half_life_days is None
    assert found.half_life_interval_90 == (None, pytest.approx(21.35, abs=0.01))


UNSURE = {
    "without dates": {"day": None},
    "poor": {"day": 84, "poor": True},
}


@pytest.mark.parametrize("later", UNSURE.values(), ids=UNSURE)
def test_nothing_follows_from_a_poor_photo_or_an_unknown_order(later):
    first = make_visit(None if later["day"] is None else 0, lesions=8, iga=3)  # on the forehead
    last = make_visit(**later, lesions=24, iga=1)
    found = outcomes(first, last)
    assert (found.percent_change, found.iga_success, found.flare_regions) == (None, None, ())
    assert (found.iga_before, found.iga_after) == (3, 1)


def test_a_flare_is_named():
    found = outcomes(make_visit(0), make_visit(28, lesions=8))
    assert found.flare_regions == (Region.FOREHEAD,)


def test_a_flare_that_two_photos_of_one_session_show_is_named():
    found = outcomes(make_visit(0), make_visit(28, lesions=8), make_visit(28.01, lesions=8))
    assert found.flare_regions == (Region.FOREHEAD,)


REVIEWED = (make_visit(0, lesions=20, iga=3), make_visit(50, lesions=9, iga=2), make_visit(85, lesions=2, iga=1))
NO_BASELINE = "no comparable photo from the six weeks before the start"


def review_of(visits, start):
    return measured(visits, treatment_start=start).review


@pytest.mark.parametrize(
    ("start", "note"),
    [
        pytest.param(START, "", id="in time"),
        pytest.param(START + timedelta(days=60), "due on 2026-05-25", id="not yet"),
        pytest.param(START - timedelta(days=30), NO_BASELINE, id="no baseline"),
        pytest.param(START - timedelta(days=1), NO_BASELINE, id="a day too late"),
    ],
)
def test_treatment_review(start, note):
    review = review_of(REVIEWED, start)
    assert review.due == start + timedelta(weeks=12)
    assert review.note == note
    if not note:
        assert (review.baseline_visit, review.review_visit) == (0, 2)
        assert review.summary.answer is Answer.BETTER
        assert review.iga_success is True


@pytest.mark.parametrize(
    ("day", "found"),
    [(62, None), (63, 1), (84, 1), (105, 1), (106, None)],
    ids=["62 days", "63", "84", "105", "106"],
)
def test_the_review_lies_within_three_weeks_of_twelve(day, found):
    review = review_of([make_visit(0, lesions=20), make_visit(day, lesions=2)], START)
    assert review.review_visit == found
    assert review.note.startswith({62: "due on", 106: "no comparable photo within three weeks of"}.get(day, ""))


@pytest.mark.parametrize(("days_before", "found"), [(0, 0), (42, 0), (43, None)])
def test_the_baseline_is_at_most_six_weeks_old(days_before, found):
    start = START + timedelta(days=days_before)
    visits = [make_visit(0, lesions=20), make_visit(days_before + 84, lesions=2)]
    assert review_of(visits, start).baseline_visit == found


def test_a_photo_of_the_morning_on_which_treatment_begins_is_from_before():
    morning = make_visit(0.34, lesions=20)  # 08:15
    review = review_of([morning, make_visit(84, lesions=2)], datetime.combine(START.date(), datetime.min.time()))
    assert (review.baseline_visit, review.summary.answer) == (0, Answer.BETTER)


def test_nothing_is_concluded_from_a_poor_photo_at_the_review():
    review = review_of([make_visit(0, lesions=20, iga=3), make_visit(84, lesions=2, iga=1, poor=True)], START)
    assert review.review_visit == 1
    assert review.summary.answer is Answer.CANNOT_TELL
    assert "too poor" in review.summary.reason
    assert review.iga_success is None


def test_a_good_photo_near_the_day_is_taken_before_a_poor_one_on_it():
    visits = [make_visit(0, lesions=20), make_visit(84, lesions=2, poor=True), make_visit(90, lesions=3)]
    assert review_of(visits, START).review_visit == 2


def test_a_series_without_dates_says_so_at_the_review():
    visits = [replace(visit, when=None) for visit in REVIEWED]
    review = review_of(visits, START)
    assert "dates of the photos are not known" in review.note
    assert (review.baseline_visit, review.review_visit, review.summary) == (None, None, None)


def test_the_slope_leaves_poor_photos_out():
    visits = [make_visit(28 * i, lesions=n, motion=turn(i), poor=i == 2) for i, n in enumerate((20, 16, 0, 8, 4))]
    assert outcomes(*visits).slope_per_week == pytest.approx(-1)
