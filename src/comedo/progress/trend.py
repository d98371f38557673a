"""Robust trend over many visits: Theil-Sen slope with its interval, and Kendall's test of one direction."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

_Z_90 = 1.645


@dataclass(frozen=True)
class Trend:
    """`slope` per unit of x with a 90 % interval; `p_fall` and `p_rise` are one-sided (Kendall)."""

    slope: float
    interval_90: tuple[float, float]
    p_fall: float
    p_rise: float


def theil_sen(x: Sequence[float], y: Sequence[float]) -> Trend | None:
    """Median of the slopes between all pairs; None with fewer than three different x.

    Interval from the ranks of the slopes: Sen 1968, JASA 63:1379-1389. Normal approximation of Kendall's S with
    continuity correction.
    """
    pairs = [(i, j) for i, j in combinations(range(len(x)), 2) if x[i] != x[j]]
    if len(set(x)) < 3:
        return None
    slopes = sorted((y[j] - y[i]) / (x[j] - x[i]) for i, j in pairs)
    n = len(x)
    spread = math.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    reach = _Z_90 * spread
    low = max(0, math.floor((len(slopes) - reach) / 2))
    high = min(len(slopes) - 1, math.ceil((len(slopes) + reach) / 2))
    score = sum((s > 0) - (s < 0) for s in slopes)
    return Trend(median(slopes), (slopes[low], slopes[high]), _tail(-score, spread), _tail(score, spread))


def _tail(score: float, spread: float) -> float:
    """Chance of at least this score in one direction where there is no trend."""
    return 0.5 * math.erfc((score - 1) / spread / math.sqrt(2))
