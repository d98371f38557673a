"""Found lesions as pictures: precision over recall, what scores, counts and probabilities are worth, grades."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import numpy as np

from comedo.training.charts.plots import Line, confusion_chart
from comedo.training.charts.ranking import found_line, ranking_chart, recall_chart
from comedo.training.charts.reliability import Curve, reliability_chart
from comedo.training.evaluation.lesion_figures import LesionRow, affected_of, counts_of, grades_of, scores_of, tally_of
from comedo.training.metrics.curves import pool
from comedo.training.metrics.reliability import reliability
from comedo.types import Group

GRADES = ("mild", "moderate", "severe", "very severe")  # of ACNE04
_COUNT_RANGES = 8

Rows = Sequence[LesionRow]


def draw_lesions(rows: Rows, baseline: Rows, people: Sequence[str]) -> dict[str, str]:
    """What the photos can tell: of lesions, groups and counts where somebody marked them, of grades and acne likewise.

    Args:
        rows: One for each photo.
        baseline: The same photos by the baseline.
        people: The person of each photo.
    """
    drawn: dict[str, str] = {}
    if any(counts_of([r]) for r in rows):
        drawn |= _draw_found(rows, baseline, people)
    if any(r.by_group for r in rows):
        by_group = {g: pool([r.by_group[g] for r in rows if r.by_group is not None]) for g in Group}
        lines = [found_line(str(group), scored) for group, scored in by_group.items()]
        drawn["precision-recall-groups"] = recall_chart("Lesions of each group", lines)
    grades = grades_of(rows)
    if grades:
        table = np.zeros((len(GRADES), len(GRADES)), np.int64)
        for found, true in grades:
            table[true, found] += 1
        drawn["grades"] = confusion_chart("Grades of photos", GRADES, table.tolist())
    answers = affected_of(rows)
    if len({true for _, true in answers}) == 2:
        drawn |= _draw_affected(rows, people)
    return drawn


def _draw_found(rows: Rows, baseline: Rows, people: Sequence[str]) -> dict[str, str]:
    reported = tally_of(rows)
    recall, precision = reported.recall, reported.precision
    point = [] if recall is None or precision is None else [(recall, precision)]
    lines = [
        found_line("by centres", pool([r.centre for r in rows])),
        found_line("by IoU 0.3", pool([r.iou_30 for r in rows])),
        found_line("by IoU 0.5", pool([r.iou_50 for r in rows])),
        found_line("red blobs, by centres", pool([r.centre for r in baseline])),
        Line("as reported, by centres", point, dots=True),
    ]
    scores = Curve("active lesions", [scores_of([r]) for r in rows], people)
    known = [(pair, person) for r, person in zip(rows, people, strict=True) for pair in counts_of([r])]
    step = ceil(max(*(max(pair) for pair, _ in known), 1) / _COUNT_RANGES)  # whole lesions a range
    ends = (0.0, float(_COUNT_RANGES * step))
    parts = [reliability(found, true, ranges=_COUNT_RANGES, ends=ends) for (found, true), _ in known]
    counts = Curve("photos", parts, [person for _, person in known])
    return {
        "precision-recall": recall_chart("Active lesions", lines),
        "calibration": reliability_chart("Scores of active lesions", [scores], x="score", y="share that is a lesion"),
        "counts": reliability_chart("Counts", [counts], x="lesions found", y="lesions marked, mean"),
    }


def _draw_affected(rows: Rows, people: Sequence[str]) -> dict[str, str]:
    known = [(pair, person) for r, person in zip(rows, people, strict=True) for pair in affected_of([r])]
    probs, true = [prob for (prob, _), _ in known], [marked for (_, marked), _ in known]
    asked = Curve("photos", [reliability(*pair) for pair, _ in known], [person for _, person in known])
    return {
        "precision-recall-affected": ranking_chart("Photos with acne", {"photos": (probs, true)}),
        "calibration-affected": reliability_chart("Photos with acne", [asked]),
    }
