"""How good probabilities are: ranking, and precision at every threshold. Whether they mean what they say: reliability.

Undefined figures are `None`: there must be both classes to rank.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def _checked(probs: ArrayLike, true: ArrayLike) -> tuple[Floats, NDArray[np.bool_]]:
    p, t = np.asarray(probs, np.float64), np.asarray(true, np.bool_)
    if p.shape != t.shape or p.ndim != 1:
        raise ValueError(f"probabilities and truths must come in pairs, got shapes {p.shape} and {t.shape}")
    return p, t


def roc_auc(probs: ArrayLike, true: ArrayLike) -> float | None:
    """Probability that a positive scores above a negative, ties half (Hanley & McNeil 1982)."""
    p, t = _checked(probs, true)
    positives, negatives = p[t], np.sort(p[~t])
    if not len(positives) or not len(negatives):
        return None
    below = np.searchsorted(negatives, positives, "left")
    upto = np.searchsorted(negatives, positives, "right")
    return float((below + upto).mean() / 2 / len(negatives))


@dataclass(frozen=True, eq=False)
class PrecisionRecall:
    """Precision and recall of calling positive what scores at least each threshold, thresholds falling."""

    precision: Floats
    recall: Floats
    thresholds: Floats


def precision_recall(probs: ArrayLike, true: ArrayLike) -> PrecisionRecall | None:
    """The curve, one point for each distinct score; `None` without positives."""
    p, t = _checked(probs, true)
    if not t.any():
        return None
    order = np.argsort(-p, kind="stable")
    scores, right = p[order], np.cumsum(t[order])
    last = np.append(scores[1:] != scores[:-1], True)  # equal scores pass a threshold together
    called = np.arange(1, len(p) + 1)
    return PrecisionRecall((right / called)[last], (right / t.sum())[last], scores[last])


def average_precision(probs: ArrayLike, true: ArrayLike) -> float | None:
    """Mean precision over the steps of recall, without interpolation; `None` without positives."""
    curve = precision_recall(probs, true)
    if curve is None:
        return None
    return float(np.sum(np.diff(curve.recall, prepend=0.0) * curve.precision))


def brier(probs: ArrayLike, true: ArrayLike) -> float | None:
    """Mean squared distance of the probability from the outcome (Brier 1950); `None` without photos."""
    p, t = _checked(probs, true)
    return None if not len(p) else float(((p - t) ** 2).mean())


def ranked_probability(probs: ArrayLike, true: ArrayLike) -> float | None:
    """Ranked probability score (Epstein 1969): squared distance of the cumulative distributions, mean over steps.

    Args:
        probs: (N, K) over grades 0 to K - 1.
        true: (N,) grades.

    Returns:
        0 for certainty in the right grade, 1 for certainty at the other end; `None` without photos.
    """
    p, t = np.asarray(probs, np.float64), np.asarray(true, np.int64)
    if not len(t):
        return None
    steps = np.arange(p.shape[1] - 1)
    outcome = t[:, None] <= steps
    return float(((p.cumsum(1)[:, :-1] - outcome) ** 2).mean())
