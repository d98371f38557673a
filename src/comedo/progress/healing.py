"""How fast lesions go: the half-life of an active lesion, from what is seen of it at single visits only."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

from comedo.progress.series import MINUTES_APART
from comedo.progress.values import State, Track

LEAST_LESIONS = 5  # of fewer, one that goes or stays would make the number
_DROP_90 = 2.706 / 2  # of the log likelihood: 90 % of chi-squared with one degree of freedom
_SAME_SKIN_DAYS = MINUTES_APART / timedelta(days=1)  # what differs between photos of one session did not heal
_RATES = (1e-7, 1e4)  # a day, wide of every rate that photos can tell
_HALVINGS = 80


@dataclass(frozen=True)
class HalfLife:
    """Days after which half of the lesions have gone, and its 90 % interval.

    `days` is None where there is a bound only: all that were there went before the next visit (no lower bound), or none
    went (no upper bound).
    """

    days: float | None
    interval_90: tuple[float | None, float | None]


@dataclass(frozen=True)
class _Seen:
    """Days between two visits: those at whose end a lesion had gone, one by one, and all others together."""

    gone: tuple[float, ...]
    stayed: float

    def log_likelihood(self, rate: float) -> float:
        """Of a course in which each day takes the same share: gone before the end of a gap, or not."""
        return sum(math.log(-math.expm1(-rate * gap)) for gap in self.gone) - rate * self.stayed

    def rises(self, rate: float) -> bool:
        """Whether a higher rate is likelier."""
        return sum(gap / math.expm1(min(rate * gap, 700.0)) for gap in self.gone) > self.stayed


def half_life(ledger: Iterable[Track], days: Sequence[float | None]) -> HalfLife | None:
    """Half-life of an active lesion, if each day takes the same share of those that are left.

    Visits show only that a lesion went between two of them, or was still there at the last: interval-censored maximum
    likelihood, with the likelihood-ratio interval (Sun J. The Statistical Analysis of Interval-censored Failure Time
    Data, 2006, chapter 2).

    Args:
        ledger: The lesions.
        days: Of each visit since the first; None where it is not known.

    Returns:
        None with fewer than five lesions, or where the days are not known.
    """
    gaps = [found for track in ledger if (found := _gaps(track, days))]
    if len(gaps) < LEAST_LESIONS:
        return None
    seen = _Seen(
        gone=tuple(gap for found in gaps for gap, ended in found if ended),
        stayed=sum(gap for found in gaps for gap, ended in found if not ended),
    )
    if not seen.gone:
        return HalfLife(None, (math.log(2) * seen.stayed / _DROP_90, None))
    if seen.stayed == 0:  # the faster the likelier: the likelihood comes near to one
        return HalfLife(None, (None, _days(_last(_RATES, lambda rate: seen.log_likelihood(rate) < -_DROP_90))))
    best = _last(_RATES, seen.rises)
    least = seen.log_likelihood(best) - _DROP_90
    slow = _last((_RATES[0], best), lambda rate: seen.log_likelihood(rate) < least)
    fast = _last((best, _RATES[1]), lambda rate: seen.log_likelihood(rate) >= least)
    return HalfLife(_days(best), (_days(fast), _days(slow)))


def _gaps(track: Track, days: Sequence[float | None]) -> list[tuple[float, bool]]:
    """Days from each visit at which the lesion is there to the next that shows its place, and whether it ended."""
    known = [s for s in track.sightings if s.state is not State.NOT_VISIBLE]
    found = []
    for before, after in pairwise(known):
        start, end = days[before.visit], days[after.visit]
        if before.alive and start is not None and end is not None and end - start > _SAME_SKIN_DAYS:
            found.append((end - start, not after.alive))
    return found


def _days(rate: float) -> float:
    return math.log(2) / rate


def _last(span: tuple[float, float], holds: Callable[[float], bool]) -> float:
    """Where a condition that holds from the beginning of a span ends to hold, by halving on a log scale."""
    low, high = (math.log(end) for end in span)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(math.exp(middle)) else (low, middle)
    return math.exp(low)
