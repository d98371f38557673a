"""Bringing a later face onto the baseline's: landmarks, then masked ECC, then a smooth residual field from patches.

The patches also tell whether there is anything to bring together: the share of them that find their like at the place
where the others say it must be is high for one person's skin and near chance for two people's, a mirrored photo, noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from comedo.geometry import Affine, apply, compose, crop_affine, invert
from comedo.progress.canvas import CANVAS_PX, EYE_DISTANCE_PX, FACE_PX, Canvas
from comedo.progress.features import face_mask, from_features
from comedo.progress.patches import Patches, match_patches
from comedo.types import Mask

F32 = NDArray[np.float32]
Plane = TypeVar("Plane", NDArray[np.float32], NDArray[np.uint8])

# Share of skin patches that find their like. Photos of one person, a session or weeks apart, have 0.56 to 0.98;
# photos of two people, mirrored ones and noise at most 0.24: see docs/change.md.
KNOWN_AGAIN = 0.45
LEAST_PATCHES = 20  # below it the share says too little
_SCALES = (0.25, 0.5)  # of the canvas, ECC from coarse to fine; patches do the finest part
_ITERATIONS, _EPSILON = 60, 1e-5
_LEAST_LANDMARKS = 3
_LARGEST_ZOOM = 3.0  # between two canvases, whose faces have about one size: beyond it landmarks are wrong
_LARGEST_STEP = 0.25  # of FACE_PX that ECC may move the face from where the landmarks put it
_TERMS = 6  # of the field: a full quadratic in x and y, enough for the parallax of a turned head
_FIELD_GATE_PX = 2.5  # a patch this close to the field found its like
_FIELD_ROUNDS = 12


@dataclass(frozen=True, eq=False)
class Alignment:
    """How a later canvas lies on the baseline's.

    `affine` maps baseline canvas pixels to those of the later canvas; before it, `field` (2, 6) shifts them by a
    quadratic. `residual_share` is the median distance of the matched patches from the map, as a share of the eye
    distance (of an adult, 63 mm); `matched_share` the share of patches that found their like; None: nothing to measure.
    """

    affine: Affine
    field: NDArray[np.float64]
    correlation: float | None
    matched_share: float | None
    residual_share: float | None
    patches: Patches

    @property
    def known_again(self) -> bool:
        """Whether enough skin found its like for the photos to show the same skin from the same side."""
        return (
            self.matched_share is not None
            and len(self.patches.xy) >= LEAST_PATCHES
            and self.matched_share >= KNOWN_AGAIN
        )

    def to_later(self, points_xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Map (N, 2) points of the baseline canvas to the later canvas."""
        return apply(self.affine, points_xy + _terms(points_xy) @ self.field.T)

    def to_baseline(self, points_xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Map (N, 2) points of the later canvas to the baseline canvas; a few fixed-point steps undo the field."""
        target = apply(invert(self.affine), points_xy)
        found = target
        for _ in range(6):
            found = target - _terms(found) @ self.field.T
        return found

    def warp(self, picture: NDArray[np.uint8], *, nearest: bool = False) -> NDArray[np.uint8]:
        """A picture of the later canvas's size, drawn where the baseline's pixels are."""
        h, w = picture.shape[:2]
        y, x = np.mgrid[0:h, 0:w].astype(np.float64)
        where = self.to_later(np.stack([x.ravel(), y.ravel()], 1)).astype(np.float32).reshape(h, w, 2)
        flag = cv2.INTER_NEAREST if nearest else cv2.INTER_LINEAR
        return np.asarray(cv2.remap(picture, where[..., 0], where[..., 1], flag), np.uint8)


def align(baseline: Canvas, later: Canvas) -> Alignment | None:
    """Find where each pixel of the baseline lies in the later photo.

    Begins from landmarks and, where the skin is not known again from there, from matched features: landmarks mislead
    when a chin is cut off or the head nods. None where there is nothing to begin from.
    """
    best: Alignment | None = None
    for begin in (_from_landmarks, from_features):
        start = begin(baseline, later)
        if start is None:
            continue
        found = _align_from(baseline, later, start)
        if found.known_again:
            return found
        if best is None or (found.matched_share or 0) > (best.matched_share or 0):
            best = found
    return best


def _align_from(baseline: Canvas, later: Canvas, start: Affine) -> Alignment:
    affine, correlation = _refine(baseline, later, start)
    patches = match_patches(relief(baseline), _warp(relief(later), affine), *_shared_skin(baseline, later, affine))
    field, matched = _fit_field(patches)
    patches = patches.with_matched(matched)
    if not len(patches.xy):
        return Alignment(affine, field, correlation, None, None, patches)
    residual = None
    if matched.any():
        left = patches.shift[matched] - _terms(patches.xy[matched]) @ field.T
        residual = float(np.median(np.hypot(*left.T))) / EYE_DISTANCE_PX
    return Alignment(affine, field, correlation, float(matched.mean()), residual, patches)


def _from_landmarks(baseline: Canvas, later: Canvas) -> Affine | None:
    """The similarity that takes the baseline's landmarks to the later ones, least squares over complex numbers."""
    names = sorted(baseline.landmarks.keys() & later.landmarks.keys())
    if len(names) < _LEAST_LANDMARKS:
        return None
    a = np.array([complex(*baseline.landmarks[n].xy) for n in names])
    b = np.array([complex(*later.landmarks[n].xy) for n in names])
    weights = np.array([min(baseline.landmarks[n].weight, later.landmarks[n].weight) for n in names])
    mean_a, mean_b = np.average(a, weights=weights), np.average(b, weights=weights)
    spread = float(np.sum(weights * np.abs(a - mean_a) ** 2))
    if spread < 1:
        return None
    turn = np.sum(weights * np.conj(a - mean_a) * (b - mean_b)) / spread
    if not 1 / _LARGEST_ZOOM <= abs(turn) <= _LARGEST_ZOOM:
        return None
    shift = mean_b - turn * mean_a
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def relief(canvas: Canvas) -> F32:
    """Skin's own pattern without the light on it: log green, local mean off, local spread to one; (n, n) float32."""
    light = np.log(canvas.image[..., 1].astype(np.float32) + 4.0)
    light = _blur(light, 0.8)
    flat = light - _blur(light, 7.0)
    return np.asarray(flat / np.sqrt(_blur(flat * flat, 14.0) + 4e-5), np.float32)


def _refine(baseline: Canvas, later: Canvas, start: Affine) -> tuple[Affine, float | None]:
    """Masked ECC, coarse to fine; where it does not settle, or runs away, what there was before stays."""
    one, two = _smooth(baseline), _smooth(later)
    mask_one, mask_two = face_mask(baseline), face_mask(later)
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, _ITERATIONS, _EPSILON)
    affine, correlation = start, None
    for scale in _SCALES:
        size = (round(CANVAS_PX * scale), round(CANVAS_PX * scale))
        seen = _shrink(one, size), _shrink(two, size)
        masks = _shrink(mask_one, size), _shrink(mask_two, size)
        zoom = crop_affine((0.0, 0.0, float(CANVAS_PX), float(CANVAS_PX)), size)
        begin = compose(zoom, compose(affine, invert(zoom))).astype(np.float32)
        try:
            value, found = cv2.findTransformECCWithMask(*seen, *masks, begin, cv2.MOTION_AFFINE, criteria, 3)
        except cv2.error:  # a flat picture or too little overlap
            continue
        better = compose(invert(zoom), compose(np.asarray(found, np.float64), zoom))
        if _moved(start, better) <= _LARGEST_STEP * FACE_PX:
            affine, correlation = better, float(value)
    return affine, correlation


def _smooth(canvas: Canvas) -> F32:
    """What ECC sees, at half the canvas's size: shapes and large lesions, slow changes of light taken off."""
    half = (CANVAS_PX // 2, CANVAS_PX // 2)
    light = np.log(cv2.resize(canvas.image[..., 1], half, interpolation=cv2.INTER_AREA).astype(np.float32) + 4.0)
    flat = _blur(light, 0.75) - _blur(light, 10.0)
    return np.asarray(np.clip(flat / np.sqrt(_blur(flat * flat, 15.0) + 1e-4), -3, 3), np.float32)


def _shrink(picture: Plane, size: tuple[int, int]) -> Plane:
    flag = cv2.INTER_NEAREST if picture.dtype == np.uint8 else cv2.INTER_AREA
    return np.asarray(cv2.resize(picture, size, interpolation=flag), dtype=picture.dtype)


def _moved(before: Affine, after: Affine) -> float:
    """How far the middle of the canvas and points around it go, at most, canvas pixels."""
    ring = 256 + 120 * np.array([[0, 0], [-1, 0], [1, 0], [0, -1], [0, 1]], np.float64)
    return float(np.hypot(*(apply(after, ring) - apply(before, ring)).T).max())


def _warp(picture: F32, affine: Affine) -> F32:
    size = picture.shape[1::-1]
    return np.asarray(cv2.warpAffine(picture, affine, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP), np.float32)


def _shared_skin(baseline: Canvas, later: Canvas, affine: Affine) -> tuple[Mask, Mask]:
    """Skin of both, in baseline pixels, a little inside: brows, lips and nostrils are alike in all people."""
    size = (baseline.parts.shape[1], baseline.parts.shape[0])
    flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    theirs = cv2.warpAffine(later.skin().astype(np.uint8), affine, size, flags=flags)
    margin = np.ones((9, 9), np.uint8)
    ours = baseline.skin().astype(np.uint8)
    return cv2.erode(ours, margin) > 0, cv2.erode(np.asarray(theirs, np.uint8), margin) > 0


def _terms(points_xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, 6) quadratic terms of canvas points, centred and scaled to about one."""
    x, y = ((points_xy - 256.0) / 200.0).T
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], 1)


def _fit_field(patches: Patches) -> tuple[NDArray[np.float64], Mask]:
    """The quadratic shift field that most patches agree on, and which do.

    Iteratively reweighted least squares from a wide gate to a narrow one; with too few patches the field is zero.
    """
    nothing = np.zeros((2, _TERMS))
    matched = np.zeros(len(patches.xy), bool)
    if len(patches.xy) < 3 * _TERMS:
        return nothing, matched
    design = _terms(patches.xy)
    field, ridge = nothing, np.diag([1e-3, 0.5, 0.5, 1.0, 1.0, 1.0])
    for gate in np.geomspace(12.0, _FIELD_GATE_PX, _FIELD_ROUNDS):
        distance = np.hypot(*(patches.shift - design @ field.T).T)
        weight = patches.quality / (1 + (distance / gate) ** 2) ** 2
        left = design.T @ (weight[:, None] * design) + ridge * max(float(weight.mean()), 1e-6)
        field = np.linalg.solve(left, design.T @ (weight[:, None] * patches.shift)).T
    distance = np.hypot(*(patches.shift - design @ field.T).T)
    return field, distance <= _FIELD_GATE_PX


def _blur(values: F32, sigma: float) -> F32:
    return np.asarray(cv2.GaussianBlur(values, (0, 0), sigma), np.float32)
