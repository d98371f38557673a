"""A mask as run lengths: small, hashable, comparable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from comedo.types import Box, Mask, Xy


@dataclass(frozen=True)
class Bitmap:
    """Pixels inside a tight box, as run lengths.

    `runs` alternate pixels outside and inside, row by row, beginning with those outside.
    """

    left: int
    top: int
    width: int
    height: int
    runs: tuple[int, ...]

    @property
    def bounds_xyxy(self) -> Box:
        """The box around the pixels."""
        return (float(self.left), float(self.top), float(self.left + self.width), float(self.top + self.height))

    @property
    def area_px(self) -> int:
        """How many pixels are inside."""
        return sum(self.runs[1::2])

    def crop(self) -> Mask:
        """The (height, width) mask inside the box."""
        return from_runs(np.asarray(self.runs), self.width * self.height).reshape(self.height, self.width)

    def full(self, height: int, width: int) -> Mask:
        """The mask over a whole photo; what reaches beyond it is cut."""
        mask = np.zeros((height, width), np.bool_)
        x0, y0 = max(self.left, 0), max(self.top, 0)
        x1, y1 = min(self.left + self.width, width), min(self.top + self.height, height)
        if x0 < x1 and y0 < y1:
            mask[y0:y1, x0:x1] = self.crop()[y0 - self.top : y1 - self.top, x0 - self.left : x1 - self.left]
        return mask


def bitmap_of(mask: Mask, *, left: int = 0, top: int = 0) -> Bitmap:
    """Make a bitmap of a mask (H, W) whose first pixel lies at `left`, `top` of the photo.

    Raises:
        ValueError: The mask is empty.
    """
    ys, xs = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(ys):
        raise ValueError("a mask must have at least one pixel inside")
    y0, y1, x0, x1 = int(ys[0]), int(ys[-1]) + 1, int(xs[0]), int(xs[-1]) + 1
    runs = tuple(int(n) for n in to_runs(mask[y0:y1, x0:x1].ravel()))
    return Bitmap(left + x0, top + y0, x1 - x0, y1 - y0, runs)


def to_runs(flat: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Run lengths of a flat mask, beginning with those outside (0 if it begins inside)."""
    padded = np.concatenate([[False], flat, [not flat[-1]]]) if len(flat) else np.zeros(1, np.bool_)
    ends = np.flatnonzero(padded[1:] != padded[:-1])
    return np.diff(np.concatenate([[0], ends])).astype(np.int64)


def from_runs(runs: NDArray[np.int64], length: int) -> NDArray[np.bool_]:
    """The flat mask of run lengths.

    Raises:
        ValueError: The runs are negative or do not fill the length exactly.
    """
    if (len(runs) and runs.min() < 0) or int(runs.sum()) != length:
        raise ValueError(f"run lengths must fill {length} pixels, these fill {int(runs.sum())}")
    inside = np.zeros(len(runs), np.bool_)
    inside[1::2] = True
    return np.repeat(inside, runs)


def inside_polygon(points_xy: Sequence[Xy], height: int, width: int) -> Mask:
    """The (height, width) pixels whose centre is inside an outline, by the even-odd rule.

    Exact where OpenCV's fill takes in every pixel that the outline touches.
    """
    crossings = np.zeros((height, width + 1), np.int64)
    for (x0, y0), (x1, y1) in zip(points_xy, [*points_xy[1:], points_xy[0]], strict=True):
        low, high = sorted((y0, y1))
        rows = np.arange(max(0, int(np.ceil(low - 0.5))), min(height, int(np.ceil(high - 0.5))))
        if len(rows):
            x = x0 + (rows + 0.5 - y0) * (x1 - x0) / (y1 - y0)
            np.add.at(crossings, (rows, np.clip(np.ceil(x - 0.5), 0, width).astype(np.int64)), 1)
    inside: Mask = crossings[:, :-1].cumsum(1) % 2 == 1
    return inside
