"""The same lesion from photo to photo: matching on the baseline's canvas, histories, half-life, flares."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from comedo.geometry import apply, distance, invert, scale_of
from comedo.progress.canvas import CANVAS_PX, EYE_DISTANCE_PX, PX_PER_MM
from comedo.progress.values import Comparison, Sighting, State, Track, Visit
from comedo.types import Group, Lesion, Mask, Region, Xy

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


def place_lesions(visit: Visit, comparison: Comparison, parts: NDArray[np.uint8]) -> tuple[Placed, ...]:
    """The lesions of a visit on the baseline canvas, whose parts are `parts`."""
    if not visit.lesions:
        return ()
    points = apply(invert(visit.canvas.to_photo), np.array([x.center_xy for x in visit.lesions], np.float64))
    px = 1 / scale_of(visit.canvas.to_photo)
    if comparison.alignment is not None:
        points = comparison.alignment.to_baseline(points)
        px /= scale_of(comparison.alignment.affine)
    return tuple(
        Placed(
            lesion=lesion,
            xy=(x, y),
            diameter_px=lesion.diameter_px * px,
            area_mm2=lesion.area_px * (px / PX_PER_MM) ** 2,
            region=region_at(parts, (x, y)),
            seen=_inside(comparison.common, (x, y)),
        )
        for lesion, (x, y) in zip(visit.lesions, points.tolist(), strict=True)
    )


def region_at(parts: NDArray[np.uint8], xy: Xy) -> Region | None:
    """The region of a place on a canvas."""
    x, y = (min(max(round(v), 0), CANVAS_PX - 1) for v in xy)
    return next((r for r in Region if r.part == parts[y, x]), None)


def _inside(mask: Mask, xy: Xy) -> bool:
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


@dataclass
class _Growing:
    """A track while the ledger is being written."""

    xy: Xy
    diameter_px: float
    sightings: list[Sighting] = field(default_factory=list)

    @property
    def last(self) -> State:
        """What was last known; not visible says nothing."""
        known = [s.state for s in self.sightings if s.state is not State.NOT_VISIBLE]
        return known[-1]

    @property
    def was_active(self) -> bool:
        return any(s.group not in (None, Group.MARK) for s in self.sightings)


def build_ledger(visits: Sequence[Visit], comparisons: Sequence[Comparison]) -> tuple[Track, ...]:
    """Follow every lesion through the comparable visits; marks too, since lesions turn into them."""
    growing: list[_Growing] = []
    parts = visits[0].canvas.parts
    seen_before = np.zeros((CANVAS_PX, CANVAS_PX), bool)
    for index, (visit, comparison) in enumerate(zip(visits, comparisons, strict=True)):
        if not comparison.comparable:
            continue
        found = [p for p in place_lesions(visit, comparison, parts) if p.seen]
        residual = comparison.alignment.residual_share if comparison.alignment else None
        pairs = match([(t.xy, t.diameter_px) for t in growing], found, residual)
        for i, track in enumerate(growing):
            _continue(track, index, found[pairs[i]] if i in pairs else None, comparison.common)
        taken = set(pairs.values())
        growing += [_begin(p, index, seen_before) for j, p in enumerate(found) if j not in taken]
        seen_before |= comparison.common
    return tuple(Track(n, t.xy, region_at(parts, t.xy), tuple(t.sightings)) for n, t in enumerate(growing, 1))


def _begin(placed: Placed, visit: int, seen_before: Mask) -> _Growing:
    state = State.NEW if _inside(seen_before, placed.xy) else State.PRESENT
    return _Growing(placed.xy, placed.diameter_px, [_sighting(visit, state, placed)])


def _continue(track: _Growing, visit: int, placed: Placed | None, common: Mask) -> None:
    if placed is None:
        known = _inside(common, track.xy)
        track.sightings.append(Sighting(visit, State.RESOLVED if known else State.NOT_VISIBLE))
        return
    if placed.lesion.active:
        healed = track.last in (State.RESOLVED, State.TURNED_INTO_MARK) or not track.was_active
        state = State.NEW if healed else State.PERSISTING
    else:
        state = State.TURNED_INTO_MARK if track.was_active else State.PERSISTING
    track.sightings.append(_sighting(visit, state, placed))
    track.xy = (0.5 * (track.xy[0] + placed.xy[0]), 0.5 * (track.xy[1] + placed.xy[1]))
    track.diameter_px = placed.diameter_px


def _sighting(visit: int, state: State, placed: Placed) -> Sighting:
    lesion = placed.lesion
    return Sighting(visit, state, lesion.id, lesion.group, placed.area_mm2, lesion.redness)


_ALIVE = (State.PRESENT, State.NEW, State.PERSISTING)


def half_life_days(ledger: Iterable[Track], days: Sequence[float | None]) -> float | None:
    """Time after which half of the active lesions have gone, if each day takes the same share of them.

    Exponential survival with censoring: ln 2 times days at risk over lesions gone; one that goes between two visits
    goes half-way. None where nothing went or the days are not known.
    """
    at_risk, gone = 0.0, 0
    for track in ledger:
        known = [s for s in track.sightings if s.state is not State.NOT_VISIBLE]
        for before, after in pairwise(known):
            start, end = days[before.visit], days[after.visit]
            if before.state not in _ALIVE or before.group in (None, Group.MARK) or start is None or end is None:
                continue
            ends = after.state in (State.RESOLVED, State.TURNED_INTO_MARK)
            at_risk += (end - start) * (0.5 if ends else 1.0)
            gone += ends
    return None if gone == 0 or at_risk <= 0 else math.log(2) * at_risk / gone


def new_by_region(ledger: Iterable[Track], visit: int) -> dict[Region, int]:
    """Active lesions that appeared at a visit."""
    found = dict.fromkeys(Region, 0)
    for track in ledger:
        here = track.at(visit)
        if track.region and here and here.state is State.NEW and here.group is not Group.MARK:
            found[track.region] += 1
    return found
