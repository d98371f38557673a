"""One figure with everything a reader needs to judge it: definition, interval, baseline."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from comedo.training.bootstrap import Interval, interval

Row = TypeVar("Row")


@dataclass(frozen=True)
class Figure:
    """A measured figure; `None` where it is undefined or nobody said anything."""

    name: str
    value: float | None
    interval_90: Interval | None
    baseline: float | None
    definition: str


@dataclass(frozen=True)
class Section:
    """The figures of one set of photos."""

    name: str
    photos: int
    people: int
    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class Measure(Generic[Row]):
    """How a figure follows from rows, one for each photo."""

    name: str
    definition: str
    of: Callable[[Sequence[Row]], float | None]
    resampled: bool = True  # False: searching figures whose interval would cost more than it says


@dataclass(frozen=True)
class Rounds:
    """How intervals are drawn."""

    number: int = 1000
    seed: int = 0


def measure_all(
    measures: Sequence[Measure[Row]],
    rows: Sequence[Row],
    baseline: Sequence[Row] | None,
    *,
    people: Sequence[Hashable],
    rounds: Rounds,
) -> tuple[Figure, ...]:
    """Every measure with its interval over people, and the baseline's figure beside it.

    Args:
        measures: What to measure.
        rows: One row for each photo.
        baseline: The baseline's rows of the same photos, if there is one.
        people: The person of each row.
        rounds: Number of draws and seed.
    """

    def figure(measure: Measure[Row]) -> Figure:
        spread = None
        value = measure.of(rows)
        if value is not None and measure.resampled and rounds.number > 0:
            spread = interval(
                people, lambda chosen: measure.of([rows[i] for i in chosen]), rounds=rounds.number, seed=rounds.seed
            )
        beside = None if baseline is None else measure.of(baseline)
        return Figure(measure.name, value, spread, beside, measure.definition)

    return tuple(figure(m) for m in measures)
