"""How likely a candidate is a lesion, given how large it is and what lies around it.

The height of a peak alone is not all that the network says: a large lesion of the same height is rather one than a
small one, and so is one among others, on a face whose clearest lesions are clear. A few numbers, fitted by logistic
regression to candidates on training people (`comedo calibrate`), turn this into a probability.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from comedo.calibration import Weighing
from comedo.lesions.peaks import Peaks

_CLEAREST = 10  # candidates of a photo that say how clear its lesions are
_LEAST = 1e-5
_REACH_PX = 60.0  # standard deviation of a candidate's neighbourhood, canvas pixels: 13 mm
_GRID_PX = 8.0
_LEAST_NEIGHBOURS = 0.02

FEATURES = ("score", "radius", "around", "neighbours", "photo")  # columns of `describe`, fields of `Weighing`


def describe(peaks: Peaks) -> NDArray[np.float64]:
    """What is weighed of each candidate, (N, 5).

    Log odds; log radius; log of the mean heat nearby; log of the sum of other candidates' probabilities nearby, each
    the less the farther it lies; the mean probability of the photo's clearest candidates.
    """
    p = np.clip(peaks.active.astype(np.float64), 1e-4, 1 - 1e-4)
    clearest = np.sort(p)[-_CLEAREST:]
    columns = (
        np.log(p / (1 - p)),
        np.log(np.maximum(peaks.radius, 1.0)),
        np.log(peaks.around + _LEAST),
        np.log(_neighbours(peaks) + _LEAST_NEIGHBOURS),
        np.full(len(p), clearest.mean() if len(p) else 0.0),
    )
    return np.stack(columns, 1).astype(np.float64)


def _neighbours(peaks: Peaks) -> NDArray[np.float64]:
    """Sum of the other candidates' probabilities, each times a Gaussian of its distance that is 1 at its place, (N,).

    Drawn on a grid, since a table of all pairs would grow with the square.
    """
    if not len(peaks):
        return np.zeros(0)
    columns, rows = np.floor(np.maximum(peaks.xy, 0) / _GRID_PX).astype(np.intp).T
    grid = np.zeros((rows.max() + 1, columns.max() + 1))
    np.add.at(grid, (rows, columns), peaks.active)
    sigma = _REACH_PX / _GRID_PX
    spread = cv2.GaussianBlur(grid, (0, 0), sigma, borderType=cv2.BORDER_CONSTANT) * 2 * np.pi * sigma**2
    return np.maximum(np.asarray(spread)[rows, columns] - peaks.active, 0.0)


def weigh(peaks: Peaks, weighing: Weighing) -> Peaks:
    """The candidates in their order, with the weighed probability as `active`."""
    if weighing == Weighing():
        return peaks
    logit = describe(peaks) @ [getattr(weighing, name) for name in FEATURES] + weighing.offset
    return replace(peaks, active=(1 / (1 + np.exp(-logit))).astype(np.float32))
