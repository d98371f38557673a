"""The mask of a photo that nobody labelled, lesion by lesion."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from comedo.training.data.bitmap import Bitmap, bitmap_of
from comedo.training.data.dataset import Label
from comedo.training.runner.answer import Answer
from comedo.types import Mask

CATEGORY = "lesion"  # all kinds are one class


def mask_answer(probs: NDArray[np.float32], *, threshold: float, least_area: float, rater: str) -> Answer:
    """What probabilities (H, W) say of a photo.

    Args:
        probs: Of lesion, for each pixel of the photo.
        threshold: Probability from which a pixel is lesion.
        least_area: Pixels of the smallest patch that counts as a lesion.
        rater: Who says so.
    """
    mask = probs >= threshold
    counted, smaller = find_patches(mask, least_area)
    labels = tuple(Label(CATEGORY, patch, round(_mean(probs, patch), 4), rater) for patch in counted)
    covered = 100 * float(mask.mean())
    return Answer(
        sentence=f"lesions: {len(labels)}, on {covered:.2f} % of the photo",
        values={
            "lesion_count": len(labels),
            "lesion_px": int(mask.sum()),
            "coverage_percent_of_photo": covered,
            "threshold": threshold,
            "lesions": [
                {"box_xyxy": patch.bounds_xyxy, "area_px": patch.area_px, "mean_probability": label.score}
                for patch, label in zip(counted, labels, strict=True)
            ],
        },
        notices=(f"patches in the mask too small to count as lesions: {smaller}",) if smaller else (),
        labels=labels,
        mask=mask,
    )


def _mean(probs: NDArray[np.float32], patch: Bitmap) -> float:
    around = probs[patch.top : patch.top + patch.height, patch.left : patch.left + patch.width]
    return float(around[patch.crop()].mean())


def find_patches(mask: Mask, least_area: float) -> tuple[list[Bitmap], int]:
    """The connected patches of at least so many pixels, as `count_patches` counts them, and how many are smaller."""
    number, places, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    found = []
    for patch in range(1, number):
        left, top, width, height, area = (int(v) for v in stats[patch])
        if area >= least_area:
            found.append(bitmap_of(places[top : top + height, left : left + width] == patch, left=left, top=top))
    return found, number - 1 - len(found)
