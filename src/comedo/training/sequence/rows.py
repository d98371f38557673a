"""What the network says of a series, and the figures over many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from comedo.training.figures import Measure
from comedo.training.metrics.ordinal import balanced_accuracy, weighted_kappa
from comedo.training.metrics.reliability import Reliability, reliability
from comedo.training.metrics.tally import ratio
from comedo.training.sequence.series import Course, Series, Sort

Probs = tuple[float, float, float]  # worse, same, better


@dataclass(frozen=True)
class Row:
    """One series: what is true, what was said; `answer` None is "cannot tell"."""

    name: str
    person: str
    source: str
    sort: Sort
    course: Course
    probs: Probs
    sound: float
    answer: Course | None

    @property
    def changed(self) -> bool:
        """Whether better or worse was answered."""
        return self.answer in (Course.BETTER, Course.WORSE)


def answer_of(probs: Probs, sound: float, answer_from: float) -> Course | None:
    """The likeliest course where it, and a sound series, are likely enough; else None: cannot tell."""
    likeliest = int(np.argmax(probs))
    return Course(likeliest) if min(probs[likeliest], sound) >= answer_from else None


def to_row(series: Series, probs: Probs, sound: float, answer_from: float) -> Row:
    """What was said of a series beside what is true."""
    answer = answer_of(probs, sound, answer_from)
    return Row(series.name, series.person, series.source, series.sort, series.course, probs, sound, answer)


def gather(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Series by their source; those that nothing may be concluded from by what was done to them."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(section_of(row.source, row.sort), []).append(row)
    return found


def section_of(source: str, sort: Sort) -> str:
    """Where a series is reported."""
    return source if sort is Sort.SERIES else f"{sort} ({source})"


def _of_sound(measure: Callable[[Sequence[Row]], float | None]) -> Callable[[Sequence[Row]], float | None]:
    """A measure that says nothing of spoilt series."""
    return lambda rows: measure(rows) if rows and all(r.sort is Sort.SERIES for r in rows) else None


def _likeliest(rows: Sequence[Row]) -> list[int]:
    return [int(np.argmax(r.probs)) for r in rows]


def sureness(rows: Sequence[Row]) -> Reliability:
    """The probability of the likeliest course beside whether it is the true one."""
    right = [place == r.course for place, r in zip(_likeliest(rows), rows, strict=True)]
    return reliability([max(r.probs) for r in rows], right)


def _share(rows: Sequence[Row], holds: Callable[[Row], bool]) -> float | None:
    return ratio(sum(holds(r) for r in rows), len(rows))


def _unchanged(rows: Sequence[Row]) -> list[Row]:
    return [r for r in rows if r.course is Course.SAME or r.sort is not Sort.SERIES]


def _really_changed(rows: Sequence[Row]) -> list[Row]:
    return [r for r in rows if r.course is not Course.SAME and r.sort is Sort.SERIES]


MEASURES: Sequence[Measure[Row]] = (
    Measure(
        "balanced_accuracy",
        "mean recall of worse, same and better, by the likeliest of the three",
        _of_sound(lambda rows: balanced_accuracy(_likeliest(rows), [int(r.course) for r in rows])),
    ),
    Measure(
        "qwk",
        "quadratic weighted kappa of the likeliest of worse, same and better",
        _of_sound(lambda rows: weighted_kappa(_likeliest(rows), [int(r.course) for r in rows])),
    ),
    Measure(
        "changes_told",
        "share of changed series answered rightly",
        lambda rows: _share(_really_changed(rows), lambda r: r.answer is r.course),
    ),
    Measure(
        "changes_turned_round",
        "share of changed series of which the opposite was answered",
        lambda rows: _share(_really_changed(rows), lambda r: r.answer is r.course.backwards),
    ),
    Measure(
        "false_changes",
        "share of unchanged or spoilt series called better or worse",
        lambda rows: _share(_unchanged(rows), lambda r: r.changed),
    ),
    Measure(
        "calibration_error",
        "mean distance of the likeliest course's probability from the share that is right, over ten bins",
        _of_sound(lambda rows: sureness(rows).error),
    ),
    Measure("no_answer", "share of series without an answer", lambda rows: _share(rows, lambda r: r.answer is None)),
)
