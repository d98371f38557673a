"""Agreement of masks and label maps, pixel by pixel."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from comedo.training.metrics.tally import Tally

IGNORE = 255


def mask_tally(found: NDArray[np.bool_], true: NDArray[np.bool_]) -> Tally:
    """Pixels of two (H, W) masks; `f1` of the result is Dice, `iou` is IoU."""
    if found.shape != true.shape:
        raise ValueError(f"masks must have one shape, got {found.shape} and {true.shape}; resize the found one first")
    both = int((found & true).sum())
    return Tally(hits=both, false=int(found.sum()) - both, missed=int(true.sum()) - both)


def confusion(found: NDArray[np.uint8], true: NDArray[np.uint8], classes: int) -> NDArray[np.int64]:
    """Count pixels by true class (row) and found class (column); pixels of label IGNORE are left out.

    Args:
        found, true: (H, W) labels in 0 ... classes - 1; `true` may hold IGNORE.
        classes: Number of classes.
    """
    if found.shape != true.shape:
        raise ValueError(f"label maps must have one shape, got {found.shape} and {true.shape}")
    known = true != IGNORE
    pairs = true[known].astype(np.int64) * classes + found[known]
    return np.bincount(pairs, minlength=classes**2).reshape(classes, classes)


def class_tally(table: NDArray[np.int64], labels: Iterable[int]) -> Tally:
    """One class, or several taken as one, from a confusion table."""
    chosen = np.zeros(len(table), np.bool_)
    chosen[list(labels)] = True
    return Tally(
        hits=int(table[np.ix_(chosen, chosen)].sum()),
        false=int(table[np.ix_(~chosen, chosen)].sum()),
        missed=int(table[np.ix_(chosen, ~chosen)].sum()),
    )
