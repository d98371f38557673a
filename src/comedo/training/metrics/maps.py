"""Agreement of masks and label maps, pixel by pixel."""

from __future__ import annotations

from dataclasses import dataclass

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


@dataclass(frozen=True)
class LabelClass:
    """One class to judge, in both codings: the truth may come in another's labels than ours.

    `unknown` are labels of the truth that leave open whether a pixel is of this class.
    """

    name: str
    found: tuple[int, ...]
    true: tuple[int, ...]
    unknown: tuple[int, ...] = (IGNORE,)


def label_tally(found: NDArray[np.uint8], true: NDArray[np.uint8], judged: LabelClass) -> Tally:
    """Pixels of one class in two (H, W) label maps; unknown pixels are left out."""
    known = ~np.isin(true, judged.unknown)
    return mask_tally(np.isin(found, judged.found) & known, np.isin(true, judged.true) & known)
