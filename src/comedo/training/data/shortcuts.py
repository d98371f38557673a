"""How well a photo's file and background alone tell its label: what a network could learn instead of skin.

A small model sees no skin, only figures of the file (size, compression, camera) or of the frame's
outer ring. When it beats the majority on people it has not seen, the data set has a shortcut.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from comedo.training.bootstrap import interval
from comedo.training.evaluation.baselines import majority
from comedo.training.metrics.ordinal import balanced_accuracy

FEWEST = 8  # photos of a label, of different people: below it nothing can be said
_FOLDS = 5
_BEYOND_CHANCE = 0.05  # balanced accuracy by which the interval's lower end must exceed chance
_LEVEL, _ROUNDS = 0.9, 300


@dataclass(frozen=True)
class Shortcut:
    """What one set of figures alone achieves; `None` where there are too few photos."""

    figures: str
    label: str  # what was predicted
    photos: int
    accuracy: float | None = None
    majority: float | None = None  # accuracy of always saying the commonest label
    balanced: float | None = None
    balanced_interval: tuple[float, float] | None = None
    chance: float | None = None  # balanced accuracy of any constant answer

    @property
    def found(self) -> bool:
        """Whether a shortcut is there beyond doubt."""
        if self.balanced_interval is None or self.chance is None:
            return False
        return self.balanced_interval[0] > self.chance + _BEYOND_CHANCE


def measure_shortcut(
    name: str,
    figures: NDArray[np.float64],
    labels: Sequence[int],
    people: Sequence[str],
    *,
    label: str,
    seed: int = 0,
) -> Shortcut:
    """Predict labels from figures, people held out in turn (five folds).

    Args:
        name: What the figures are of.
        figures: (N, F).
        labels: (N,) grades or other whole numbers.
        people: (N,) nobody is on both sides of a fold.
        label: What the labels are, in words.
        seed: Of folds and forest.

    Labels of fewer than `FEWEST` people are left out.
    """
    people_of = {g: {p for p, v in zip(people, labels, strict=True) if v == g} for g in set(labels)}
    rows = [n for n, g in enumerate(labels) if len(people_of[g]) >= FEWEST]
    kept = [labels[n] for n in rows]
    if len(set(kept)) < 2:
        return Shortcut(name, label, len(rows))
    groups = [people[n] for n in rows]
    found = _predict(figures[rows], np.array(kept), groups, seed)
    true = np.array(kept)
    commonest = majority(kept)
    drawn = interval(
        groups,
        lambda chosen: balanced_accuracy(found[list(chosen)], true[list(chosen)]),
        level=_LEVEL,
        rounds=_ROUNDS,
        seed=seed,
    )
    return Shortcut(
        figures=name,
        label=label,
        photos=len(rows),
        accuracy=float((found == true).mean()),
        majority=float((true == commonest).mean()),
        balanced=balanced_accuracy(found, true),
        balanced_interval=drawn,
        chance=1 / len(Counter(kept)),
    )


def _predict(
    figures: NDArray[np.float64], labels: NDArray[np.int64], groups: Sequence[str], seed: int
) -> NDArray[np.int64]:
    """Out-of-fold answers of a small forest, balanced over the labels."""
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

    model = RandomForestClassifier(
        60, min_samples_leaf=3, class_weight="balanced_subsample", random_state=seed, n_jobs=1
    )
    folds = StratifiedGroupKFold(_FOLDS, shuffle=True, random_state=seed)
    return np.asarray(cross_val_predict(model, figures, labels, groups=np.asarray(groups), cv=folds))
