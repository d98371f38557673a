"""Whether numbers mean what they say: what was said and what was true, summed over ranges of what was said.

The sums are enough for the curve and its error, so that rows keep them instead of pixels and boxes.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

RANGES = 10
_ROUNDS = 400  # draws of people behind an interval that is drawn, not written


@dataclass(frozen=True)
class Bin:
    """What fell into one range: what was said in the mean, what was true in the mean, how many."""

    said: float
    true: float
    number: int


@dataclass(frozen=True, eq=False)
class Reliability:
    """Ranges of equal width from the first of `ends` to the second.

    `sums` (K, 3) float64 has a row for each range: how many, the sum of what was said, the sum of what was true.
    """

    sums: NDArray[np.float64]
    ends: tuple[float, float] = (0.0, 1.0)

    @property
    def bins(self) -> list[Bin]:
        """Ranges by what was said; empty ones are left out."""
        return [Bin(float(said / n), float(true / n), int(n)) for n, said, true in self.sums if n > 0]

    @property
    def number(self) -> int:
        """How many in all."""
        return int(self.sums[:, 0].sum())

    @property
    def error(self) -> float | None:
        """Mean distance of what is said from what is true over the ranges, by how many (Naeini et al. 2015).

        `None` without any. Never below what chance leaves of few: even right probabilities miss the shares of small
        ranges.
        """
        return None if self.number == 0 else float(np.abs(self.sums[:, 1] - self.sums[:, 2]).sum() / self.number)

    @property
    def beyond_first(self) -> Reliability:
        """All but what fell into the first range."""
        low, high = self.ends
        return Reliability(self.sums[1:], (low + (high - low) / len(self.sums), high))


def reliability(
    said: ArrayLike, true: ArrayLike, *, ranges: int = RANGES, ends: tuple[float, float] = (0.0, 1.0)
) -> Reliability:
    """Sum up by ranges; what lies beyond the ends belongs to the first and the last range.

    Args:
        said: Any shape: probabilities, scores, counts.
        true: The same shape: whether it was so, or the true number.
        ranges: Number of ranges.
        ends: Of the first and the last range.
    """
    s, t = np.asarray(said), np.asarray(true)
    if s.shape != t.shape:
        raise ValueError(f"what was said and what is true must come in pairs, got shapes {s.shape} and {t.shape}")
    s, t = s.ravel(), t.ravel()
    low, high = ends
    place = np.clip(((s - low) * (ranges / (high - low))).astype(np.intp), 0, ranges - 1)
    columns = [np.bincount(place, weights, ranges) for weights in (None, s, t)]
    return Reliability(np.stack(columns, 1).astype(np.float64), ends)


def pool_ranges(parts: Sequence[Reliability]) -> Reliability:
    """Several as one, all of the same ranges; nothing at all without any."""
    if not parts:
        return Reliability(np.zeros((RANGES, 3)))
    assert len({part.ends for part in parts}) == 1
    return Reliability(np.sum([part.sums for part in parts], axis=0), parts[0].ends)


def calibration_error(said: ArrayLike, true: ArrayLike) -> float | None:
    """The error over ten ranges of probability; `None` without any."""
    return reliability(said, true).error


def spread(
    parts: Sequence[Reliability], people: Sequence[Hashable], *, level: float = 0.9, seed: int = 0
) -> NDArray[np.float64]:
    """Interval of what is true in each range, by people drawn again with replacement.

    Args:
        parts: At least one, all of the same ranges.
        people: The person of each part.
        level: Share of the draws inside.
        seed: The same seed gives the same interval.

    Returns:
        (K, 2) low and high end; NaN where fewer than two people have anything in the range.
    """
    number = {person: place for place, person in enumerate(dict.fromkeys(people))}
    sums = np.zeros((len(number), *parts[0].sums.shape))
    np.add.at(sums, [number[person] for person in people], np.stack([part.sums for part in parts]))
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(number), np.full(len(number), 1 / len(number)), size=_ROUNDS)
    many, true = np.tensordot(drawn, sums[..., 0], 1), np.tensordot(drawn, sums[..., 2], 1)
    found = np.full((sums.shape[1], 2), np.nan)
    for place in np.flatnonzero((sums[..., 0] > 0).sum(0) > 1):
        some = many[:, place] > 0
        found[place] = np.quantile(true[some, place] / many[some, place], [(1 - level) / 2, (1 + level) / 2])
    return found
