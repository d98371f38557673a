"""Whether the sessions between the first and the last agree with what those two say."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

from comedo.progress.noise import Z_95
from comedo.progress.series import Series
from comedo.progress.values import Answer, TimePoint
from comedo.progress.verdict import judge

_STRAYS = 0.5  # of the difference: a flare on the way to a much larger change is none of it
_BY_CHANCE = 0.10  # how often noise alone may take the answer away, so that few shuffled courses keep one
_DIRECTION = {Answer.BETTER: -1, Answer.WORSE: 1}


def contradicts(series: Series, timeline: Sequence[TimePoint], answer: Answer) -> bool:
    """Whether the course takes the answer away that its first and last session give.

    Of three sessions, the one between must not lie far outside. More must go one way, up to noise; standing still is
    no contradiction, so that a plateau confirms where a test of trend would not, and a zigzag does not.
    """
    if answer not in _DIRECTION or len(timeline) < 3:
        return False
    return _strays(*timeline) if len(timeline) == 3 else _turns_back(series, timeline, _DIRECTION[answer])


def _strays(first: TimePoint, middle: TimePoint, last: TimePoint) -> bool:
    """Whether the session between lies outside of both others by more than noise and half of what they differ by."""
    low, high = sorted((first.count, last.count))
    beyond = max(low - middle.count, middle.count - high)
    return beyond > max(Z_95 * middle.noise_sd, _STRAYS * (high - low))


def _turns_back(series: Series, timeline: Sequence[TimePoint], direction: int) -> bool:
    """Whether the counts are farther from every course of one direction than noise takes them."""
    counts = [direction * p.count for p in timeline]
    weights = [_weight(series, p) for p in timeline]
    nearest = _never_falling(counts, weights)
    misfit = sum(w * (count - near) ** 2 for count, near, w in zip(counts, nearest, weights, strict=True))
    return misfit > _most_misfit(len(counts))


def _weight(series: Series, point: TimePoint) -> float:
    """One over the variance of a photo's count: half of that of the difference from a first photo with as many."""
    alike = judge("count", point.count, point.count, series.conditions(0, point.visit), series.noise)
    return 2 / alike.noise_sd**2


def _never_falling(values: Sequence[float], weights: Sequence[float]) -> list[float]:
    """The nearest values that never fall, by weighted least squares: isotonic regression by pooling neighbours."""
    pools: list[tuple[float, float, int]] = []  # mean, weight, how many
    for value, weight in zip(values, weights, strict=True):
        mean, total, number = value, weight, 1
        while pools and pools[-1][0] > mean:
            before, more, others = pools.pop()
            mean = (before * more + mean * total) / (more + total)
            total, number = total + more, number + others
        pools.append((mean, total, number))
    return [mean for mean, _, number in pools for _ in range(number)]


def _most_misfit(number: int) -> float:
    """The misfit that noise exceeds in 10 of 100 courses that stand still, the hardest case.

    It is a mixture of chi squares whose mean is n - (1 + 1/2 + ... + 1/n) (Robertson, Wright & Dykstra 1988, Order
    Restricted Statistical Inference, chapter 2); taken as the chi square of that mean, by Wilson and Hilferty's cube.
    """
    mean = number - sum(1 / i for i in range(1, number + 1))
    spread = 2 / (9 * mean)
    return mean * (1 - spread + NormalDist().inv_cdf(1 - _BY_CHANCE) * math.sqrt(spread)) ** 3
