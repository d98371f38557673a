"""Lesions of a later photo on the baseline's canvas, and which of them are one and the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from comedo.geometry import apply, distance, invert, scale_of
from comedo.progress.canvas import CANVAS_PX, EYE_DISTANCE_PX, PX_PER_MM
from comedo.progress.values import Comparison, Visit
from comedo.types import Lesion, Mask, Region, Xy

_GATE_MM = 1.2  # how far a lesion's found middle wanders between photos of an unchanged face
_GATE_RESIDUALS = 2.0  # further, times the residual of the alignment
_GATE_SIZE = 0.5  # further, of the larger diameter
_NO_RESIDUAL = 0.01  # of the eye distance, where it was not measured


@dataclass(frozen=True)
class Placed:
    """A lesion on the baseline canvas, in the region that the baseline shows there (None: none).

    `seen` is whether its place is skin compared at that visit.
    """

    lesion: Lesion
    xy: Xy
    diameter_px: float
    area_mm2: float
    region: Region | None
    seen: bool


@dataclass(frozen=True)
class PlacedFaint:
    """A candidate that fell short of being reported, on the baseline canvas."""

    xy: Xy
    score: float


def place_lesions(visit: Visit, comparison: Comparison, parts: NDArray[np.uint8]) -> tuple[Placed, ...]:
    """The lesions of a visit on the baseline canvas, whose parts are `parts`."""
    if not visit.lesions:
        return ()
    points = _to_baseline(visit, comparison, [x.center_xy for x in visit.lesions])
    px = 1 / scale_of(visit.canvas.to_photo)
    if comparison.alignment is not None:
        px /= scale_of(comparison.alignment.affine)
    return tuple(
        Placed(
            lesion=lesion,
            xy=(x, y),
            diameter_px=lesion.diameter_px * px,
            area_mm2=lesion.area_px * (px / PX_PER_MM) ** 2,
            region=region_at(parts, (x, y)),
            seen=inside(comparison.common, (x, y)),
        )
        for lesion, (x, y) in zip(visit.lesions, points.tolist(), strict=True)
    )


def place_faint(visit: Visit, comparison: Comparison) -> tuple[PlacedFaint, ...]:
    """The candidates of a visit that fell short, where its skin is compared, the likeliest first."""
    if not visit.faint:
        return ()
    points = _to_baseline(visit, comparison, [x.center_xy for x in visit.faint]).tolist()
    placed = (PlacedFaint((x, y), faint.score) for faint, (x, y) in zip(visit.faint, points, strict=True))
    return tuple(sorted((p for p in placed if inside(comparison.common, p.xy)), key=lambda p: -p.score))


def _to_baseline(visit: Visit, comparison: Comparison, points_xy: Sequence[Xy]) -> NDArray[np.float64]:
    points = apply(invert(visit.canvas.to_photo), np.array(points_xy, np.float64))
    return points if comparison.alignment is None else comparison.alignment.to_baseline(points)


def region_at(parts: NDArray[np.uint8], xy: Xy) -> Region | None:
    """The region of a place on a canvas."""
    x, y = (min(max(round(v), 0), CANVAS_PX - 1) for v in xy)
    return next((r for r in Region if r.part == parts[y, x]), None)


def inside(mask: Mask, xy: Xy) -> bool:
    """Whether a place lies on a mask of the canvas."""
    x, y = round(xy[0]), round(xy[1])
    return 0 <= x < CANVAS_PX and 0 <= y < CANVAS_PX and bool(mask[y, x])


def gate_px(a_px: float, b_px: float, residual_share: float | None) -> float:
    """How far apart two findings may lie and still be one lesion: canvas pixels, from sizes and alignment."""
    residual = EYE_DISTANCE_PX * (_NO_RESIDUAL if residual_share is None else residual_share)
    return _GATE_MM * PX_PER_MM + _GATE_RESIDUALS * residual + _GATE_SIZE * max(a_px, b_px)


def match(known: Sequence[tuple[Xy, float]], found: Sequence[Placed], residual: float | None) -> dict[int, int]:
    """Pair known places (centre, diameter) with findings, one to one, nearest first; found index by known index."""
    pairs = sorted(
        (distance(xy, p.xy) / gate_px(size, p.diameter_px, residual), i, j)
        for i, (xy, size) in enumerate(known)
        for j, p in enumerate(found)
    )
    chosen: dict[int, int] = {}
    for cost, i, j in pairs:
        if cost > 1:
            break
        if i not in chosen and j not in chosen.values():
            chosen[i] = j
    return chosen


def match_faint(
    missed: Mapping[int, Xy], faint: Sequence[PlacedFaint], residual: float | None
) -> dict[int, PlacedFaint]:
    """Which lesions that one photo misses it shows faintly: each takes the likeliest place within its gate.

    Args:
        missed: Centres by a number of the lesion.
        faint: The likeliest first; each is taken once. Faint places are many, so that sizes, poorly known of them,
            do not widen the gate.
        residual: Of the alignment, over the eye distance.
    """
    gate, found = gate_px(0.0, 0.0, residual), dict[int, PlacedFaint]()
    for place in faint:
        near = {i: distance(xy, place.xy) for i, xy in missed.items() if i not in found}
        nearest = min(near, key=lambda i: near[i], default=None)
        if nearest is not None and near[nearest] <= gate:
            found[nearest] = place
    return found
