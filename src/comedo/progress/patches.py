"""Patches of skin looked for again in another photo: where each lies now, and how surely."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from comedo.types import Mask

F32 = NDArray[np.float32]

_HALF = 20  # pixels: a patch of 41, 18 mm of skin, holds some lesions, moles or pores
_REACH = 14  # pixels around where it should be, 6 mm
_STEP = 18
_COVER = 0.75  # of a patch that must be skin in both photos


@dataclass(frozen=True, eq=False)
class Patches:
    """Where patches of the baseline (centres `xy`, (N, 2)) were found: `shift` (N, 2) pixels away.

    `quality` (N,) is the correlation at the best place, 0 to 1; `matched` (N,) whether the others agree.
    """

    xy: NDArray[np.float64]
    shift: NDArray[np.float64]
    quality: NDArray[np.float64]
    matched: Mask

    def with_matched(self, matched: Mask) -> Patches:
        """The same patches, judged."""
        return replace(self, matched=matched)


def match_patches(baseline: F32, later: F32, skin: Mask, later_skin: Mask) -> Patches:
    """Look for every patch of the shared skin near its own place.

    Args:
        baseline: (n, n) float32.
        later: The same size, already brought onto the baseline.
        skin: (n, n), of the baseline.
        later_skin: (n, n), of the later photo in baseline pixels.
    """
    shared = (skin & later_skin).astype(np.float32)
    cover = cv2.boxFilter(shared, -1, (2 * _HALF + 1, 2 * _HALF + 1))
    edge = _HALF + _REACH
    rows, columns = (np.arange(edge, n - edge, _STEP) for n in baseline.shape)
    found = [(x, y, *_find(baseline, later, int(x), int(y))) for y in rows for x in columns if cover[y, x] >= _COVER]
    table = np.array(found, np.float64).reshape(-1, 5)
    return Patches(table[:, :2], table[:, 2:4], np.clip(table[:, 4], 0, 1), np.zeros(len(table), bool))


def _find(baseline: F32, later: F32, x: int, y: int) -> tuple[float, float, float]:
    patch = baseline[y - _HALF : y + _HALF + 1, x - _HALF : x + _HALF + 1]
    edge = _HALF + _REACH
    window = later[y - edge : y + edge + 1, x - edge : x + edge + 1]
    score = np.asarray(cv2.matchTemplate(window, patch, cv2.TM_CCOEFF_NORMED), np.float32)
    _, best, _, (column, row) = cv2.minMaxLoc(score)
    dx = _peak(score[row], column)
    dy = _peak(score[:, column], row)
    return dx - _REACH, dy - _REACH, float(best)


def _peak(values: F32, at: int) -> float:
    """Place of a maximum between samples, by the parabola through it and its neighbours."""
    if not 0 < at < len(values) - 1:
        return float(at)
    before, here, after = (float(v) for v in values[at - 1 : at + 2])
    bend = before - 2 * here + after
    return at + (0.5 * (before - after) / bend if bend < 0 else 0.0)
