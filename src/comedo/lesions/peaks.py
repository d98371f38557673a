"""From heat maps to single lesions: peaks, one per lesion, with what each is likely to be."""

from __future__ import annotations

from dataclasses import dataclass, fields

import cv2
import numpy as np
from numpy.typing import NDArray

from comedo.lesions.network import ACTIVE, INFLAMED, MARK, RADIUS, SPARSE, STRIDE

_NEARBY = 16.0  # cells: standard deviation of the surroundings of a candidate
_COARSER = 4


@dataclass(frozen=True, eq=False)
class Peaks:
    """Candidates, best first; all arrays have N rows; places in canvas pixels."""

    xy: NDArray[np.float32]  # (N, 2)
    radius: NDArray[np.float32]
    active: NDArray[np.float32]  # probability of an active centre here
    mark: NDArray[np.float32]
    sparse: NDArray[np.float32]
    inflamed: NDArray[np.float32]  # given that it is active
    around: NDArray[np.float32]  # mean probability of active centres nearby, within about 60 pixels

    def __len__(self) -> int:
        return len(self.xy)

    def take(self, keep: NDArray[np.bool_] | NDArray[np.intp]) -> Peaks:
        """The chosen rows."""
        return Peaks(*(getattr(self, f.name)[keep] for f in fields(self)))


def find_peaks(maps: NDArray[np.float32], allowed: NDArray[np.bool_], *, floor: float = 0.05) -> Peaks:
    """Local maxima of the active and mark heat.

    Args:
        maps: (6, h, w) float32 of the network.
        allowed: (h, w) bool, where lesions may lie.
        floor: Lowest centre probability kept.

    Returns:
        Peaks best first; of two nearer than the larger radius only the better is kept.
    """
    heat = np.maximum(maps[ACTIVE], maps[MARK])
    tops = np.asarray(cv2.dilate(heat, np.ones((3, 3), np.uint8)))
    ys, xs = np.nonzero((heat >= tops) & (heat > floor) & allowed)
    order = np.argsort(-heat[ys, xs], kind="stable")
    ys, xs = ys[order], xs[order]
    active, mark, sparse = (_around(maps[c], ys, xs) for c in (ACTIVE, MARK, SPARSE))
    offset = _subcell(heat, ys, xs)
    xy = np.stack([xs + offset[:, 0], ys + offset[:, 1]], 1) * STRIDE + (STRIDE - 1) / 2
    around = _surroundings(maps[ACTIVE], ys, xs)
    peaks = Peaks(xy.astype(np.float32), maps[RADIUS, ys, xs], active, mark, sparse, maps[INFLAMED, ys, xs], around)
    return peaks.take(_apart(peaks))


def _around(channel: NDArray[np.float32], ys: NDArray[np.intp], xs: NDArray[np.intp]) -> NDArray[np.float32]:
    """Highest value within one cell of each peak: the channels' peaks need not coincide."""
    spread = np.asarray(cv2.dilate(channel, np.ones((3, 3), np.uint8)))
    return np.asarray(spread[ys, xs], np.float32)


def _surroundings(heat: NDArray[np.float32], ys: NDArray[np.intp], xs: NDArray[np.intp]) -> NDArray[np.float32]:
    """Gaussian mean of the heat at each peak, drawn at a quarter of the resolution, which is fast and no less exact."""
    h, w = heat.shape
    size = (max(1, -(-w // _COARSER)), max(1, -(-h // _COARSER)))
    small = cv2.GaussianBlur(cv2.resize(heat, size, interpolation=cv2.INTER_AREA), (0, 0), _NEARBY / _COARSER)
    rows = np.minimum(ys // _COARSER, size[1] - 1)
    return np.asarray(small[rows, np.minimum(xs // _COARSER, size[0] - 1)], np.float32)


def _subcell(heat: NDArray[np.float32], ys: NDArray[np.intp], xs: NDArray[np.intp]) -> NDArray[np.float32]:
    """Parabola through each peak and its neighbours along both axes, (N, 2) in [-0.5, 0.5]."""
    padded = np.pad(heat, 1, mode="edge")
    ys, xs = ys + 1, xs + 1
    here = padded[ys, xs]

    def vertex(low: NDArray[np.float32], high: NDArray[np.float32]) -> NDArray[np.float32]:
        bend = low + high - 2 * here
        return np.where(bend < -1e-6, 0.5 * (low - high) / np.minimum(bend, -1e-6), 0.0).clip(-0.5, 0.5)

    return np.stack([vertex(padded[ys, xs - 1], padded[ys, xs + 1]), vertex(padded[ys - 1, xs], padded[ys + 1, xs])], 1)


def _apart(peaks: Peaks, *, closer: float = 0.75) -> NDArray[np.intp]:
    """Greedy: drop a peak whose centre lies within `closer` radii of a better one."""
    if len(peaks) == 0:
        return np.zeros(0, np.intp)
    alive = np.ones(len(peaks), bool)
    for i in range(len(peaks) - 1):  # row by row: a table of all pairs would grow with the square
        if alive[i]:
            gap = np.hypot(*(peaks.xy[i + 1 :] - peaks.xy[i]).T)
            alive[i + 1 :] &= gap >= closer * np.maximum(peaks.radius[i + 1 :], peaks.radius[i])
    return np.nonzero(alive)[0]
