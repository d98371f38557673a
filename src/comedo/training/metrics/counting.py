"""How far counts are off."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def count_error(found: ArrayLike, true: ArrayLike) -> float | None:
    """Mean absolute difference of the counts of one photo; `None` without photos."""
    f, t = np.asarray(found, np.float64), np.asarray(true, np.float64)
    return None if len(t) == 0 else float(np.abs(f - t).mean())


def count_bias(found: ArrayLike, true: ArrayLike) -> float | None:
    """Mean of found minus true: positive when too many are found; `None` without photos."""
    f, t = np.asarray(found, np.float64), np.asarray(true, np.float64)
    return None if len(t) == 0 else float((f - t).mean())


def correlation(found: ArrayLike, true: ArrayLike) -> float | None:
    """Pearson's r; `None` for fewer than two photos or where either count never changes."""
    f, t = np.asarray(found, np.float64), np.asarray(true, np.float64)
    if len(t) < 2 or np.ptp(f) == 0 or np.ptp(t) == 0:
        return None
    f, t = f - f.mean(), t - t.mean()
    return float((f * t).sum() / np.sqrt((f**2).sum() * (t**2).sum()))
