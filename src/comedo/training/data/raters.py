"""What several raters said of the same photos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from comedo.training.data.dataset import Dataset
from comedo.training.metrics.agreement import agreement, cohen_kappa, fleiss_kappa
from comedo.training.metrics.ordinal import weighted_kappa


@dataclass(frozen=True)
class RaterPair:
    """Two raters on the photos that both graded."""

    first: str
    second: str
    photos: int
    same: float | None
    kappa: float | None
    qwk: float | None


@dataclass(frozen=True)
class Raters:
    """Everybody's agreement; `None` where nothing can be said."""

    pairs: tuple[RaterPair, ...]
    fleiss: float | None
    photos: int  # with two grades or more


def compare_raters(dataset: Dataset) -> Raters:
    """Kappa of each pair of raters, and of all."""
    grades: dict[str, dict[str, int]] = {}
    for sample in dataset.samples:
        for vote in sample.votes:
            if vote.grade is not None:
                grades.setdefault(vote.rater, {})[sample.photo] = vote.grade
    pairs = [_compare(a, b, grades[a], grades[b]) for a, b in combinations(sorted(grades), 2)]
    by_photo = [[v.grade for v in s.votes if v.grade is not None] for s in dataset.samples]
    several = sum(len(g) > 1 for g in by_photo)
    return Raters(tuple(p for p in pairs if p.photos), fleiss_kappa(by_photo), several)


def _compare(first: str, second: str, a: dict[str, int], b: dict[str, int]) -> RaterPair:
    both: Sequence[str] = sorted(set(a) & set(b))
    x, y = [a[p] for p in both], [b[p] for p in both]
    return RaterPair(first, second, len(both), agreement(x, y), cohen_kappa(x, y), weighted_kappa(x, y))
