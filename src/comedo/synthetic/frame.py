"""What all bands of one photo share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from comedo.synthetic.head import Head
from comedo.synthetic.noise import F32
from comedo.synthetic.shade import Lamps
from comedo.synthetic.spec import FaceSpec


@dataclass(frozen=True, eq=False)
class Frame:
    """Everything of one photo that is the same in all its bands."""

    spec: FaceSpec
    head: Head
    rot: NDArray[np.float64]
    px_mm: float
    left_mm: float  # view x of the first column's middle
    top_mm: float  # view y of the first row's middle
    coarse: tuple[F32, F32]
    shadow: F32
    lit: Lamps
    room: F32

    def to_pixel(self, point: NDArray[np.float64]) -> tuple[float, float]:
        """Pixel (x, y) of a point of the head frame."""
        view = self.rot @ point
        return float((view[0] - self.left_mm) / self.px_mm), float((self.top_mm - view[1]) / self.px_mm)

    def view_grid(self, rows: slice, columns: slice) -> tuple[F32, F32]:
        """View coordinates of pixels, mm."""
        x = self.left_mm + np.arange(columns.start, columns.stop) * self.px_mm
        y = self.top_mm - np.arange(rows.start, rows.stop) * self.px_mm
        gx, gy = np.meshgrid(x, y)
        return gx.astype(np.float32), gy.astype(np.float32)


@dataclass(frozen=True, eq=False)
class Layers:
    """What the bands fill in place.

    `linear` light and the `change` that lesions make in it, (h, w, 3); `parts` and `owner` (h, w; lesion number + 1).
    """

    linear: F32
    change: F32
    parts: NDArray[np.uint8]
    owner: NDArray[np.uint16]

    def rows(self, rows: slice) -> Layers:
        """The views of some rows."""
        return Layers(self.linear[rows], self.change[rows], self.parts[rows], self.owner[rows])
