from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from change_builders import NOISE, QUIET, START, make_visit, skin_photo, turn
from comedo.progress.change import measure_change
from comedo.progress.series import Series
from comedo.progress.values import Answer, LeftOut, View
from comedo.types import Region

LOUD = NOISE.model_copy(update={"measures": dict.fromkeys(NOISE.measures, QUIET.model_copy(update={"base": 100.0}))})


def course(*counts, **more):
    """Visits four weeks apart with so many lesions."""
    return [make_visit(28 * i, lesions=n, motion=turn(i), **more) for i, n in enumerate(counts)]


def measured(visits, **more):
    return measure_change(visits, **{"noise": NOISE, **more})


@pytest.mark.parametrize(
    ("counts", "answer"),
    [
        pytest.param((20, 4), Answer.BETTER, id="fewer"),
        pytest.param((4, 20), Answer.WORSE, id="more"),
        pytest.param((12, 12), Answer.SAME, id="as many"),
        pytest.param((20, 14, 8, 2), Answer.BETTER, id="steady fall"),
        pytest.param((2, 8, 14, 20), Answer.WORSE, id="steady rise"),
        pytest.param((20, 12, 4), Answer.BETTER, id="three that fall"),
        pytest.param((20, 24, 2), Answer.BETTER, id="a flare on the way"),
        pytest.param((20, 2, 2, 2), Answer.BETTER, id="a fall that is confirmed"),
        pytest.param((20, 4, 3, 4, 3, 4), Answer.BETTER, id="a plateau"),
        pytest.param((20, 3, 18, 4), Answer.CANNOT_TELL, id="zigzag"),
        pytest.param((20, 2, 22, 0, 18, 10), Answer.CANNOT_TELL, id="up and down"),
        pytest.param((12, 20, 4), Answer.CANNOT_TELL, id="three shuffled, highest between"),
        pytest.param((20, 4, 12), Answer.CANNOT_TELL, id="three shuffled, lowest between"),
    ],
)
def test_answers_of_a_series(counts, answer):
    change = measured(course(*counts))
    assert change.whole.answer is answer
    assert [p.count for p in change.timeline] == list(counts)
    assert len(change.ledger) == max(counts)


@pytest.mark.parametrize(
    ("people", "odd"),
    [
        pytest.param((1,), False, id="one photo"),
        pytest.param((1, 1, 1), False, id="one person"),
        pytest.param((2, 1, 1), True, id="the first is another's"),
    ],
)
def test_an_odd_first_photo_is_told_after_other_notices(people, odd):
    visits = [make_visit(28 * n, person=person) for n, person in enumerate(people)]
    first, *more = measured(visits, notices=["known before"]).notices
    assert first == "known before"
    assert ["the first, day 0," in line for line in more] == [True] * odd


def other_person():
    return make_visit(28, person=2, lesions=2)


NEVER = {
    "another person": lambda: [make_visit(0, lesions=20), other_person()],
    "another person last": lambda: [*course(20, 10), make_visit(90, person=2, lesions=2)],
    "noise": lambda: [
        make_visit(0, lesions=20),
        make_visit(28, image=np.random.default_rng(0).integers(0, 256, (640, 480, 3), np.uint8)),
    ],
    "mirrored": lambda: [
        make_visit(0, lesions=20),
        make_visit(28, lesions=2, image=np.ascontiguousarray(skin_photo(1)[:, ::-1])),
    ],
    "without dates": lambda: [make_visit(None, lesions=20, iga=3), make_visit(None, lesions=2, iga=0)],
    "one date": lambda: [make_visit(0, lesions=20), make_visit(0, lesions=2)],
    "one session": lambda: [make_visit(0, lesions=20, iga=3), make_visit(0.007, lesions=2, iga=0)],
    "one photo": lambda: [make_visit(0, lesions=20)],
    "poor": lambda: [make_visit(0, lesions=20, iga=3), make_visit(28, lesions=2, iga=0, poor=True)],
    "zigzag": lambda: course(20, 3, 18, 4),
}


@pytest.mark.parametrize("visits", NEVER.values(), ids=NEVER)
def test_never_better_or_worse(visits):
    change = measured(visits())
    assert change.whole.answer is Answer.CANNOT_TELL
    assert change.sentence.startswith("Cannot tell: ")
    told = [change.whole, *change.regions.values()]
    told += [m for summary in told for m in summary.measures]
    assert {found.answer for found in [*told, *change.timeline[1:]]} == {Answer.CANNOT_TELL}
    assert {found.probabilities for found in told} == {None}
    assert (change.outcomes.percent_change, change.outcomes.iga_success) == (None, None)


def test_a_mirrored_photo_becomes_a_question():
    change = measured(NEVER["mirrored"]())
    assert change.comparisons[1].view is View.MIRRORED
    assert "mirrored" in change.questions[0]


def test_photos_out_of_order_are_refused():
    with pytest.raises(ValueError, match="order of time"):
        measured([make_visit(28), make_visit(0)])
    with pytest.raises(ValueError, match="at least one"):
        measured([])


def test_a_photo_of_someone_else_between_is_left_alone():
    visits = [
        make_visit(0, lesions=20),
        make_visit(14, person=2, lesions=24),
        make_visit(28, lesions=4),
        make_visit(35, lesions=3),
    ]
    change = measured(visits)
    assert change.whole.answer is Answer.BETTER
    assert [p.visit for p in change.timeline] == [0, 2, 3]


def test_most_photos_unusable_is_no_series():
    left = [LeftOut("a", "no face"), LeftOut("b", "no face")]
    change = measured(course(20, 2), left_out=left)
    assert change.whole.answer is Answer.CANNOT_TELL
    assert "2 of 3" in change.whole.reason


@pytest.mark.parametrize(
    ("after", "named"),
    [
        pytest.param(timedelta(days=40), True, id="newest of all"),
        pytest.param(timedelta(days=28, minutes=10), False, id="retaken in the same session"),
        pytest.param(timedelta(days=14), False, id="between"),
    ],
)
def test_a_newest_photo_that_could_not_be_analysed_withholds_the_verdict(after, named):
    missed = LeftOut("spring.jpg", "no face", START + after, "no_face")
    whole = measured([make_visit(0, lesions=20), make_visit(28, lesions=2)], left_out=[missed]).whole
    assert (whole.answer is Answer.CANNOT_TELL) is named
    assert ("spring.jpg" in whole.reason) is named


def test_much_noise_is_no_answer_and_is_said():
    change = measured(course(20, 12), noise=LOUD)
    assert change.whole.answer is Answer.CANNOT_TELL
    assert "noise alone" in change.sentence


def test_regions_answer_for_themselves():
    change = measured(course(24, 0))
    assert change.regions[Region.LEFT_CHEEK].measures[0].after == 0
    assert {s.answer for s in change.regions.values()} <= {Answer.BETTER, Answer.SAME, Answer.CANNOT_TELL}
    assert Answer.BETTER in {s.answer for s in change.regions.values()}


def test_photos_minutes_apart_calibrate_the_noise():
    pair = [make_visit(0, lesions=20), make_visit(0.01, lesions=12)]
    steady, shaky = (measured([*v, make_visit(28, lesions=12)]).personal_factor for v in ([pair[0]], pair))
    assert steady is None
    assert shaky > 1


def sessions(*counts):
    """Visits four weeks apart, each of photos ten minutes apart."""
    return [make_visit(28 * i + 0.007 * j, lesions=n) for i, ns in enumerate(counts) for j, n in enumerate(ns)]


@pytest.mark.parametrize("counts", [((20, 21), (5, 4)), ((20, 20), (4, 4))], ids=["apart by one", "alike"])
def test_photos_minutes_apart_are_one_time_point(counts):
    change = measured(sessions(*counts))
    means = [sum(ns) / 2 for ns in counts]
    assert change.whole.answer is Answer.BETTER
    assert [p.count for p in change.timeline] == means
    assert [p.visit for p in change.timeline] == [0, 2]
    assert (change.whole.measures[0].before, change.whole.measures[0].after) == tuple(means)
    assert change.personal_factor is not None


def test_a_photo_that_its_own_repeat_contradicts_makes_no_change():
    assert measured(sessions((20, 12), (12,))).whole.answer is Answer.CANNOT_TELL


def test_copies_of_a_photo_do_not_narrow_the_noise():
    first, copy, last = sessions((20, 20), (4,))
    copies = [first, replace(copy, sha256=first.sha256), last]
    assert measured(copies).personal_factor is None
    assert measured([first, copy, last]).personal_factor < 1


def test_how_much_sharper_a_photo_is_than_another_is_a_condition():
    def as_sharp(visit, value):
        checks = tuple(replace(c, value=value) if c.name == "sharpness" else c for c in visit.quality.checks)
        return replace(visit, quality=replace(visit.quality, checks=checks))

    def between(*values):
        visits = [as_sharp(v, value) for v, value in zip(course(12, 12), values, strict=True)]
        found = measured(visits)
        return Series(tuple(visits), found.comparisons, found.ledger, NOISE).conditions(0, 1).sharpness

    assert between(0.4, 0.8) == pytest.approx(1.0)
    assert between(0.8, 0.2) == pytest.approx(-2.0)
    assert between(None, 0.8) == between(0.0, 0.8) == 0.0
