"""The face at one fixed scale, so that one limit fits a selfie and a studio photo."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from comedo.types import FaceMap, Image, Mask, Photo, skin_of

# The eye line lies about as far from the lips as one pupil from the other, 63 mm (Dodgson 2004), and a face is
# a little over twice as broad, about 140 mm. Used where one eye is hidden, so that no pupils give the scale.
EYES_TO_LIPS_MM = 65.0
FACE_WIDTH_MM = 140.0
VIEW_WIDTH = 256  # pixels of a face width in the view: 0.55 mm each, fine enough to see 1 mm of blur
_SMALLEST = 0.75  # a face of fewer than this share of VIEW_WIDTH pixels says nothing at this scale
_EDGE_CELLS = 4  # view pixels left out at the skin's border, where brows and hair reach in
_MIN_SKIN = 400  # view pixels, about 1 cm²: below it the figures are chance
_SAMPLES = 3  # rows averaged into one row of the view; more cost time and change nothing


@dataclass(frozen=True, eq=False)
class SkinView:
    """A face at `VIEW_WIDTH` pixels a face width: (h, w, 3) uint8 RGB and the (h, w) skin to judge."""

    rgb: Image
    skin: Mask


def face_width_px(face: FaceMap) -> float:
    """Width of the face in photo pixels as if it were turned to the camera, from its height, which yaw leaves alone."""
    return face.face_px * FACE_WIDTH_MM / EYES_TO_LIPS_MM


def skin_view(photo: Photo, face: FaceMap) -> SkinView | None:
    """Cut out the face and bring it to the fixed scale; None if the face or its skin is too small.

    Touches only every few rows of a large face, and nothing outside its box.
    """
    width = face_width_px(face)
    if width < _SMALLEST * VIEW_WIDTH:
        return None
    x0, y0 = (max(0, math.floor(v)) for v in face.box_xyxy[:2])
    x1, y1 = min(photo.width, math.ceil(face.box_xyxy[2])), min(photo.height, math.ceil(face.box_xyxy[3]))
    if x1 - x0 < 2 or y1 - y0 < 2:
        return None
    scale = VIEW_WIDTH / width
    rgb = _shrink(photo.image[y0:y1, x0:x1], scale)
    skin = skin_of(face.parts).astype(np.uint8)
    to_view = scale * (np.asarray(face.to_photo, np.float64) - [[0, 0, x0], [0, 0, y0]])
    mask = cv2.warpAffine(skin, to_view, (rgb.shape[1], rgb.shape[0]), flags=cv2.INTER_NEAREST)
    size = 2 * _EDGE_CELLS + 1
    mask = cv2.erode(mask, np.ones((size, size), np.uint8), borderType=cv2.BORDER_REPLICATE)
    return SkinView(rgb, mask > 0) if int(mask.sum()) >= _MIN_SKIN else None


def _shrink(crop: Image, scale: float) -> Image:
    """Average down by a whole factor, which is fast, then by the rest."""
    height, width = crop.shape[:2]
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    factor = int(1 / scale)
    if factor >= 2:
        step = max(1, factor // _SAMPLES)
        rows = factor // step  # averaged into one, of those looked at
        small = (width // factor, height // (rows * step))
        whole = crop[: small[1] * rows * step : step, : small[0] * factor]
        crop = np.asarray(cv2.resize(whole, small, interpolation=cv2.INTER_AREA), np.uint8)
    rest = cv2.INTER_AREA if crop.shape[1] > size[0] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(crop, size, interpolation=rest), np.uint8)
