"""Which half of the face a lesion is on: Hayashi's scale counts on one half."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from comedo.types import FaceMap, Group, Lesion, Part, Region, Xy

Midline = tuple[Xy, Xy]  # from between the eyes down towards the mouth, in photo pixels


@dataclass(frozen=True)
class Halves:
    """Inflamed lesions on each half of the face (the person's left and right).

    None: that half's cheek is not visible. `unsided` lesions could not be placed without a
    midline; half of them, rounded up, is in each number.
    """

    left: int | None
    right: int | None
    unsided: int = 0

    @property
    def worse(self) -> tuple[str, int] | None:
        """Name and number of the half with more lesions; None when neither is visible."""
        seen = [(n, name) for n, name in ((self.left, "left"), (self.right, "right")) if n is not None]
        if not seen:
            return None
        n, name = max(seen, key=lambda half: half[0])
        return name, n


def face_midline(face: FaceMap) -> Midline | None:
    """The line from between the eyes to the middle of the lips; None unless both eyes are seen.

    The lips follow a turned head better than a perpendicular to the eye line, which is taken
    only where the lips are not in the map.
    """
    right_eye, left_eye = face.eyes_xy
    if right_eye is None or left_eye is None:
        return None
    top = ((right_eye[0] + left_eye[0]) / 2, (right_eye[1] + left_eye[1]) / 2)
    rows, columns = np.nonzero(face.parts == Part.LIPS)
    if len(rows):
        x, y = face.to_photo @ np.array([columns.mean(), rows.mean(), 1.0])
        return top, (float(x), float(y))
    across = (left_eye[0] - right_eye[0], left_eye[1] - right_eye[1])
    return top, (top[0] - across[1], top[1] + across[0])


def inflamed_by_half(lesions: Sequence[Lesion], visible: frozenset[Region], midline: Midline | None) -> Halves:
    """Inflamed lesions on each half.

    A lesion on a cheek belongs to that cheek's half, any other is placed by the midline. With
    one cheek visible (a half profile) the whole photo shows that half, as in ACNE04: all lesions
    belong to it, those just beyond the midline too.
    """
    inflamed = [lesion for lesion in lesions if lesion.group is Group.INFLAMMATORY]
    cheeks = visible & {Region.LEFT_CHEEK, Region.RIGHT_CHEEK}
    if not cheeks:
        return Halves(None, None)
    if cheeks == {Region.LEFT_CHEEK}:
        return Halves(len(inflamed), None)
    if cheeks == {Region.RIGHT_CHEEK}:
        return Halves(None, len(inflamed))
    sides = [_side(lesion, midline) for lesion in inflamed]
    unsided = sides.count(None)
    shared = (unsided + 1) // 2
    return Halves(sides.count("left") + shared, sides.count("right") + shared, unsided)


def _side(lesion: Lesion, midline: Midline | None) -> str | None:
    if lesion.region is Region.LEFT_CHEEK:
        return "left"
    if lesion.region is Region.RIGHT_CHEEK:
        return "right"
    if midline is None:
        return None
    (ax, ay), (bx, by) = midline
    x, y = lesion.center_xy
    # The person's left is to the right of the line in an upright picture, whose y points down.
    return "left" if (bx - ax) * (y - ay) - (by - ay) * (x - ax) <= 0 else "right"
