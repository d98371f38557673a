"""Frames of reference: affines between pictures, boxes, tiles."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from comedo.types import Box, Image, Xy

_MUCH_LARGER, _SAMPLES = 8, 4  # from eight times on, four pixels along each axis stand for one of the result

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


def crop_affine(box_xyxy: Box, size_hw: tuple[int, int]) -> Affine:
    """From a picture's pixels to those of a crop of it that is resized to `size_hw`.

    Pixel areas correspond, as in a resize with area averaging: the crop's corner is the box's.
    """
    x0, y0, x1, y1 = box_xyxy
    zoom_x, zoom_y = size_hw[1] / (x1 - x0), size_hw[0] / (y1 - y0)
    return np.array([[zoom_x, 0.0, (zoom_x - 1) / 2 - x0 * zoom_x], [0.0, zoom_y, (zoom_y - 1) / 2 - y0 * zoom_y]])


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

    Shrinking averages areas.
    """
    x0, y0, x1, y1 = (round(v) for v in box_xyxy)
    h, w = image.shape[:2]
    result = np.zeros((*size_hw, 3), np.uint8)
    rows, top, bottom = _overlap(y0, y1, h, size_hw[0])
    columns, left, right = _overlap(x0, x1, w, size_hw[1])
    inner = image[rows, columns]
    if inner.size == 0 or bottom <= top or right <= left:
        return result
    result[top:bottom, left:right] = _resize(inner, (right - left, bottom - top))
    return result


def _overlap(low: int, high: int, length: int, size: int) -> tuple[slice, int, int]:
    """Along one axis: the part of the picture in [low, high), and where it lies in a crop of `size` pixels."""
    zoom = size / max(1, high - low)
    inside = slice(max(low, 0), max(min(high, length), 0))
    start = round((inside.start - low) * zoom)
    return inside, start, min(size, max(start + 1, round((inside.stop - low) * zoom)))


def _resize(image: Image, size_wh: tuple[int, int]) -> Image:
    """Resize with area averaging where the picture shrinks.

    OpenCV averages areas slowly unless sides shrink by a whole number. So a much larger picture
    gives 4 x 4 evenly spread pixels to each of the result, which on photos of 12 megapixels is as
    near to the mean of all (0.2 grey levels) and ten times faster; one whose sides divide is first
    averaged by a whole number, which is three times faster than one step (0.3 grey levels apart).
    """
    shrink = min(image.shape[0] / size_wh[1], image.shape[1] / size_wh[0])
    whole = int(shrink)
    if whole >= _MUCH_LARGER:
        spread = (_SAMPLES * size_wh[0], _SAMPLES * size_wh[1])
        image = np.asarray(cv2.resize(image, spread, interpolation=cv2.INTER_NEAREST_EXACT), np.uint8)
    elif whole >= 2 and image.shape[0] % whole == 0 and image.shape[1] % whole == 0:
        half = (image.shape[1] // whole, image.shape[0] // whole)
        image = np.asarray(cv2.resize(image, half, interpolation=cv2.INTER_AREA), np.uint8)
    flag = cv2.INTER_AREA if shrink > 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, size_wh, interpolation=flag), np.uint8)


@dataclass(frozen=True)
class Tile:
    """One window over a canvas: what the network sees, and the part of it that is kept."""

    y0: int
    x0: int
    height: int
    width: int


def tile_canvas(
    height: int, width: int, *, longest: int = 608, widest: int | None = None, overlap: int = 64, multiple: int = 32
) -> tuple[Tile, ...]:
    """Cover a canvas with as few equal tiles as possible.

    Args:
        height, width: Of the canvas, pixels.
        longest: No tile is longer than this plus rounding.
        widest: Nor wider than this plus rounding; by default `longest`.
        overlap: Pixels shared by neighbours.
        multiple: Sides of tiles are multiples of this.
    """
    return tuple(
        Tile(y0, x0, h, w)
        for y0, h in _cover(height, longest, overlap, multiple)
        for x0, w in _cover(width, widest or longest, overlap, multiple)
    )


def _cover(length: int, longest: int, overlap: int, multiple: int) -> Sequence[tuple[int, int]]:
    count = max(1, math.ceil((length - overlap) / (longest - overlap)))
    side = math.ceil((length + overlap * (count - 1)) / count / multiple) * multiple
    if count == 1:
        return [(0, side)]
    last = max(0, length - side)
    return [(round(i * last / (count - 1) / 2) * 2, side) for i in range(count)]
