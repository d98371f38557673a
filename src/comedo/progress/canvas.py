"""A face at one small fixed scale: all that the comparison of photos keeps of their pixels."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from comedo.geometry import Affine, compose, crop_affine, invert, sample_crop
from comedo.types import FaceMap, Image, Part, Xy, skin_of

CANVAS_PX = 512  # side of the square: 0.8 MB a photo, whatever the camera
FACE_PX = 150.0  # eye line to lips: about 2.3 pixels a millimetre; the whole face then fills 0.8 of the side
EYES_TO_LIPS_MM = 65.0  # as in the quality gate: the scale of a face whose eyes are not both seen
PX_PER_MM = FACE_PX / EYES_TO_LIPS_MM
EYE_DISTANCE_PX = 63.0 * PX_PER_MM  # of an adult seen from the front
# Parts whose middle is a landmark, and how far to trust it: regions of skin change their outline with yaw and hair.
_LANDMARKS = {Part.LIPS: 2.0, Part.NOSE: 2.0, Part.BROWS: 1.0, Part.LEFT_CHEEK: 0.5, Part.RIGHT_CHEEK: 0.5}
_EYE_WEIGHT = 3.0
_LEAST_CELLS = 12  # of the face map that a landmark must have
_SIDES = (Part.LEFT_CHEEK, Part.RIGHT_CHEEK)


@dataclass(frozen=True, eq=False)
class Landmark:
    """A named point of the face, in canvas pixels."""

    xy: Xy
    weight: float


@dataclass(frozen=True, eq=False)
class Canvas:
    """One face, upright as in its photo: `image` (n, n, 3) uint8 RGB, `parts` (n, n) uint8 of `Part`.

    `to_photo` maps canvas pixels to the photo's; `landmarks` are named points in canvas pixels.
    """

    image: Image
    parts: NDArray[np.uint8]
    to_photo: Affine
    landmarks: dict[str, Landmark]

    def skin(self) -> NDArray[np.bool_]:
        """(n, n): skin that acne can affect."""
        return skin_of(self.parts)


def make_canvas(image: Image, face: FaceMap) -> Canvas:
    """Cut the face out of a photo, eye line to lips `FACE_PX` long; the photo can then be let go.

    Args:
        image: (H, W, 3) uint8 RGB, the photo that `face` was found in.
        face: Its map.
    """
    x0, y0, x1, y1 = face.box_xyxy
    half = CANVAS_PX / 2 * face.face_px / FACE_PX
    cx, cy = (x0 + x1) / 2, (y0 + y1) / 2
    left, top = round(cx - half), round(cy - half)
    side = max(2, round(2 * half))
    box = (float(left), float(top), float(left + side), float(top + side))
    to_canvas = crop_affine(box, (CANVAS_PX, CANVAS_PX))
    cells_to_canvas = compose(to_canvas, face.to_photo)
    parts = cv2.warpAffine(face.parts, cells_to_canvas, (CANVAS_PX, CANVAS_PX), flags=cv2.INTER_NEAREST)
    pixels = sample_crop(image, box, (CANVAS_PX, CANVAS_PX))
    return Canvas(pixels, np.asarray(parts, np.uint8), invert(to_canvas), _landmarks(face, to_canvas, cells_to_canvas))


def _landmarks(face: FaceMap, to_canvas: Affine, cells_to_canvas: Affine) -> dict[str, Landmark]:
    found: dict[str, Landmark] = {}
    for name, eye in zip(("right_eye", "left_eye"), face.eyes_xy, strict=True):
        if eye is not None:
            x, y = to_canvas @ np.array([*eye, 1.0])
            found[name] = Landmark((float(x), float(y)), _EYE_WEIGHT)
    for part, weight in _LANDMARKS.items():
        rows, columns = np.nonzero(face.parts == part)
        if len(rows) >= _LEAST_CELLS:
            x, y = cells_to_canvas @ np.array([columns.mean(), rows.mean(), 1.0])
            found[part.name.lower()] = Landmark((float(x), float(y)), weight)
    return found


_MIRRORED_NAMES = {
    "right_eye": "left_eye",
    "left_eye": "right_eye",
    "left_cheek": "right_cheek",
    "right_cheek": "left_cheek",
}


def mirror(canvas: Canvas) -> Canvas:
    """The face as in a mirror; what then looks like the left cheek is called so. `to_photo` follows the flip."""
    n = canvas.image.shape[1]
    swap = np.arange(256, dtype=np.uint8)
    swap[list(_SIDES)] = _SIDES[::-1]
    flip = np.array([[-1.0, 0.0, n - 1.0], [0.0, 1.0, 0.0]])
    points = {
        _MIRRORED_NAMES.get(name, name): Landmark((n - 1 - p.xy[0], p.xy[1]), p.weight)
        for name, p in canvas.landmarks.items()
    }
    return Canvas(
        np.ascontiguousarray(canvas.image[:, ::-1]),
        np.ascontiguousarray(swap[canvas.parts][:, ::-1]),
        compose(canvas.to_photo, flip),
        points,
    )
