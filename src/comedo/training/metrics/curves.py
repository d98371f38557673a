"""Precision and recall over all thresholds: best threshold, average precision."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from comedo.training.metrics.matching import by_score
from comedo.training.metrics.tally import Tally

_RECALL_POINTS = np.linspace(0, 1, 101)


@dataclass(frozen=True, eq=False)
class Scored:
    """Found lesions of one or many photos with their verdicts.

    `scores` (N,) and `hits` (N,) bool belong together in any order; `true` is how many lesions
    there are.
    """

    scores: NDArray[np.float64]
    hits: NDArray[np.bool_]
    true: int

    def at(self, threshold: float) -> Tally:
        """The tally of what scores at least `threshold`."""
        kept = self.hits[self.scores >= threshold]
        right = int(kept.sum())
        return Tally(hits=right, false=len(kept) - right, missed=self.true - right)


def pool(parts: list[Scored]) -> Scored:
    """Many photos as one."""
    return Scored(
        np.concatenate([p.scores for p in parts] or [np.zeros(0)]),
        np.concatenate([p.hits for p in parts] or [np.zeros(0, np.bool_)]),
        sum(p.true for p in parts),
    )


@dataclass(frozen=True)
class Best:
    """The threshold of the highest F1, and what it gives."""

    threshold: float
    tally: Tally


def best_threshold(scored: Scored) -> Best | None:
    """Search the threshold of the highest F1; of equal ones the highest.

    Returns:
        `None` when nothing was found or nothing is true: every threshold is then as good.
    """
    if len(scored.scores) == 0 or scored.true == 0:
        return None
    order = by_score(scored.scores)
    scores, right = scored.scores[order], np.cumsum(scored.hits[order])
    last = np.append(scores[1:] != scores[:-1], True)  # equal scores pass a threshold together
    f1 = np.where(last, 2 * right / (np.arange(1, len(scores) + 1) + scored.true), -1.0)
    threshold = float(scores[int(np.argmax(f1))])
    return Best(threshold, scored.at(threshold))


def average_precision(scored: Scored) -> float | None:
    """COCO's area under the curve: 101 recall points, precision made non-increasing.

    `None` when there is nothing to find.
    """
    if scored.true == 0:
        return None
    right = np.cumsum(scored.hits[by_score(scored.scores)])
    if len(right) == 0:
        return 0.0
    precision = right / np.arange(1, len(right) + 1)
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    place = np.searchsorted(right / scored.true, _RECALL_POINTS, side="left")
    return float(np.append(precision, 0.0)[np.minimum(place, len(precision))].mean())


def recall_precision(scored: Scored, *, most: int = 200) -> list[tuple[float, float]]:
    """Recall and precision as the cut-off falls, at most so many points; none without lesions or findings."""
    if scored.true == 0 or len(scored.scores) == 0:
        return []
    right = np.cumsum(scored.hits[by_score(scored.scores)])
    place = np.unique(np.linspace(0, len(right) - 1, most).round().astype(int))
    return [(float(right[k] / scored.true), float(right[k] / (k + 1))) for k in place]
