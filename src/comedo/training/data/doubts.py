"""Which labels are most likely wrong: a model that has not seen a photo says something else, and is sure.

Confident learning (Northcutt et al. 2021, doi:10.1613/jair.1.12125): a label is doubtful when the
model's probability of another class exceeds what that class usually gets on its own photos.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FEWEST = 10  # photos of a class that a fold needs to learn from
_FOLDS = 5


@dataclass(frozen=True)
class Doubt:
    """One label that the model does not believe."""

    row: int
    given: int
    suggested: int
    self_confidence: float  # probability of the given label
    margin: float  # by which the suggested one is more probable


def find_doubts(probabilities: Floats, labels: Sequence[int]) -> list[Doubt]:
    """Labels that are most likely wrong, the worst first.

    Args:
        probabilities: (N, K) out of fold: of models that have not seen the photo.
        labels: (N,) from 0 to K - 1.

    A class's own threshold is the mean probability that photos of that label get of it; classes
    that no photo has are never suggested.
    """
    given = np.asarray(labels, np.int64)
    p = np.asarray(probabilities, np.float64)
    if p.shape[:1] != given.shape:
        raise ValueError(f"one row of probabilities belongs to each label, got {p.shape} for {len(given)} labels")
    occurs = np.bincount(given, minlength=p.shape[1]) > 0
    usual = np.array([p[given == k, k].mean() if occurs[k] else np.inf for k in range(p.shape[1])])
    confident = np.where(p >= usual, p, -1.0)
    best = confident.argmax(1)
    doubtful = (confident.max(1) > 0) & (best != given)
    rows = np.flatnonzero(doubtful)
    own = p[rows, given[rows]]
    found = [
        Doubt(int(r), int(given[r]), int(best[r]), float(o), float(p[r, best[r]] - o))
        for r, o in zip(rows, own, strict=True)
    ]
    return sorted((d for d in found if d.margin > 0), key=lambda d: -d.margin)


def out_of_fold(features: Floats, labels: Sequence[int], people: Sequence[str], *, seed: int = 0) -> Floats | None:
    """Class probabilities of each photo by a small model that has seen neither it nor its person.

    Args:
        features: (N, F).
        labels: (N,) from 0 to K - 1.
        people: (N,) whom each photo shows.
        seed: Of the folds.

    Returns:
        (N, K); `None` where fewer than two classes have `FEWEST` photos of different people.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedGroupKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    given, groups = np.asarray(labels), np.asarray(people)
    enough = [k for k in np.unique(given) if len(np.unique(groups[given == k])) >= FEWEST]
    if len(enough) < 2:
        return None
    result = np.zeros((len(given), int(given.max()) + 1))
    folds = StratifiedGroupKFold(_FOLDS, shuffle=True, random_state=seed)
    for learn, test in folds.split(features, given, groups):
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
        model.fit(features[learn], given[learn])
        result[np.ix_(test, model.classes_)] = model.predict_proba(features[test])
    return result
