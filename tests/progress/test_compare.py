from dataclasses import replace

import numpy as np
import pytest

from change_builders import make_visit, skin_photo, turn
from comedo.progress.compare import compare, compare_with_itself, doubt_baseline
from comedo.progress.values import View
from comedo.types import Check, Part, Quality, Region, Verdict


def test_the_same_skin_is_comparable_everywhere():
    found = compare(make_visit(), make_visit(7, motion=turn(3)))
    assert found.view is View.COMPARABLE
    assert found.overlap > 0.9
    assert all(view.comparable for view in found.regions.values())
    assert all(check.ok for check in found.checks)


def test_a_mirrored_photo_is_asked_about_and_never_flipped():
    flipped = make_visit(image=np.ascontiguousarray(skin_photo(1)[:, ::-1]))
    found = compare(make_visit(), flipped)
    assert found.view is View.MIRRORED
    assert not found.comparable
    assert not found.common.any()
    assert "mirrored" in found.reason


REFUSED = {
    "another person": (lambda: make_visit(person=2), View.NO_MATCH, "another person"),
    "other side": (lambda: make_visit(person=2, yaw_deg=50.0), View.DIFFERENT_VIEW, "right side"),
    "turned away": (lambda: make_visit(person=2, yaw_deg=-80.0), View.DIFFERENT_VIEW, "turned"),
}


@pytest.mark.parametrize(("other", "view", "reason"), REFUSED.values(), ids=REFUSED)
def test_refusals_name_their_reason(other, view, reason):
    found = compare(make_visit(yaw_deg=-28.0), other())
    assert found.view is view
    assert reason in found.reason
    assert {v.comparable for v in found.regions.values()} == {False}


def test_a_hidden_region_is_refused_alone():
    later = make_visit(7)
    parts = later.face.parts.copy()
    parts[parts == Part.LEFT_CHEEK] = Part.OTHER  # hair fell over it
    found = compare(make_visit(), make_visit(7, parts=parts))
    assert found.comparable
    assert not found.regions[Region.LEFT_CHEEK].comparable
    assert found.regions[Region.RIGHT_CHEEK].comparable
    assert not found.common[make_visit().canvas.parts == Part.LEFT_CHEEK][::50].all()


def lit(*, sides=(1.0, 1.0), tint=(1.0, 1.0, 1.0)):
    """The first person's photo with a light that changes from left to right, and of another colour."""
    slope = np.linspace(*sides, 480)[None, :, None]
    return np.clip(skin_photo(1) * slope * np.array(tint), 0, 255).astype(np.uint8)


def sharp(value, day=7, **more):
    """A visit whose photo is as sharp as that."""
    return replace(make_visit(day, **more), quality=Quality(Verdict.FAIR, (Check("sharpness", value, 0.4, True, ""),)))


ADVISED = {
    "dim": (lambda: make_visit(7, gain=0.5), "brightness", "brighter"),
    "bright": (lambda: make_visit(7, gain=1.25), None, ""),
    "far": (lambda: make_visit(7, motion=turn(scale=0.6)), "scale", "nearer"),
    "turned": (lambda: make_visit(7, yaw_deg=12.0), "pose", "Turn"),
    "blurred": (lambda: sharp(0.5), "sharpness", "more blurred"),  # of 0.82
    "a little blurred": (lambda: sharp(0.6), None, ""),
    "sharper": (lambda: sharp(0.95), None, ""),
    "sharpness not known": (lambda: sharp(None), None, ""),
    "lamp at one side": (lambda: make_visit(7, image=lit(sides=(0.3, 1.2))), "light_direction", "shadows"),
    "warm lamp": (lambda: make_visit(7, image=lit(tint=(1.1, 0.95, 0.7))), "white_balance", "lamps"),
    "a little warmer": (lambda: make_visit(7, image=lit(tint=(1.02, 1.0, 0.97))), None, ""),
}


@pytest.mark.parametrize(("later", "check", "word"), ADVISED.values(), ids=ADVISED)
def test_advice_for_the_next_photo(later, check, word):
    found = compare(make_visit(), later())
    assert found.comparable
    failed = {c.name: c.advice for c in found.checks if not c.ok}
    assert set(failed) == ({check} if check else set())
    assert word in failed.get(check, "")


def test_every_check_of_a_comparable_photo_is_measured():
    names = ["scale", "pose", "sharpness", "brightness", "light_direction", "white_balance"]
    assert [c.name for c in compare(make_visit(), make_visit(7)).checks if c.value is not None] == names


REFUSED_WITH_ADVICE = {
    "dark stranger": (lambda: make_visit(7, person=2, gain=0.4), "brightness", "brighter"),
    "far stranger": (lambda: make_visit(7, person=2, motion=turn(scale=0.6)), "scale", "nearer"),
    "blurred stranger": (lambda: sharp(0.3, person=2), "sharpness", "more blurred"),
    "turned stranger": (lambda: make_visit(7, person=2, yaw_deg=50.0), "pose", "Turn"),
    "strange light": (
        lambda: make_visit(7, image=np.ascontiguousarray(lit(tint=(1.1, 0.95, 0.7))[:, ::-1])),
        "white_balance",
        "lamps",
    ),
}


@pytest.mark.parametrize(("later", "check", "word"), REFUSED_WITH_ADVICE.values(), ids=REFUSED_WITH_ADVICE)
def test_a_refused_photo_gets_advice_too(later, check, word):
    found = compare(make_visit(), later())
    assert not found.comparable
    checks = {c.name: c for c in found.checks}
    assert word in checks[check].advice
    assert checks["light_direction"].value is None  # the photos cannot be laid on each other


def test_a_mirrored_head_is_turned_to_the_other_side():
    flipped = make_visit(7, image=np.ascontiguousarray(skin_photo(1)[:, ::-1]), yaw_deg=20.0)
    found = compare(make_visit(yaw_deg=-20.0), flipped)
    assert found.view is View.MIRRORED
    assert all(c.ok for c in found.checks)


SERIES = {
    "one": ((1,), False),
    "two that differ": ((1, 2), False),
    "the first is odd": ((2, 1, 1), True),
    "the first is odd, and another": ((3, 1, 1, 1, 2), True),
    "all differ": ((1, 2, 3), False),
    "one is odd": ((1, 1, 2), False),
}


@pytest.mark.parametrize(("people", "odd"), SERIES.values(), ids=SERIES)
def test_a_first_photo_that_none_fits_is_doubted(people, odd):
    visits = [make_visit(7 * n, person=person) for n, person in enumerate(people)]
    comparisons = [compare_with_itself(visits[0]), *(compare(visits[0], v) for v in visits[1:])]
    assert ("may be the odd one" in doubt_baseline(visits, comparisons)) is odd


def test_zoom_is_positive_for_a_closer_photo():
    assert compare(make_visit(), make_visit(motion=turn(scale=1.2))).zoom == pytest.approx(np.log2(1.2), abs=0.02)


def test_light_from_another_side_is_measured():
    slope = np.linspace(0.6, 1.2, 480)[None, :, None]
    shaded = np.clip(skin_photo(1) * slope, 0, 255).astype(np.uint8)
    even, other = (compare(make_visit(), v).light for v in (make_visit(gain=0.8), make_visit(image=shaded)))
    assert even < 0.02 < 0.08 < other


def test_the_baseline_is_comparable_with_itself():
    assert compare_with_itself(make_visit()).comparable
