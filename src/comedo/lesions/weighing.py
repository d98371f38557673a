"""How likely a candidate is a lesion, given how large it is and what lies around it.

The height of a peak alone is not all that the network says: a large lesion of the same height is rather one than a
small one, and so is one among others, on a face whose clearest lesions are clear. A few numbers, fitted by logistic
regression to candidates on training people (`comedo calibrate`), turn this into a probability.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from comedo.calibration import Weighing
from comedo.lesions.peaks import Peaks

_CLEAREST = 10  # candidates of a photo that say how clear its lesions are
_LEAST = 1e-5

FEATURES = ("score", "radius", "around", "photo", "mark", "sparse", "inflamed")  # of `describe` and of `Weighing`


def describe(peaks: Peaks) -> NDArray[np.float64]:
    """What is weighed of each candidate, (N, 7).

    Log odds of an active centre; log radius; log of the mean heat nearby; the mean probability of the photo's clearest
    candidates; log odds of a mark, of a conspicuous lesion, and of inflamed if it is active.
    """
    clearest = np.sort(peaks.active.astype(np.float64))[-_CLEAREST:]
    columns = (
        log_odds(peaks.active),
        np.log(np.maximum(peaks.radius, 1.0)),
        np.log(peaks.around + _LEAST),
        np.full(len(peaks), clearest.mean() if len(peaks) else 0.0),
        log_odds(peaks.mark),
        log_odds(peaks.sparse),
        log_odds(peaks.inflamed),
    )
    return np.stack(columns, 1).astype(np.float64)


def log_odds(probability: ArrayLike, *, least: float = 1e-4) -> NDArray[np.float64]:
    """log(p / (1 - p)) of any shape, with p held off 0 and 1 by `least`."""
    p = np.clip(np.asarray(probability, np.float64), least, 1 - least)
    return np.asarray(np.log(p / (1 - p)), np.float64)


def weigh(peaks: Peaks, weighing: Weighing) -> Peaks:
    """The candidates in their order, with the weighed probability as `active`."""
    if weighing == Weighing():
        return peaks
    logit = describe(peaks) @ [getattr(weighing, name) for name in FEATURES] + weighing.offset
    return replace(peaks, active=(1 / (1 + np.exp(-logit))).astype(np.float32))
