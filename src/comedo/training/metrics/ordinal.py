"""Grades against grades: a mistake of two steps is worse than one of one step."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def _table(found: ArrayLike, true: ArrayLike) -> NDArray[np.float64]:
    f, t = np.asarray(found, np.int64), np.asarray(true, np.int64)
    if f.shape != t.shape:
        raise ValueError(f"grades must come in pairs, got {f.shape} found and {t.shape} true ones")
    low, high = min(f.min(), t.min()), max(f.max(), t.max())
    size = int(high - low + 1)
    return np.bincount((t - low) * size + f - low, minlength=size**2).reshape(size, size).astype(np.float64)


def weighted_kappa(found: ArrayLike, true: ArrayLike) -> float | None:
    """Quadratic weighted kappa (Cohen 1968); `None` without photos or with one grade only."""
    if np.size(true) == 0:
        return None
    table = _table(found, true)
    steps = np.arange(len(table))
    penalty = (steps[:, None] - steps[None]) ** 2.0
    expected = np.outer(table.sum(1), table.sum(0)) / table.sum()
    chance = float((penalty * expected).sum())
    return None if chance == 0 else 1 - float((penalty * table).sum()) / chance


def grade_error(found: ArrayLike, true: ArrayLike) -> float | None:
    """Mean absolute difference in grades; `None` without photos."""
    f, t = np.asarray(found, np.float64), np.asarray(true, np.float64)
    return None if t.size == 0 else float(np.abs(f - t).mean())


def balanced_accuracy(found: ArrayLike, true: ArrayLike) -> float | None:
    """Mean recall of the grades that occur; `None` without photos."""
    f, t = np.asarray(found), np.asarray(true)
    if t.size == 0:
        return None
    return float(np.mean([(f[t == grade] == grade).mean() for grade in np.unique(t)]))
