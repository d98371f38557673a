"""Figures of grades: of photos, and of people, whose photos are taken together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from comedo.training.figures import Measure
from comedo.training.metrics.ordinal import balanced_accuracy, grade_error, weighted_kappa
from comedo.training.metrics.probability import calibration, ranked_probability
from comedo.training.plots import Line, confusion_chart, line_chart


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
        return int(np.clip(np.floor(self.score + 0.5), 0, self.grades - 1))

    @property
    def grade(self) -> int:
        """The true grade, rounded."""
        return int(np.floor(self.true + 0.5))


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


def _rps(rows: Sequence[GradeRow]) -> float | None:
    probs = [r.probs for r in rows if r.probs is not None]
    return ranked_probability(probs, [r.grade for r in rows]) if rows and len(probs) == len(rows) else None


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
)


def draw_grades(rows: Sequence[GradeRow], names: Sequence[str]) -> Mapping[str, str]:
    """Confusion matrix, and for ordinal heads whether "at least grade k" means what it says."""
    table = np.zeros((len(names), len(names)), int)
    for row in rows:
        table[row.grade, row.said] += 1
    drawn = {"confusion": confusion_chart("Grades of photos", names, table.tolist())}
    if all(r.probs is not None for r in rows):
        probs = np.array([r.probs for r in rows])
        lines = [_reliability(probs, rows, grade, names[grade]) for grade in range(1, min(len(names), 5))]
        drawn["calibration"] = line_chart("At least this grade", "said", "true share", lines)
    return drawn


def _reliability(probs: NDArray[np.float64], rows: Sequence[GradeRow], grade: int, name: str) -> Line:
    said = probs[:, grade:].sum(1).clip(0, 1)
    return Line(
        name, [(b.said, b.true) for b in calibration(said, [r.grade >= grade for r in rows], bins=5)], dots=True
    )
