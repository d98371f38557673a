"""The three numbers that most scales read, and what every scale needs around them.

The numbers are cumulative (active >= inflamed >= nodules), so that a lesion that gets worse
moves up without leaving a lower number: a rule "at least n" can then never fall when acne grows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from comedo.types import Counts, Group, Kind, Region

CHEST_AND_BACK = "chest and back: not in a face photo"
NODULES_BY_TOUCH = "nodules that are felt rather than seen: depth does not show in a photo"
NO_SCALE = "nodules: this photo has no millimetre scale, so size cannot tell them from papules"
FAINT_COMEDONES = "closed comedones that show only under side light or on stretched skin"


@dataclass(frozen=True)
class Tally:
    """Lesions counted cumulatively: each nodule is also inflamed, each inflamed lesion active."""

    active: int
    inflamed: int  # papules, pustules and nodules
    nodules: int | None  # None: no millimetre scale, not assessed


@dataclass(frozen=True)
class Floor:
    """The least numbers that reach a grade; any one of them is enough. None: has no say."""

    active: int | None
    inflamed: int | None
    nodules: int | None

    def reasons(self, tally: Tally) -> tuple[str, ...]:
        """What reached the floor, in words ("22 active lesions, 20 or more"); empty: nothing did."""
        lines = (
            (tally.nodules, self.nodules, "nodule"),
            (tally.inflamed, self.inflamed, "inflamed lesion"),
            (tally.active, self.active, "active lesion"),
        )
        return tuple(
            f"{number(n, what)} ({floor} or more)"
            for n, floor, what in lines
            if n is not None and floor is not None and n >= floor
        )


def tally(counts: Counts, *, has_scale: bool) -> Tally:
    """The numbers as counted; nodules only where millimetres are known (their limit is a size)."""
    return Tally(
        active=counts.total,
        inflamed=counts.by_group.get(Group.INFLAMMATORY, 0),
        nodules=counts.by_kind.get(Kind.NODULE, 0) if has_scale else None,
    )


def tally_interval(counts: Counts, *, has_scale: bool) -> tuple[Tally, Tally]:
    """The numbers at both ends of the 90 % interval of the total.

    The shares of inflamed lesions and nodules are kept. Without any lesion counted there is no
    share: the lesions that may have been missed are then taken as inflamed at the upper end.
    """
    here = tally(counts, has_scale=has_scale)
    low, high = counts.interval_90
    inflamed = scaled(here.inflamed, counts) if counts.total else (0, high)
    nodules = (None, None) if here.nodules is None else scaled(here.nodules, counts)
    return (
        Tally(min(low, here.active), inflamed[0], nodules[0]),
        Tally(max(high, here.active), inflamed[1], nodules[1]),
    )


def scaled(part: int, counts: Counts) -> tuple[int, int]:
    """The interval of a part of the lesions: the total's, by the same factors, rounded outwards."""
    if counts.total == 0:
        return (part, part)
    low, high = (part * end / counts.total for end in counts.interval_90)
    return (min(part, math.floor(low)), max(part, math.ceil(high)))


def visible_regions(counts: Counts) -> frozenset[Region]:
    """The regions that were seen: a count of None says that a region was not."""
    return frozenset(r for r in Region if counts.by_region.get(r) is not None)


def hidden_lines(counts: Counts) -> tuple[str, ...]:
    """One line for `Grade.missing` for each region that the photo does not show."""
    seen = visible_regions(counts)
    return tuple(f"{r.value.replace('_', ' ')}: not visible in this photo" for r in Region if r not in seen)


def number(n: int, what: str) -> str:
    """A number with its noun: "no nodules", "1 nodule", "12 nodules"."""
    return f"{'no' if n == 0 else n} {what}{'' if n == 1 else 's'}"
