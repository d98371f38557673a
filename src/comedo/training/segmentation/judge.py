"""Figures of lesion masks: pixels, lesions, covered area."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from comedo.training.charts.plots import Line
from comedo.training.charts.ranking import recall_chart
from comedo.training.charts.reliability import Curve, reliability_chart
from comedo.training.figures import Measure
from comedo.training.metrics.counting import correlation, count_error
from comedo.training.metrics.maps import mask_tally
from comedo.training.metrics.reliability import Reliability, pool_ranges, reliability
from comedo.training.metrics.tally import Tally
from comedo.types import Mask

LEVELS = tuple(float(v) for v in np.linspace(0.05, 0.95, 19))  # probabilities of the precision-recall curve


@dataclass(frozen=True, eq=False)
class MaskRow:
    """One photo: its pixels at the threshold, at every level and by ranges of probability, lesions, covered shares."""

    name: str
    person: str
    tally: Tally
    levels: tuple[Tally, ...]
    ranges: Reliability
    found: int
    true: int
    covered: float
    truly_covered: float


def count_patches(mask: Mask, least_area: float) -> int:
    """Connected patches of at least so many pixels; the background is none of them."""
    number, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    return int((stats[1:number, cv2.CC_STAT_AREA] >= least_area).sum())


def mask_row(
    name: str, person: str, probs: NDArray[np.float32], true: Mask, *, threshold: float, least_area: float
) -> MaskRow:
    """Compare probabilities (H, W) with a mask (H, W)."""
    found = probs >= threshold
    return MaskRow(
        name=name,
        person=person,
        tally=mask_tally(found, true),
        levels=tuple(mask_tally(probs >= level, true) for level in LEVELS),
        ranges=reliability(probs, true),
        found=count_patches(found, least_area),
        true=count_patches(true, 1),
        covered=float(found.mean()),
        truly_covered=float(true.mean()),
    )


def _pool(rows: Sequence[MaskRow]) -> Tally:
    return sum((r.tally for r in rows), Tally())


def _ranges(rows: Sequence[MaskRow]) -> Reliability:
    return pool_ranges([r.ranges for r in rows])


def _mean_dice(rows: Sequence[MaskRow]) -> float | None:
    # Nothing there and nothing found is right; the ratio itself is undefined.
    return float(np.mean([1.0 if r.tally.f1 is None else r.tally.f1 for r in rows])) if rows else None


MEASURES = (
    Measure[MaskRow]("Dice", "of the pixels of all photos together", lambda rows: _pool(rows).f1),
    Measure[MaskRow]("Dice, mean", "of each photo; 1 where nothing is there and nothing found", _mean_dice),
    Measure[MaskRow]("IoU", "of the pixels of all photos together", lambda rows: _pool(rows).iou),
    Measure[MaskRow]("precision", "share of the found pixels that are lesion", lambda rows: _pool(rows).precision),
    Measure[MaskRow]("recall", "share of the lesion pixels that were found", lambda rows: _pool(rows).recall),
    Measure[MaskRow](
        "count error",
        "mean difference of the number of connected patches",
        lambda rows: count_error([r.found for r in rows], [r.true for r in rows]),
    ),
    Measure[MaskRow](
        "count r",
        "Pearson's r of the counts",
        lambda rows: correlation([r.found for r in rows], [r.true for r in rows]),
    ),
    Measure[MaskRow](
        "coverage error",
        "mean difference of the covered share of the photo, percent points",
        lambda rows: count_error([100 * r.covered for r in rows], [100 * r.truly_covered for r in rows]),
    ),
    Measure[MaskRow](
        "calibration error",
        "mean distance of said from true shares of lesion over ten bins of probability, by pixels",
        lambda rows: _ranges(rows).error,
    ),
    Measure[MaskRow](
        "calibration error from 0.1",
        "the same of pixels with a probability of at least 0.1; most others are plainly none",
        lambda rows: _ranges(rows).beyond_first.error,
    ),
)


def draw_curves(rows: Sequence[MaskRow]) -> dict[str, str]:
    """Precision over recall of pixels, one point for each level, and whether probabilities mean what they say."""
    pooled = [sum((r.levels[k] for r in rows), Tally()) for k in range(len(LEVELS))]
    share = float(_ranges(rows).sums[:, 2].sum() / _ranges(rows).number)
    lines = [
        Line("pixels, by probability", _points(pooled), dots=True),
        Line("as marked", _points([_pool(rows)]), dots=True),
        Line("by chance", [(0, share), (1, share)]),
    ]
    pixels = Curve("pixels", [r.ranges for r in rows], [r.person for r in rows])
    return {
        "precision-recall": recall_chart("Lesion pixels", lines),
        "calibration": reliability_chart("Lesion pixels", [pixels]),
    }


def _points(tallies: Sequence[Tally]) -> list[tuple[float, float]]:
    return [(t.recall, t.precision) for t in tallies if t.recall is not None and t.precision is not None]
