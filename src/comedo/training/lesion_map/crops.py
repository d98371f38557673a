"""Crops for the lesion network and what it should say about them.

A crop is drawn by one affine from the source picture, so that nothing is resampled twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from comedo.training.augment import draw_look
from comedo.training.by_source import BySource
from comedo.training.lesion_map.data import IGNORE, LesionPhoto
from comedo.training.runner.recent import Recent
from comedo.types import Image

STRIDE = 2

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class LesionTarget:
    """What the network should say about one crop, at stride 2.

    Maps are (h, w) float32; a weight of 0 says that nothing is known there.
    """

    mask: NDArray[np.float32]
    mask_weight: NDArray[np.float32]
    heat: NDArray[np.float32]  # (3, h, w): active, mark, sparse
    heat_weight: NDArray[np.float32]  # (3, h, w)
    inflamed: NDArray[np.float32]  # 1, 0 or IGNORE at centres
    log_radius: NDArray[np.float32]  # natural log of the radius in work pixels, IGNORE away from centres


def _splat(heat: NDArray[np.float32], x: float, y: float, radius: float) -> None:
    """Write a Gaussian with peak 1 at the nearest cell, keeping the higher value.

    Its width allows for centres marked a cell or two off: a sharper one splits such a lesion into low peaks.
    """
    sigma = min(max(1.2, radius / 2.5), 4.0)
    reach = int(np.ceil(3 * sigma))
    cx, cy = round(x), round(y)
    h, w = heat.shape
    x0, x1, y0, y1 = max(cx - reach, 0), min(cx + reach + 1, w), max(cy - reach, 0), min(cy + reach + 1, h)
    if x0 >= x1 or y0 >= y1:
        return
    gx = np.exp(-((np.arange(x0, x1) - cx) ** 2) / (2 * sigma**2))
    gy = np.exp(-((np.arange(y0, y1) - cy) ** 2) / (2 * sigma**2))
    np.maximum(heat[y0:y1, x0:x1], np.outer(gy, gx).astype(np.float32), out=heat[y0:y1, x0:x1])


def _draw(canvas: NDArray[np.float32], circles: NDArray[np.float32], value: float, *, grow: float = 1.0) -> None:
    for x, y, r in circles:
        center = (round(float(x) * 16), round(float(y) * 16))
        radius = max(float(r) * grow - 0.45, 0.3)  # OpenCV fills every cell that the outline touches
        cv2.circle(canvas, center, round(radius * 16), value, -1, cv2.LINE_8, 4)


def _at_centres(canvas: Floats, cells: Floats, values: Floats) -> None:
    """Write each value at its lesion's centre cell; lesions outside are left out."""
    for (x, y, _), value in zip(cells, values, strict=True):
        cx, cy = round(float(x)), round(float(y))
        if 0 <= cx < canvas.shape[1] and 0 <= cy < canvas.shape[0]:
            canvas[cy, cx] = value


def _log_radii(cells: Floats) -> Floats:
    return np.log(np.maximum(cells[:, 2] * STRIDE, 1.0))


def make_target(photo: LesionPhoto, affine: NDArray[np.float64], size: int, mask: Floats | None) -> LesionTarget:
    """Draw the target of one crop.

    Args:
        photo: The source picture's lesions.
        affine: (2, 3), from the picture's pixels to the crop's.
        size: Side of the crop in pixels.
        mask: The hand-made mask already warped to (size / 2, size / 2), if the photo has one.
    """
    side = size // STRIDE
    growth = np.sqrt(abs(np.linalg.det(affine[:, :2])))

    def to_cells(circles: Floats) -> Floats:
        xy = circles[:, :2] @ affine[:, :2].T + affine[:, 2]
        # Cell k covers pixels 2k and 2k + 1, whose common centre is 2k + 0.5.
        return np.concatenate([(xy - 0.5) / STRIDE, circles[:, 2:] * growth / STRIDE], 1).astype(np.float32)

    known = [None if c is None else to_cells(c) for c in (photo.active, photo.marks, photo.sparse)]
    target = LesionTarget(
        mask=np.zeros((side, side), np.float32),
        mask_weight=np.zeros((side, side), np.float32),
        heat=np.zeros((3, side, side), np.float32),
        heat_weight=np.zeros((3, side, side), np.float32),
        inflamed=np.full((side, side), IGNORE, np.float32),
        log_radius=np.full((side, side), IGNORE, np.float32),
    )
    # The three-type boxes leave faint lesions out: away from boxes they say less.
    elsewhere = 0.4 if photo.source == "typed" else 1.0
    for channel, cells in enumerate(known):
        if cells is not None:
            target.heat_weight[channel] = elsewhere
            _draw(target.heat_weight[channel], cells, 1.0, grow=1.5)
            for x, y, r in cells:
                _splat(target.heat[channel], x, y, r)
    active, marks, _ = known
    if active is not None:
        _draw_active(target, photo, active)
    if marks is not None:
        _draw(target.heat_weight[0], marks, 2.0)  # look-alikes: hard negatives of the active centres
        _at_centres(target.log_radius, marks, _log_radii(marks))
    if mask is not None:
        target.mask[:], target.mask_weight[:] = mask, 1.0
    return target


def _draw_active(target: LesionTarget, photo: LesionPhoto, cells: Floats) -> None:
    if photo.source != "typed":  # those are boxes, whose discs say little of the shape
        _draw(target.mask, cells, 1.0)
        target.mask_weight[:] = 0.25 if len(cells) else 1.0
    if photo.marks is None:  # an active lesion is no mark; elsewhere nobody looked
        _draw(target.heat_weight[1], cells, 0.5)
    _at_centres(target.log_radius, cells, _log_radii(cells))
    if photo.inflamed is not None:
        _at_centres(target.inflamed, cells, photo.inflamed)


@dataclass(frozen=True)
class CropPlan:
    """How crops are drawn: sizes in pixels, shares by source."""

    size: int = 384
    zoom: tuple[float, float] = (0.72, 1.4)  # log-uniform around the work scale
    rotate_deg: float = 25.0
    on_lesion: float = 0.72  # share of crops centred near a lesion
    look: float = 1.0  # strength of the changes of light, colour and sharpness
    shares: Mapping[str, float] = field(
        default_factory=lambda: {
            "crops1024": 0.33,
            "frames512": 0.25,
            "frames640": 0.10,
            "graded640": 0.02,
            "typed": 0.19,
            "masks": 0.07,
            "clear": 0.04,
        }
    )


@dataclass(frozen=True, eq=False)
class _Pixels:
    image: Image
    mask: Floats | None

    @property
    def nbytes(self) -> int:
        return self.image.nbytes + (0 if self.mask is None else self.mask.nbytes)


class LesionCrops:
    """Endless seeded crops over photos, of which those used last stay in memory."""

    def __init__(self, photos: Sequence[LesionPhoto], plan: CropPlan) -> None:
        self.plan, self.photos = plan, photos
        self._turns = BySource([photo.source for photo in photos], plan.shares)
        self._read: Recent[_Pixels] = Recent()

    def draw(self, rng: np.random.Generator) -> tuple[NDArray[np.uint8], LesionTarget]:
        """One augmented crop (size, size, 3) uint8 RGB with its target."""
        number = self._turns.draw(rng)
        photo = self.photos[number]
        pixels = self._read.get(number, lambda: _Pixels(photo.read(), photo.read_mask()))
        image, mask, size = pixels.image, pixels.mask, self.plan.size
        affine = self._draw_affine(photo, image.shape[:2], rng)
        crop = cv2.warpAffine(image, affine, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        look = draw_look(rng, strength=self.plan.look)
        if mask is not None:
            shrink = np.array([[1 / STRIDE, 0, -0.25], [0, 1 / STRIDE, -0.25]])
            full = np.vstack([affine, [0, 0, 1]])
            small = cv2.warpAffine(mask, shrink @ full, (size // STRIDE, size // STRIDE), flags=cv2.INTER_LINEAR)
            mask = (np.asarray(small) > 0.5).astype(np.float32)
        return look.apply(np.asarray(crop, np.uint8), rng), make_target(photo, affine, size, mask)

    def _draw_affine(self, photo: LesionPhoto, shape: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float64]:
        plan, (h, w) = self.plan, shape
        circles = [c for c in (photo.active, photo.marks) if c is not None and len(c)]
        if circles and rng.random() < plan.on_lesion:
            pool = np.concatenate(circles)
            cx, cy = pool[rng.integers(len(pool)), :2]
            spread = plan.size * 0.35
            cx, cy = (
                cx + rng.uniform(-spread, spread) / photo.scale_xy[0],
                cy + rng.uniform(-spread, spread) / photo.scale_xy[1],
            )
        else:
            cx, cy = rng.uniform(0.15, 0.85) * w, rng.uniform(0.1, 0.9) * h
        zoom = float(np.exp(rng.uniform(*np.log(plan.zoom))))
        angle = np.deg2rad(rng.normal(0, plan.rotate_deg / 2))
        rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        flip = -1.0 if rng.random() < 0.5 else 1.0
        linear = zoom * rotation @ np.diag([flip * photo.scale_xy[0], photo.scale_xy[1]])
        shift = np.array([plan.size / 2, plan.size / 2]) - linear @ np.array([cx, cy])
        return np.hstack([linear, shift[:, None]])
