"""Precision over recall as a picture, of answers that rank photos and of lesions that were found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from comedo.training.charts.plots import Line, line_chart
from comedo.training.metrics.curves import Scored, average_precision, recall_precision
from comedo.training.metrics.probability import average_precision as average_precision_of
from comedo.training.metrics.probability import precision_recall

Ranked = tuple[Sequence[float], Sequence[bool]]  # scores of photos, and which of them are so


def ranking_chart(title: str, ranked: Mapping[str, Ranked]) -> str:
    """One curve for each name with its AP and what chance gives; those of which no photo is so are left out."""
    return recall_chart(title, [line for name, of in ranked.items() if (line := _ranking(name, *of)) is not None])


def recall_chart(title: str, lines: Sequence[Line]) -> str:
    """Lines of precision over recall."""
    return line_chart(title, "recall", "precision", lines)


def found_line(name: str, scored: Scored) -> Line:
    """What was found as the cut-off falls, with its COCO average precision; no points without lesions."""
    precision = average_precision(scored)
    return Line(name if precision is None else f"{name}: AP {precision:.2f}", recall_precision(scored))


def _ranking(name: str, scores: Sequence[float], true: Sequence[bool]) -> Line | None:
    curve, precision = precision_recall(scores, true), average_precision_of(scores, true)
    if curve is None or precision is None:
        return None
    points = list(zip(curve.recall.tolist(), curve.precision.tolist(), strict=True))
    return Line(f"{name}: AP {precision:.2f}, by chance {np.mean(true):.2f}", points)
