import numpy as np
import pytest

from change_builders import make_visit, skin_photo, turn
from comedo.progress.compare import compare, compare_with_itself
from comedo.progress.values import View
from comedo.types import Part, Region


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


@pytest.mark.parametrize(
    ("later", "check", "word"),
    [
        pytest.param({"gain": 0.5}, "brightness", "brighter", id="dim"),
        pytest.param({"motion": turn(scale=0.6)}, "scale", "nearer", id="far"),
        pytest.param({"yaw_deg": 12.0}, "pose", "Turn", id="turned"),
    ],
)
def test_advice_for_the_next_photo(later, check, word):
    found = compare(make_visit(), make_visit(7, **later))
    failed = {c.name: c.advice for c in found.checks if not c.ok}
    assert word in failed[check]


def test_zoom_is_positive_for_a_closer_photo():
    assert compare(make_visit(), make_visit(motion=turn(scale=1.2))).zoom == pytest.approx(np.log2(1.2), abs=0.02)


def test_light_from_another_side_is_measured():
    slope = np.linspace(0.6, 1.2, 480)[None, :, None]
    shaded = np.clip(skin_photo(1) * slope, 0, 255).astype(np.uint8)
    even, other = (compare(make_visit(), v).light for v in (make_visit(gain=0.8), make_visit(image=shaded)))
    assert even < 0.02 < 0.08 < other


def test_the_baseline_is_comparable_with_itself():
    assert compare_with_itself(make_visit()).comparable
