"""Robust trend over many visits: Theil-Sen slope with its interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

_Z_90 = 1.645
_INTERVAL_POINTS = 5  # of fewer, even the steepest and the flattest slope enclose the true one too seldom


@dataclass(frozen=True)
class Trend:
    """`slope` per unit of x with a 90 % interval, None from fewer than five points."""

    slope: float
    interval_90: tuple[float, float] | None


def theil_sen(x: Sequence[float], y: Sequence[float]) -> Trend | None:
    """Median of the slopes between all pairs; None with fewer than three different x.

    Interval from ranks of the slopes that lie as far from either end: Sen 1968, JASA 63:1379-1389, with the normal
    approximation of Kendall's S.
    """
    pairs = [(i, j) for i, j in combinations(range(len(x)), 2) if x[i] != x[j]]
    if len(set(x)) < 3:
        return None
    slopes = sorted((y[j] - y[i]) / (x[j] - x[i]) for i, j in pairs)
    n = len(x)
    spread = math.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    return Trend(median(slopes), _interval(slopes, spread) if n >= _INTERVAL_POINTS else None)


def _interval(slopes: Sequence[float], spread: float) -> tuple[float, float]:
    """From the slope of rank (N - z * spread) / 2, counted from one, to that of the same rank from above."""
    low = max(0, math.floor((len(slopes) - _Z_90 * spread) / 2 - 1))
    return slopes[low], slopes[-1 - low]
