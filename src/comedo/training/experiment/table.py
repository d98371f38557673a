"""From trainings to lines: the mean over seeds, and how far chance could have moved it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from comedo.training.experiment.cells import Done, Measured, lacking
from comedo.training.experiment.plan import Arm

_LEVEL = 0.9


@dataclass(frozen=True)
class Outcome:
    """One figure of one line; `interval_90` joins the chance of people and that of seeds."""

    value: float | None
    interval_90: tuple[float, float] | None
    baseline: float | None
    seeds: int
    difference: float | None = None  # to the group's first line, seed by seed
    difference_90: tuple[float, float] | None = None  # over seeds alone


@dataclass(frozen=True)
class Line:
    """One line of the table."""

    group: str
    name: str
    outcomes: Mapping[str, Outcome]  # by figure
    minutes: float  # of all its trainings
    failed: tuple[str, ...] = ()


def make_lines(arms: Sequence[Arm], results: Mapping[Arm, Sequence[Done]], figures: Sequence[str]) -> list[Line]:
    """The table's lines.

    Args:
        arms: In the order of the table; the first of each group is what the others are compared with.
        results: The trainings of each, one a seed, in the same order of seeds.
        figures: Their names.

    A line whose section or figure an evaluation does not have is marked as failed, and the others stand.
    """
    firsts: dict[str, Arm] = {}
    for arm in arms:
        firsts.setdefault(arm.group, arm)
    lines = []
    for arm in arms:
        first = firsts[arm.group]
        mine = {f: [_figure(done, arm, f) for done in results[arm]] for f in figures}
        theirs = {f: [_figure(done, first, f) for done in results[first]] for f in figures}
        outcomes = {f: outcome(mine[f], None if arm is first else theirs[f]) for f in figures}
        reasons = (done.failed or lacking(arm, figures, done.sections) for done in results[arm])
        failed = tuple(reason for reason in reasons if reason is not None)
        lines.append(Line(arm.group, arm.name, outcomes, sum(d.seconds for d in results[arm]) / 60, failed))
    return lines


def _figure(done: Done, arm: Arm, figure: str) -> Measured | None:
    """A figure of a training; None where there is none."""
    section = arm.section or next(iter(done.sections), "")
    return done.sections.get(section, {}).get(figure)


def outcome(mine: Sequence[Measured | None], first: Sequence[Measured | None] | None = None) -> Outcome:
    """Mean over seeds with its interval, and the difference to the first line.

    To either side the interval reaches as far as the root of the sum of two squares: the mean reach of the intervals
    over people, which more seeds do not narrow, and Student's t over the seeds.
    """
    values = [m.value for m in mine if m is not None and m.value is not None]
    if not values:
        return Outcome(None, None, None, 0)
    mean = fmean(values)
    reaches = [
        (m.value - m.interval_90[0], m.interval_90[1] - m.value)
        for m in mine
        if m is not None and m.value is not None and m.interval_90 is not None
    ]
    people = [fmean(side) for side in zip(*reaches, strict=True)] or None
    seeds = half_width(values)
    low, high = (math.hypot(reach, seeds or 0.0) for reach in people or (0.0, 0.0))
    baselines = [m.baseline for m in mine if m is not None and m.baseline is not None]
    return Outcome(
        mean,
        None if people is None and seeds is None else (mean - low, mean + high),
        fmean(baselines) if baselines else None,
        len(values),
        *_difference(mine, first),
    )


def _difference(
    mine: Sequence[Measured | None], first: Sequence[Measured | None] | None
) -> tuple[float | None, tuple[float, float] | None]:
    if first is None:
        return None, None
    apart = [
        a.value - b.value
        for a, b in zip(mine, first, strict=True)
        if a is not None and b is not None and a.value is not None and b.value is not None
    ]
    if not apart:
        return None, None
    mean, half = fmean(apart), half_width(apart)
    return mean, None if half is None else (mean - half, mean + half)


def half_width(values: Sequence[float]) -> float | None:
    """Half of the 90 % interval of a mean by Student's t; None of a single value."""
    if len(values) < 2:
        return None
    from scipy.stats import t

    return float(t.ppf((1 + _LEVEL) / 2, len(values) - 1)) * stdev(values) / math.sqrt(len(values))
