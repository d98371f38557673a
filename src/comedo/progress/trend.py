"""Robust trend over many visits: Theil-Sen slope with its interval, and Kendall's test of one direction."""

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
    """`slope` per unit of x with a 90 % interval, None from fewer than five points.

    `p_fall` and `p_rise` are one-sided (Kendall).
    """

    slope: float
    interval_90: tuple[float, float] | None
    p_fall: float
    p_rise: float


def theil_sen(x: Sequence[float], y: Sequence[float]) -> Trend | None:
    """Median of the slopes between all pairs; None with fewer than three different x.

    Interval from ranks of the slopes that lie as far from either end: Sen 1968, JASA 63:1379-1389. Normal approximation
    of Kendall's S with continuity correction.
    """
    pairs = [(i, j) for i, j in combinations(range(len(x)), 2) if x[i] != x[j]]
    if len(set(x)) < 3:
        return None
    slopes = sorted((y[j] - y[i]) / (x[j] - x[i]) for i, j in pairs)
    n = len(x)
    spread = math.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    score = sum((s > 0) - (s < 0) for s in slopes)
    interval = _interval(slopes, spread) if n >= _INTERVAL_POINTS else None
    return Trend(median(slopes), interval, _tail(-score, spread), _tail(score, spread))


def _interval(slopes: Sequence[float], spread: float) -> tuple[float, float]:
    """From the slope of rank (N - z * spread) / 2, counted from one, to that of the same rank from above."""
    low = max(0, math.floor((len(slopes) - _Z_90 * spread) / 2 - 1))
    return slopes[low], slopes[-1 - low]


def _tail(score: float, spread: float) -> float:
    """Chance of at least this score in one direction where there is no trend."""
    return 0.5 * math.erfc((score - 1) / spread / math.sqrt(2))
