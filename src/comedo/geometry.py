"""Frames of reference: affines between pictures, boxes, tiles."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from comedo.types import Box, Image, Xy

Affine = NDArray[np.float64]  # (2, 3): x' = a[:, :2] @ (x, y) + a[:, 2]; pixel centres are whole numbers


def invert(affine: Affine) -> Affine:
    """The inverse of a (2, 3) affine."""
    return np.asarray(cv2.invertAffineTransform(affine), np.float64)


def compose(after: Affine, before: Affine) -> Affine:
    """The affine that first applies `before`, then `after`."""
    return np.hstack([after[:, :2] @ before[:, :2], (after[:, :2] @ before[:, 2] + after[:, 2])[:, None]])


def apply(affine: Affine, points_xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Map (N, 2) points."""
    return np.asarray(points_xy @ affine[:, :2].T + affine[:, 2], np.float64)


def scale_of(affine: Affine) -> float:
    """How much longer a length becomes under the affine (geometric mean of both axes)."""
    return math.sqrt(abs(float(np.linalg.det(affine[:, :2]))))


def crop_affine(box_xyxy: Box, zoom: float) -> Affine:
    """From a picture's pixels to those of a crop of it that is resized by `zoom`.

    Pixel areas correspond, as in a resize with area averaging: the crop's corner is the box's.
    """
    x0, y0, _, _ = box_xyxy
    shift = (zoom - 1) / 2
    return np.array([[zoom, 0.0, shift - x0 * zoom], [0.0, zoom, shift - y0 * zoom]])


def square_around(box_xyxy: Box, grow: float) -> Box:
    """The square with the box's centre whose side is the box's longer side times `grow`."""
    x0, y0, x1, y1 = box_xyxy
    half = max(x1 - x0, y1 - y0) * grow / 2
    cx, cy = (x0 + x1) / 2, (y0 + y1) / 2
    return (cx - half, cy - half, cx + half, cy + half)


def clip_box(box_xyxy: Box, width: int, height: int) -> Box:
    """The part of a box that lies in a picture."""
    x0, y0, x1, y1 = box_xyxy
    return (min(max(x0, 0.0), width), min(max(y0, 0.0), height), min(max(x1, 0.0), width), min(max(y1, 0.0), height))


def distance(a: Xy, b: Xy) -> float:
    """Euclidean distance of two points."""
    return math.hypot(a[0] - b[0], a[1] - b[1])


def sample_crop(image: Image, box_xyxy: Box, size_hw: tuple[int, int]) -> Image:
    """Cut a box out of a picture and resize it; what lies outside the picture is black.

    Args:
        image: (H, W, 3) uint8.
        box_xyxy: May reach beyond the picture.
        size_hw: Height and width of the result.

    Shrinking averages areas, in two steps when the picture is much larger than the result, which
    is as good for a network and many times faster on a 12-megapixel photo.
    """
    x0, y0, x1, y1 = (round(v) for v in box_xyxy)
    h, w = image.shape[:2]
    inner = image[max(y0, 0) : max(min(y1, h), 0), max(x0, 0) : max(min(x1, w), 0)]
    zoom_y, zoom_x = size_hw[0] / max(1, y1 - y0), size_hw[1] / max(1, x1 - x0)
    result = np.zeros((*size_hw, 3), np.uint8)
    top, left = max(0, round(-y0 * zoom_y)), max(0, round(-x0 * zoom_x))
    bottom = min(size_hw[0], top + max(1, round(inner.shape[0] * zoom_y)))
    right = min(size_hw[1], left + max(1, round(inner.shape[1] * zoom_x)))
    if inner.size == 0 or bottom <= top or right <= left:
        return result
    stride = max(1, int(min(inner.shape[0] / (bottom - top), inner.shape[1] / (right - left)) / 4))
    inner = np.ascontiguousarray(inner[stride // 2 :: stride, stride // 2 :: stride])
    shrinks = inner.shape[0] > bottom - top
    flag = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    result[top:bottom, left:right] = cv2.resize(inner, (right - left, bottom - top), interpolation=flag)
    return result


@dataclass(frozen=True)
class Tile:
    """One window over a canvas: what the network sees, and the part of it that is kept."""

    y0: int
    x0: int
    height: int
    width: int


def tile_canvas(
    height: int, width: int, *, longest: int = 608, overlap: int = 64, multiple: int = 32
) -> tuple[Tile, ...]:
    """Cover a canvas with as few equal tiles as possible.

    Args:
        height, width: Of the canvas, pixels.
        longest: No tile is longer than this plus rounding.
        overlap: Pixels shared by neighbours.
        multiple: Sides of tiles are multiples of this.
    """
    return tuple(
        Tile(y0, x0, h, w)
        for y0, h in _cover(height, longest, overlap, multiple)
        for x0, w in _cover(width, longest, overlap, multiple)
    )


def _cover(length: int, longest: int, overlap: int, multiple: int) -> Sequence[tuple[int, int]]:
    count = max(1, math.ceil((length - overlap) / (longest - overlap)))
    side = math.ceil((length + overlap * (count - 1)) / count / multiple) * multiple
    if count == 1:
        return [(0, side)]
    last = max(0, length - side)
    return [(round(i * last / (count - 1) / 2) * 2, side) for i in range(count)]
