"""Figures of grades: of photos, and of people, whose photos are taken together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from comedo.training.charts.plots import confusion_chart
from comedo.training.charts.ranking import ranking_chart
from comedo.training.charts.reliability import Curve, reliability_chart
from comedo.training.figures import Measure
from comedo.training.metrics.ordinal import balanced_accuracy, grade_error, weighted_kappa
from comedo.training.metrics.probability import ranked_probability
from comedo.training.metrics.reliability import Reliability, calibration_error, reliability

_MOST_LINES = 4  # of a chart that holds one for each grade


@dataclass(frozen=True)
class GradeRow:
    """One photo, or one person: the mean of the patches' scores beside the grade."""

    name: str
    person: str
    score: float  # in grades, between them too
    true: float  # of a person the mean grade of the photos
    grades: int
    probs: tuple[float, ...] | None = None  # of each grade, from ordinal heads

    @property
    def said(self) -> int:
        """The nearest grade."""
        return nearest_grade(self.score, self.grades)

    @property
    def grade(self) -> int:
        """The true grade, rounded."""
        return int(np.floor(self.true + 0.5))


def nearest_grade(score: float, grades: int) -> int:
    """The grade of 0, 1, ... that is nearest to a score."""
    return int(np.clip(np.floor(score + 0.5), 0, grades - 1))


def by_person(rows: Sequence[GradeRow]) -> list[GradeRow]:
    """One row for each person: means over the photos."""
    people: dict[str, list[GradeRow]] = {}
    for row in rows:
        people.setdefault(row.person, []).append(row)
    return [_merge(person, several) for person, several in people.items()]


def _merge(person: str, rows: Sequence[GradeRow]) -> GradeRow:
    known = [r.probs for r in rows if r.probs is not None]
    probs = tuple(float(v) for v in np.mean(known, axis=0)) if len(known) == len(rows) else None
    mean_score, mean_true = float(np.mean([r.score for r in rows])), float(np.mean([r.true for r in rows]))
    return GradeRow(person, person, mean_score, mean_true, rows[0].grades, probs)


def _of_grades(figure: Callable[[list[int], list[int]], float | None]) -> Callable[[Sequence[GradeRow]], float | None]:
    return lambda rows: figure([r.said for r in rows], [r.grade for r in rows])


def _accuracy(said: list[int], true: list[int]) -> float | None:
    return float(np.mean(np.equal(said, true))) if true else None


def _rmse(rows: Sequence[GradeRow]) -> float | None:
    return float(np.sqrt(np.mean([(r.score - r.true) ** 2 for r in rows]))) if rows else None


def _probs(rows: Sequence[GradeRow]) -> NDArray[np.float64] | None:
    """Probabilities (N, K) of ordinal heads; None where any is unknown."""
    known = [r.probs for r in rows if r.probs is not None]
    return np.array(known) if rows and len(known) == len(rows) else None


def _rps(rows: Sequence[GradeRow]) -> float | None:
    probs = _probs(rows)
    return None if probs is None else ranked_probability(probs, [r.grade for r in rows])


def _calibration_error(rows: Sequence[GradeRow]) -> float | None:
    probs, true = _probs(rows), np.array([r.grade for r in rows])
    if probs is None:
        return None
    errors = [calibration_error(probs[:, k:].sum(1), true >= k) for k in range(1, probs.shape[1])]
    return float(np.mean([e for e in errors if e is not None]))


def _scores(rows: Sequence[GradeRow]) -> Reliability:
    """Scores beside grades, in ranges around each grade."""
    grades = rows[0].grades
    return reliability([r.score for r in rows], [r.true for r in rows], ranges=grades, ends=(-0.5, grades - 0.5))


MEASURES = (
    Measure[GradeRow]("RMSE", "root mean squared difference of the score from the grade", _rmse),
    Measure[GradeRow](
        "MAE",
        "mean difference of the score from the grade",
        lambda rows: grade_error([r.score for r in rows], [r.true for r in rows]),
    ),
    Measure[GradeRow]("QWK", "quadratic weighted kappa of the nearest grade", _of_grades(weighted_kappa)),
    Measure[GradeRow]("accuracy", "share whose nearest grade is right", _of_grades(_accuracy)),
    Measure[GradeRow]("balanced accuracy", "mean recall of the grades that occur", _of_grades(balanced_accuracy)),
    Measure[GradeRow]("RPS", "ranked probability score; lower is better; ordinal heads only", _rps),
    Measure[GradeRow](
        "calibration error",
        'of "at least this grade", mean distance of said from true shares over ten bins; ordinal heads only',
        _calibration_error,
    ),
    Measure[GradeRow](
        "score calibration",
        "mean distance of the score from the mean grade of all with the same nearest grade, in grades",
        lambda rows: _scores(rows).error if rows else None,
    ),
)


def draw_grades(rows: Sequence[GradeRow], names: Sequence[str]) -> Mapping[str, str]:
    """Confusion matrix, precision over recall by the score, and whether scores and probabilities mean what they say."""
    table = np.zeros((len(names), len(names)), int)
    for row in rows:
        table[row.grade, row.said] += 1
    people, scores = [r.person for r in rows], [r.score for r in rows]
    steps = range(1, min(len(names), _MOST_LINES + 1))
    ranked = {names[k]: (scores, [r.grade >= k for r in rows]) for k in steps}
    asked = [Curve("photos", [_scores([r]) for r in rows], people)]
    drawn = {
        "confusion": confusion_chart("Grades of photos", names, table.tolist()),
        "precision-recall": ranking_chart("At least this grade, by the score", ranked),
        "scores": reliability_chart("Scores of photos", asked, x="score", y="mean grade", ticks=range(len(names))),
    }
    probs = _probs(rows)
    if probs is not None:
        curves = [
            Curve(names[k], [reliability(p[k:].sum(), r.grade >= k) for p, r in zip(probs, rows, strict=True)], people)
            for k in steps
        ]
        drawn["calibration"] = reliability_chart("At least this grade", curves)
    return drawn
