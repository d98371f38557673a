"""A rough similarity between two faces from matched features, whatever their scale and turn."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from comedo.geometry import Affine, scale_of
from comedo.progress.canvas import Canvas
from comedo.types import Part

_FEATURES = 1500
_CONTRAST = 0.01  # of a feature: skin has little
_DISTINCT = 0.85  # nearest over second nearest descriptor (Lowe 2004, IJCV 60:91-110, who takes 0.8 for objects)
_REACH_PX = 6.0
_LEAST_INLIERS = 8
_SCALE_RANGE = (0.5, 2.0)


def from_features(baseline: Canvas, later: Canvas) -> Affine | None:
    """The similarity from baseline to later that most SIFT matches agree on; None where few do.

    The draw of RANSAC is OpenCV's own, which begins from the same seed in every call.
    """
    finder = cv2.SIFT.create(nfeatures=_FEATURES, contrastThreshold=_CONTRAST)
    (ours, one), (theirs, two) = (finder.detectAndCompute(_even(c), face_mask(c)) for c in (baseline, later))
    if one is None or two is None or len(ours) < _LEAST_INLIERS or len(theirs) < _LEAST_INLIERS:
        return None
    nearest = cv2.BFMatcher().knnMatch(one, two, k=2)
    good = [m for m, second in nearest if m.distance < _DISTINCT * second.distance]
    if len(good) < _LEAST_INLIERS:
        return None
    a = np.array([ours[m.queryIdx].pt for m in good])
    b = np.array([theirs[m.trainIdx].pt for m in good])
    found, agree = cv2.estimateAffinePartial2D(a, b, method=cv2.RANSAC, ransacReprojThreshold=_REACH_PX, maxIters=5000)
    if found is None or int(agree.sum()) < _LEAST_INLIERS:
        return None
    affine = np.asarray(found, np.float64)
    return affine if _SCALE_RANGE[0] <= scale_of(affine) <= _SCALE_RANGE[1] else None


def _even(canvas: Canvas) -> NDArray[np.uint8]:
    """Green with its contrast evened out from place to place."""
    return np.asarray(cv2.createCLAHE(3, (8, 8)).apply(np.ascontiguousarray(canvas.image[..., 1])), np.uint8)


def face_mask(canvas: Canvas) -> NDArray[np.uint8]:
    """Skin, eyes, brows and lips, a little inside their outline; (n, n) uint8 of 0 and 255."""
    face = ((canvas.parts >= Part.FOREHEAD) & (canvas.parts <= Part.LIPS)).astype(np.uint8) * 255
    inside = canvas.image.max(axis=2) > 0  # beyond the photo the canvas is black
    return np.asarray(cv2.erode(face * inside, np.ones((7, 7), np.uint8)), np.uint8)
