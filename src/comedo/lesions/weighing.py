"""How likely a candidate is a lesion, given how large it is and what lies around it.

The height of a peak alone is not all that the network says: a large lesion of the same height is rather one than a
small one, and so is one among others, on a face whose clearest lesions are clear. Five numbers, fitted by logistic
regression to candidates on training people (`comedo calibrate`), turn this into a probability.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from comedo.calibration import Weighing
from comedo.lesions.peaks import Peaks

_CLEAREST = 10  # candidates of a photo that say how clear its lesions are
_LEAST = 1e-5

FEATURES = ("score", "radius", "around", "photo")  # columns of `describe`, fields of `Weighing`


def describe(peaks: Peaks) -> NDArray[np.float64]:
    """What is weighed of each candidate, (N, 4): log odds, log radius, log of the mean nearby, the photo's best."""
    p = np.clip(peaks.active.astype(np.float64), 1e-4, 1 - 1e-4)
    clearest = np.sort(p)[-_CLEAREST:]
    columns = (
        np.log(p / (1 - p)),
        np.log(np.maximum(peaks.radius, 1.0)),
        np.log(peaks.around + _LEAST),
        np.full(len(p), clearest.mean() if len(p) else 0.0),
    )
    return np.stack(columns, 1).astype(np.float64)


def weigh(peaks: Peaks, weighing: Weighing) -> Peaks:
    """The candidates in their order, with the weighed probability as `active`."""
    if weighing == Weighing():
        return peaks
    logit = describe(peaks) @ [getattr(weighing, name) for name in FEATURES] + weighing.offset
    return replace(peaks, active=(1 / (1 + np.exp(-logit))).astype(np.float32))
