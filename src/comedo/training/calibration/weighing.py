"""Fit how candidates are weighed (`comedo.lesions.weighing`) to what training people's photos hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from comedo.calibration import Weighing
from comedo.lesions.weighing import FEATURES, describe, weigh
from comedo.training.calibration.readings import Reading
from comedo.training.calibration.sufficiency import CLINIC
from comedo.training.lesion_map.made import PASTED
from comedo.training.metrics.matching import match_centres

_WHOLE = (*CLINIC, PASTED)  # every lesion of the face was to be marked; faces with many, and faces with few
_CALM = 0.1  # inverse strength of the pull towards zero, on standardised columns


def fit_weighing(train: Sequence[Reading]) -> Weighing:
    """Logistic regression of candidate to marked lesion.

    Args:
        train: Readings of training people. Without the faces on which few lesions were pasted the weights would only
            know the clinic's, and take a lesion alone on clear skin for none.

    Returns:
        Coefficients on the scales of `describe`; the defaults where there is nothing to tell candidates apart by.
    """
    from sklearn.linear_model import LogisticRegression

    known = [r for r in train if r.truth.source in _WHOLE and r.truth.active is not None]
    columns = np.concatenate([np.zeros((0, len(FEATURES))), *(describe(r.peaks) for r in known)])
    hit = np.concatenate([np.zeros(0, bool), *(_hits(r) for r in known)])
    if len(np.unique(hit)) < 2:
        return Weighing()
    mean, spread = columns.mean(0), np.maximum(columns.std(0), 1e-6)
    learnt = LogisticRegression(C=_CALM, max_iter=1000).fit((columns - mean) / spread, hit)
    slopes = learnt.coef_[0] / spread
    if slopes[FEATURES.index("score")] <= 0:
        return Weighing()
    values = {name: round(float(slope), 4) for name, slope in zip(FEATURES, slopes, strict=True)}
    return Weighing(offset=round(float(learnt.intercept_[0] - slopes @ mean), 4), **values)


def weighed(readings: Sequence[Reading], weighing: Weighing) -> list[Reading]:
    """The readings as the finder would see them."""
    return [replace(r, peaks=weigh(r.peaks, weighing)) for r in readings]


def _hits(reading: Reading) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    true = reading.truth.active
    assert true is not None
    return np.asarray(match_centres(reading.circles, reading.peaks.active, true, reading.width) >= 0, bool)
