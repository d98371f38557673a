"""Eyes, sides and sizes from drawn parts, level and turned."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from builders import make_parts
from comedo.face.pose import Landmarks, asymmetry, face_px, find_landmarks, millimetres, yaw_deg
from comedo.types import Part

_UNIT = np.array([[1.0, 0, 0], [0, 1.0, 0]])
_RIGHT, _LEFT, _LIPS = (20.75, 33.5), (38.25, 33.5), (29.5, 57.5)  # of the drawn face, in cells


def turned(degrees: float, side: int = 160) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """The drawn parts turned clockwise, at the same scale, and where its points come to lie."""
    radians = np.radians(degrees)
    turn = np.array([[np.cos(radians), -np.sin(radians)], [np.sin(radians), np.cos(radians)]])
    shift = np.array([side / 2, side / 2]) - turn @ [29.5, 42.0]
    affine = np.hstack([turn, shift[:, None]])
    parts = cv2.warpAffine(make_parts(), affine, (side, side), flags=cv2.INTER_NEAREST)
    return np.asarray(parts, np.uint8), affine


@pytest.mark.parametrize("degrees", [-75, -40, -15, 0, 15, 40, 75])
def test_eyes_keep_their_sides_and_the_size_stays_when_the_head_is_tilted(degrees: float) -> None:
    parts, affine = turned(degrees)
    found = find_landmarks(parts, _UNIT)
    for eye, true in zip(found.eyes_xy, (_RIGHT, _LEFT), strict=True):
        assert eye is not None
        assert np.abs(affine @ [*true, 1] - eye).max() < 1.0
    assert found.roll_deg == pytest.approx(degrees, abs=3)
    assert face_px(found, (0, 0, 58, 58)) == pytest.approx(_LIPS[1] - _RIGHT[1], abs=1.0)


@pytest.mark.parametrize(
    ("hidden", "expected"), [("left", (True, False)), ("right", (False, True))], ids=["left hidden", "right hidden"]
)
def test_one_eye_is_named_by_its_side_of_the_nose(hidden: str, expected: tuple[bool, bool]) -> None:
    parts = make_parts()
    half = parts[:, 30:] if hidden == "left" else parts[:, :30]
    half[half == Part.EYES] = Part.OTHER
    eyes = find_landmarks(parts, _UNIT).eyes_xy
    assert tuple(e is not None for e in eyes) == expected


def test_nothing_is_found_on_nothing() -> None:
    empty = np.zeros((40, 40), np.uint8)
    found = find_landmarks(empty, _UNIT)
    assert found == Landmarks((None, None), None, None)
    assert found.roll_deg is None
    assert asymmetry(empty) is None
    assert yaw_deg(empty) is None
    assert face_px(found, (10, 10, 65, 50)) == pytest.approx(20)
    assert millimetres(found, None) == (None, None)


def test_yaw_mirrors_with_the_face() -> None:
    parts = make_parts()
    parts[:, 40:][parts[:, 40:] == Part.LEFT_CHEEK] = Part.OTHER
    mirrored = parts[:, ::-1].copy()
    left, right = mirrored == Part.LEFT_CHEEK, mirrored == Part.RIGHT_CHEEK
    mirrored[left], mirrored[right] = Part.RIGHT_CHEEK, Part.LEFT_CHEEK
    yaw = yaw_deg(parts)
    assert yaw is not None
    assert yaw < -5, "less of the left cheek is seen: it is turned away"
    assert yaw_deg(mirrored) == pytest.approx(-yaw)


@pytest.mark.parametrize(
    ("lips", "expected"),
    [((50.0, 100.0), 60.0), ((50.0, 60.0), 20.0), ((50.0, 45.0), 110 / 2.75), ((50.0, 40.0), 110 / 2.75)],
    ids=["a face", "a broad face", "lips too near the eyes to be lips", "lips on the eye line"],
)
def test_what_cannot_be_eyes_to_lips_is_not_the_size(lips: tuple[float, float], expected: float) -> None:
    # A face cut below the nose: a size of nearly nothing would blow it up to a huge canvas.
    landmarks = Landmarks(((30.0, 40.0), (70.0, 40.0)), lips, (50.0, 60.0))
    assert face_px(landmarks, (0.0, 0.0, 90.0, 110.0)) == pytest.approx(expected)


def test_millimetres_allow_for_a_turned_head() -> None:
    landmarks = Landmarks(((0.0, 0.0), (126.0, 0.0)), None, None)
    frontal, sure = millimetres(landmarks, 0.0)
    assert frontal == pytest.approx(0.5)
    turned_mm, unsure = millimetres(landmarks, 40.0)
    assert turned_mm == pytest.approx(0.5 * np.cos(np.radians(40)))
    assert sure is not None
    assert unsure is not None
    assert unsure > sure
    assert millimetres(landmarks, 60.0) == (None, None)
    assert millimetres(Landmarks(((0.0, 0.0), None), None, None), 0.0) == (None, None)
    assert millimetres(Landmarks(((5.0, 5.0), (5.0, 5.0)), None, None), 0.0) == (None, None)
