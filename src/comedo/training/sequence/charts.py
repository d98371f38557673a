"""What the sequence model says, as pictures: courses, how sure it is, and what an answer costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from comedo.training.charts.plots import Line, confusion_chart, line_chart
from comedo.training.charts.reliability import Curve, reliability_chart
from comedo.training.sequence.rows import Row, answer_of, sureness
from comedo.training.sequence.series import Course, Sort

_CUTS = np.linspace(0, 1, 101)


def draw_answers(rows: Sequence[Row], answer_from: float) -> Mapping[str, str]:
    """Courses against each other, the sureness of each source, and answers as their cut-off falls."""
    names = [c.name.lower() for c in Course]
    table = np.zeros((3, 3), np.int64)
    by_source: dict[str, list[Row]] = {}
    for row in (r for r in rows if r.sort is Sort.SERIES):
        table[row.course, int(np.argmax(row.probs))] += 1
        by_source.setdefault(row.source, []).append(row)
    drawn = {"courses": confusion_chart("Course of held-back series", names, table.tolist())}
    if by_source:
        curves = [Curve(s, [sureness([r]) for r in of], [r.person for r in of]) for s, of in by_source.items()]
        drawn["calibration"] = reliability_chart(
            "The likeliest course", curves, x="its probability", y="share that is right"
        )
    lines = answer_lines(rows, answer_from)
    drawn["answers"] = line_chart("Answers by the least probability asked", "answer_from", "share", lines)
    return drawn


def answer_lines(rows: Sequence[Row], answer_from: float) -> list[Line]:
    """Shares over the cut-off of an answer; names carry those of the recipe's cut-off.

    Of series as they are: how many get an answer, and how many of the answers are right, where there are any. Of spoilt
    ones, which deserve none: how many get one.
    """
    series = [r for r in rows if r.sort is Sort.SERIES]
    spoilt = [r for r in rows if r.sort is not Sort.SERIES]
    return [
        _line("answered", answer_from, lambda cut: _share([_answered(r, cut) for r in series])),
        _line(
            "right, of the answered",
            answer_from,
            lambda cut: _share([_right(r, cut) for r in series if _answered(r, cut)]),
        ),
        _line("answered, of spoilt series", answer_from, lambda cut: _share([_answered(r, cut) for r in spoilt])),
    ]


def _line(name: str, answer_from: float, share: Callable[[float], float | None]) -> Line:
    points = [(float(cut), value) for cut in _CUTS if (value := share(float(cut))) is not None]
    now = share(answer_from)
    return Line(name if now is None else f"{name}: {now:.2f} from {answer_from:g} on", points)


def _answered(row: Row, cut: float) -> bool:
    return answer_of(row.probs, row.sound, cut) is not None


def _right(row: Row, cut: float) -> bool:
    return answer_of(row.probs, row.sound, cut) is row.course


def _share(holds: Sequence[bool]) -> float | None:
    return float(np.mean(holds)) if holds else None
