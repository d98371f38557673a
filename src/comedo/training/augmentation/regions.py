"""What the face map is good for before training: no background, and one picture for each region."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from comedo.geometry import sample_crop
from comedo.types import Box, FaceMap, Image, Mask, Part, Region

FACE_PARTS = tuple(p for p in Part if p not in (Part.BACKGROUND, Part.OTHER))
_LEAST_PX = 24  # a region of less width or height shows no lesion


def parts_of_photo(face: FaceMap, height: int, width: int) -> NDArray[np.uint8]:
    """The face map in the photo's pixels, (H, W) uint8 of `Part`."""
    return np.asarray(cv2.warpAffine(face.parts, face.to_photo, (width, height), flags=cv2.INTER_NEAREST), np.uint8)


@dataclass(frozen=True)
class Fill:
    """What takes the place of the background: one colour, and how softly the face meets it."""

    rgb: tuple[int, int, int]
    soft_px: float

    def apply(self, image: Image, keep: Mask) -> Image:
        """The (H, W, 3) photo with everything outside `keep` (H, W) in one colour."""
        share = cv2.GaussianBlur(keep.astype(np.float32), (0, 0), self.soft_px) if self.soft_px > 0 else keep
        weight = np.asarray(share, np.float32)[..., None] * keep[..., None]  # nothing of the background shines through
        colour = np.array(self.rgb, np.float32)
        return np.asarray(image * weight + colour * (1 - weight) + 0.5, np.uint8)


def draw_fill(rng: np.random.Generator, *, grey: bool = False) -> Fill:
    """A colour drawn anew for each photo, so that no colour can stand for a label; or always mid grey."""
    if grey:
        return Fill((128, 128, 128), 0.0)
    red, green, blue = (int(v) for v in rng.integers(0, 256, 3))
    return Fill((red, green, blue), float(rng.uniform(0.0, 2.0)))


def mask_of_parts(parts: NDArray[np.uint8], wanted: Collection[Part]) -> Mask:
    """Where a face map shows any of some parts, (H, W)."""
    table = np.zeros(256, np.bool_)
    table[list(wanted)] = True
    return np.asarray(table[parts])


def region_boxes(parts: NDArray[np.uint8]) -> dict[Region, Box]:
    """The box around each region that is seen, in the map's pixels; stray pixels are left out.

    Args:
        parts: (H, W) uint8 of `Part`, in the photo's pixels.
    """
    boxes: dict[Region, Box] = {}
    for region in Region:
        count, _, stats, _ = cv2.connectedComponentsWithStats((parts == region.part).astype(np.uint8))
        if count < 2:
            continue
        x, y, w, h = (int(v) for v in stats[1 + int(stats[1:, cv2.CC_STAT_AREA].argmax()), :4])
        if min(w, h) >= _LEAST_PX:
            boxes[region] = (float(x), float(y), float(x + w), float(y + h))
    return boxes


@dataclass(frozen=True)
class Crop:
    """One region's crop: a box in the photo's pixels and the size it is brought to."""

    box_xyxy: Box
    size_hw: tuple[int, int]

    def apply(self, image: Image) -> Image:
        """The crop (h, w, 3); what lies outside the photo is black."""
        return sample_crop(image, self.box_xyxy, self.size_hw)


def move_edges(rng: np.random.Generator, box: Box, jitter: float) -> Box:
    """A region's box of which each edge moves by up to `jitter` of its size, inwards or outwards."""
    x0, y0, x1, y1 = box
    left, top, right, bottom = (float(v) for v in rng.uniform(-jitter, jitter, 4))
    w, h = x1 - x0, y1 - y0
    return (x0 + left * w, y0 + top * h, x1 + right * w, y1 + bottom * h)


def draw_crop(rng: np.random.Generator, box: Box, *, longest: int = 224, jitter: float = 0.08) -> Crop:
    """A region's box whose edges move as they do in training, brought to `longest` pixels."""
    moved = move_edges(rng, box, jitter)
    width, height = moved[2] - moved[0], moved[3] - moved[1]
    zoom = longest / max(width, height)
    return Crop(moved, (max(1, round(height * zoom)), max(1, round(width * zoom))))
