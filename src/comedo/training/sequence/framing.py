"""From a photo to what the sequence network sees of it: the face at one scale, and the lesions found on it.

A lesion of 3 mm is two pixels wide on a face of 128, too few for a small network to tell it from grain. What comedo's
own networks find at full resolution is therefore drawn as a fourth channel: one soft dot a candidate, as bright as it
is likely to be an active lesion.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from comedo.errors import NoFaceFound
from comedo.geometry import sample_crop
from comedo.pipeline import Analyzer
from comedo.progress.canvas import CANVAS_PX, FACE_PX
from comedo.types import Box, FaceMap, Group, Image, Photo, Xy

COLOURS = 3  # channels; the lesions, if they are drawn, are the fourth
_SHARE = 0.82  # of the canvas's side: face and chin, little of the room
_DOT = 0.012  # standard deviation of a lesion's dot, in sides of the picture
_SURE = 120  # brightness of the middle of a sure lesion's dot: two that touch are told from one

Found = Iterable[tuple[Xy, float]]  # centre in photo pixels, probability


@dataclass(frozen=True)
class Framing:
    """How photos are framed; `load` gives the analyzer where it is needed."""

    side_px: int
    lesions: bool
    load: Callable[[], Analyzer]

    @property
    def mark(self) -> str:
        """Names the pictures that are kept: two equal marks frame alike."""
        if not self.lesions:
            return str(self.side_px)
        return f"{self.side_px}-{hashlib.sha256(repr(self.load().models).encode()).hexdigest()[:12]}"

    def find_face(self, photo: Photo) -> FaceMap:
        """Map the face.

        Raises:
            NoFaceFound: There is none.
        """
        return self.load().mapper.find(photo)

    def frame(self, photo: Photo) -> Image | None:
        """The face of a photo as `cut` gives it; `None` where there is none."""
        try:
            return self.cut(photo, self.find_face(photo))
        except NoFaceFound:
            return None

    def cut(self, photo: Photo, face: FaceMap) -> Image:
        """The face of a photo, (side, side, 3 or 4) uint8."""
        box = face_box(face.box_xyxy, face.face_px)
        colours = sample_crop(photo.image, box, (self.side_px, self.side_px))
        if not self.lesions:
            return colours
        reading = self.load().finder.find(photo, face)
        found = [(x.center_xy, x.score) for x in reading.lesions if x.group is not Group.MARK]
        faint = [(x.center_xy, x.score) for x in reading.faint]
        return np.dstack([colours, draw_lesions([*found, *faint], box, self.side_px)])


def words_of_dots(models: Iterable[str]) -> str:
    """What the fourth channel holds, for whoever has to draw it."""
    return (
        f"active lesions found by {', '.join(models)} as soft dots (Gaussian, standard deviation {_DOT:g} of the side, "
        f"{_SURE} times the probability in the middle, added up)"
    )


def face_box(box_xyxy: Box, face_px: float) -> Box:
    """The square around a face in which `face_px`, eye line to lips, takes a fixed share of the side."""
    half = _SHARE * CANVAS_PX / 2 * face_px / FACE_PX
    cx, cy = (box_xyxy[0] + box_xyxy[2]) / 2, (box_xyxy[1] + box_xyxy[3]) / 2
    return (cx - half, cy - half, cx + half, cy + half)


def draw_lesions(found: Found, box_xyxy: Box, side_px: int) -> NDArray[np.uint8]:
    """Soft dots at the centres of lesions, (side, side): their sum is in proportion to the number expected."""
    width = box_xyxy[2] - box_xyxy[0]
    spikes = np.zeros((side_px, side_px), np.float32)
    for (x, y), probability in found:
        column, row = (int((v - low) / width * side_px) for v, low in zip((x, y), box_xyxy[:2], strict=True))
        if 0 <= column < side_px and 0 <= row < side_px:
            spikes[row, column] += probability
    spread = _DOT * side_px
    dots = cv2.GaussianBlur(spikes, (0, 0), spread, borderType=cv2.BORDER_CONSTANT) * (2 * np.pi * spread**2 * _SURE)
    return np.asarray(np.clip(dots + 0.5, 0, 255), np.uint8)
