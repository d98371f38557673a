"""What a few lines without learning achieve: the figure that a trained network must beat."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from comedo.training.evaluation.predictors import Prediction
from comedo.types import Group, Image, Mask, Part

# Chai & Ngan 1999 (doi:10.1109/76.767122): skin in YCrCb, whatever its lightness.
_SKIN_CR, _SKIN_CB = (133, 173), (77, 127)


def skin_colour(image: Image) -> Mask:
    """Pixels (H, W) of skin colour, holes closed."""
    cr_cb = cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb)[..., 1:]
    found = cv2.inRange(cr_cb, np.array([_SKIN_CR[0], _SKIN_CB[0]]), np.array([_SKIN_CR[1], _SKIN_CB[1]]))
    side = 2 * round(image.shape[1] / 100) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return np.asarray(cv2.morphologyEx(found, cv2.MORPH_CLOSE, kernel), np.bool_)


def centre_ellipse(height: int, width: int) -> Mask:
    """Where a face usually is: an ellipse of 0.6 x 0.8 of the frame in its middle."""
    y, x = np.mgrid[:height, :width]
    across = (x + 0.5 - width / 2) / (0.3 * width)
    down = (y + 0.5 - height / 2) / (0.4 * height)
    inside: Mask = across**2 + down**2 <= 1
    return inside


def mean_count(counts: Sequence[float]) -> float | None:
    """The one count that is least wrong in squares; `None` without photos."""
    return float(np.mean(counts)) if counts else None


def majority(grades: Sequence[int]) -> int | None:
    """The most frequent grade, the lower of equal ones; `None` without photos."""
    if not grades:
        return None
    return min(Counter(grades).items(), key=lambda item: (-item[1], item[0]))[0]


@dataclass(frozen=True)
class RednessBlobs:
    """Red blobs inside skin colour, as lesions; skin colour inside an ellipse, as the face.

    A blob is a peak of the difference of two Gaussian means of CIELAB a*, over a few sizes given
    as shares of the frame's width. It always "finds" a face.
    """

    count: float | None = None  # answers for the whole photo: the same on each
    grade: int | None = None
    radii: tuple[float, ...] = (0.005, 0.008, 0.012)
    least: float = 2.5  # rise of a* over the surroundings
    skin: str = "colour"  # or "ellipse"
    name: str = "redness blobs in skin colour, mean count, majority grade"

    def predict(self, image: Image) -> Prediction:
        """Find red blobs on one (H, W, 3) uint8 RGB photo."""
        skin = skin_colour(image)
        red = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)[..., 1].astype(np.float32)
        if skin.any():
            red[~skin] = np.median(red[skin])  # else every edge of the face would be a blob
        rises = np.stack([_rise(red, r * image.shape[1]) for r in self.radii])
        best = np.asarray(rises.max(0), np.float32)
        circles, scores = self._peaks(best, rises, skin, image.shape[1])
        face = skin if self.skin == "colour" else centre_ellipse(*image.shape[:2])
        return Prediction(
            circles=circles,
            scores=scores,
            groups=(Group.INFLAMMATORY,) * len(circles),
            mask=(best >= self.least) & skin,
            parts=np.where(face, np.uint8(Part.LEFT_CHEEK), np.uint8(Part.BACKGROUND)).astype(np.uint8),
            count=float(len(circles)) if self.count is None else self.count,
            grade=self.grade,
            affected=len(circles) > 0,
        )

    def _peaks(
        self, best: NDArray[np.float32], rises: NDArray[np.float32], skin: Mask, width: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        reach = 2 * max(1, round(self.radii[0] * width)) + 1
        top = cv2.dilate(best, np.ones((reach, reach), np.uint8))
        ys, xs = np.nonzero((best >= top) & (best >= self.least) & skin)
        radius = np.asarray(self.radii)[rises[:, ys, xs].argmax(0)] * width * np.sqrt(2)
        scores = 1 - np.exp(-best[ys, xs].astype(np.float64) / 10)
        return np.stack([xs, ys, radius], 1).astype(np.float32).reshape(-1, 3), scores


def _rise(red: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    inner = cv2.GaussianBlur(red, (0, 0), max(0.6, sigma))
    return np.asarray(inner - cv2.GaussianBlur(red, (0, 0), max(1.2, 2.5 * sigma)), np.float32)


def baseline_for(counts: Sequence[float], grades: Sequence[int]) -> RednessBlobs:
    """The baseline whose mean count and majority grade come from other photos."""
    return replace(RednessBlobs(), count=mean_count(counts), grade=majority(grades))
