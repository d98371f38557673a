"""Right, false and missed things, and the ratios that follow from them."""

from __future__ import annotations

from dataclasses import dataclass


def ratio(part: float, whole: float) -> float | None:
    """`part / whole`; `None` when the whole is nothing."""
    return None if whole == 0 else part / whole


@dataclass(frozen=True)
class Tally:
    """How many were found rightly, found falsely, and missed."""

    hits: int = 0
    false: int = 0
    missed: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.hits + other.hits, self.false + other.false, self.missed + other.missed)

    @property
    def precision(self) -> float | None:
        """Share of the found that are right; `None` when nothing was found."""
        return ratio(self.hits, self.hits + self.false)

    @property
    def recall(self) -> float | None:
        """Share of the true that were found; `None` when there is nothing to find."""
        return ratio(self.hits, self.hits + self.missed)

    @property
    def f1(self) -> float | None:
        """Harmonic mean of both, which is Dice; `None` when nothing is true and nothing was found."""
        return ratio(2 * self.hits, 2 * self.hits + self.false + self.missed)

    @property
    def iou(self) -> float | None:
        """Hits over everything true or found; `None` when there is nothing of either."""
        return ratio(self.hits, self.hits + self.false + self.missed)
