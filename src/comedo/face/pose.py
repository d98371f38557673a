"""Eyes, roll, yaw and scale from the parts of a face."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from comedo.geometry import Affine, distance
from comedo.types import Box, Part, Xy

# Mean distance between the pupils of adults and its spread: Dodgson 2004, "Variation and extrema
# of human interpupillary distance" (63.36 mm, standard deviation 3.83 mm, 3,976 US adults).
PUPILS_MM = 63.0
PUPILS_SD_MM = 3.8
# Longer side of the face box over the eye-to-lips distance, median of validation faces; only used
# when eyes or lips cannot be seen.
_BOX_TO_FACE = 2.75
# Beyond twice that what was taken for eyes or lips is none, as when the mouth is cut off by the frame:
# of 127 faces of five collections none has more than 3.83.
_MAX_BOX_TO_FACE = 5.5

_MAX_YAW_FOR_SCALE = 55.0  # beyond this the foreshortened eye distance says too little


@dataclass(frozen=True)
class Landmarks:
    """Points found from the parts' centroids, in photo pixels; None when hidden."""

    eyes_xy: tuple[Xy | None, Xy | None]
    lips_xy: Xy | None
    nose_xy: Xy | None

    @property
    def roll_deg(self) -> float | None:
        """Clockwise turn of the eye line in the picture, degrees."""
        right, left = self.eyes_xy
        if right is None or left is None:
            return None
        return math.degrees(math.atan2(left[1] - right[1], left[0] - right[0]))


def _centroid(mask: NDArray[np.bool_], to_photo: Affine, smallest: int) -> Xy | None:
    ys, xs = np.nonzero(mask)
    if len(xs) < smallest:
        return None
    x, y = to_photo @ np.array([xs.mean(), ys.mean(), 1.0])
    return (float(x), float(y))


def find_landmarks(labels: NDArray[np.uint8], to_photo: Affine) -> Landmarks:
    """Centres of eyes, lips and nose.

    Args:
        labels: (n, n) uint8 of `Part`.
        to_photo: From cells to photo pixels.
    """
    face_cells = int(((labels >= Part.FOREHEAD) & (labels <= Part.LIPS)).sum())
    smallest = max(6, round(0.0015 * face_cells))
    lips = _largest(labels == Part.LIPS, to_photo, smallest, 1)
    nose = _largest(labels == Part.NOSE, to_photo, smallest, 1)
    eyes = _largest(labels == Part.EYES, to_photo, smallest, 2)
    middle = nose[0] if nose else None
    return Landmarks(_sides(eyes, labels, middle, to_photo), lips[0] if lips else None, middle)


def _largest(mask: NDArray[np.bool_], to_photo: Affine, smallest: int, number: int) -> list[Xy]:
    """Centroids of the largest connected pieces, largest first."""
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    order = sorted(range(1, count), key=lambda i: -int(stats[i, cv2.CC_STAT_AREA]))[:number]
    return [c for c in (_centroid(pieces == i, to_photo, smallest) for i in order) if c is not None]


def _sides(eyes: list[Xy], labels: NDArray[np.uint8], nose: Xy | None, to_photo: Affine) -> tuple[Xy | None, Xy | None]:
    """Which eye is the person's right: the one on the side of the right cheek."""
    right_cheek = _centroid(labels == Part.RIGHT_CHEEK, to_photo, 1)
    left_cheek = _centroid(labels == Part.LEFT_CHEEK, to_photo, 1)
    if right_cheek is None or left_cheek is None:
        axis = (1.0, 0.0)
        if len(eyes) == 1:
            visible_right = left_cheek is None and right_cheek is not None
            return (eyes[0], None) if visible_right else (None, eyes[0])
    else:
        axis = (left_cheek[0] - right_cheek[0], left_cheek[1] - right_cheek[1])
    along = sorted(eyes, key=lambda e: e[0] * axis[0] + e[1] * axis[1])
    if len(along) == 0:
        return (None, None)
    if nose is None:
        return (along[0], along[1]) if len(along) == 2 else (along[0], None)
    beside = [(e[0] - nose[0]) * axis[0] + (e[1] - nose[1]) * axis[1] for e in along]
    if len(along) == 2 and beside[0] < 0 < beside[1]:
        return (along[0], along[1])
    # One eye is hidden: what else looked like one (an ear, a nostril) is smaller.
    eye = eyes[0]
    return (None, eye) if beside[along.index(eye)] > 0 else (eye, None)


def asymmetry(labels: NDArray[np.uint8]) -> float | None:
    """Left-minus-right share of the cheeks' area, in [-1, 1]; None without cheeks."""
    left, right = int((labels == Part.LEFT_CHEEK).sum()), int((labels == Part.RIGHT_CHEEK).sum())
    return None if left + right == 0 else (left - right) / (left + right)


def yaw_deg(labels: NDArray[np.uint8]) -> float | None:
    """Rough yaw from how much of each cheek is seen; positive shows the person's left cheek.

    The curve was fitted to FASSEG faces of known yaw: see MODEL_CARD.md for its error.
    """
    a = asymmetry(labels)
    if a is None:
        return None
    return float(np.clip(_YAW_LINEAR * a + _YAW_CUBIC * a**3, -90, 90))


_YAW_LINEAR, _YAW_CUBIC = 36.7, 29.7


def millimetres(landmarks: Landmarks, yaw: float | None) -> tuple[float | None, float | None]:
    """Millimetres per pixel and its relative standard deviation; None when an eye is hidden.

    The eye distance is divided by cos(yaw), since a turned face shows it foreshortened.
    """
    right, left = landmarks.eyes_xy
    if right is None or left is None or yaw is None or abs(yaw) > _MAX_YAW_FOR_SCALE:
        return (None, None)
    apart = distance(right, left)
    if apart <= 0:
        return (None, None)
    frontal = apart / math.cos(math.radians(yaw))
    yaw_error = math.tan(math.radians(abs(yaw))) * math.radians(10.0)  # the yaw is right to about 10 degrees
    return (PUPILS_MM / frontal, math.hypot(PUPILS_SD_MM / PUPILS_MM, yaw_error))


def face_px(landmarks: Landmarks, box: Box) -> float:
    """The face's size in pixels whatever its yaw: the distance from the eye line to the lips.

    Turning the head hardly changes it, so that lesions are looked for at one scale in every pose.
    Where eyes and lips do not tell it, the face's box does.
    """
    longest = max(box[2] - box[0], box[3] - box[1])
    measured = _eyes_to_lips(landmarks)
    return longest / _BOX_TO_FACE if measured is None or measured * _MAX_BOX_TO_FACE < longest else measured


def _eyes_to_lips(landmarks: Landmarks) -> float | None:
    eyes = [e for e in landmarks.eyes_xy if e is not None]
    lips = landmarks.lips_xy
    if not eyes or lips is None:
        return None
    middle = (sum(e[0] for e in eyes) / len(eyes), sum(e[1] for e in eyes) / len(eyes))
    turn = math.radians(landmarks.roll_deg or 0.0)  # along the face's own vertical, where both eyes tell it
    return abs(-(lips[0] - middle[0]) * math.sin(turn) + (lips[1] - middle[1]) * math.cos(turn))
