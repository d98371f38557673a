"""Visits read against each other: on the skin that both show, and under what conditions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property, reduce
from itertools import product
from operator import and_
from statistics import fmean

from comedo.progress.noise import ChangeNoise
from comedo.progress.placing import inside
from comedo.progress.values import Comparison, Track, Visit
from comedo.progress.verdict import Conditions, Readings, read_tracks
from comedo.types import Mask, Region

MINUTES_APART = timedelta(hours=1)  # photos closer than this show the same skin: they calibrate a person's own noise

Session = tuple[int, ...]  # visits minutes apart


@dataclass(frozen=True, eq=False)
class Series:
    """Visits, how each compares with the baseline, and their lesions followed through all of them."""

    visits: tuple[Visit, ...]
    comparisons: tuple[Comparison, ...]
    ledger: tuple[Track, ...]
    noise: ChangeNoise
    factor: float = 1.0

    @cached_property
    def sessions(self) -> tuple[Session, ...]:
        """The visits that can be compared, those within an hour of the first of them together; undated ones alone."""
        found: list[Session] = []
        for i, comparison in enumerate(self.comparisons):
            if not comparison.comparable:
                continue
            if found and self._minutes_apart(found[-1][0], i):
                found[-1] += (i,)
            else:
                found.append((i,))
        return tuple(found)

    def _minutes_apart(self, first: int, second: int) -> bool:
        start, end = self.visits[first].when, self.visits[second].when
        return start is not None and end is not None and end - start <= MINUTES_APART

    def pair(self, first: int, second: int) -> tuple[Readings, Readings, Conditions]:
        """Readings of two visits on the skin that both show, and how the photos differ."""
        return self.between((first,), (second,))

    def between(
        self, first: Session, second: Session, region: Region | None = None
    ) -> tuple[Readings, Readings, Conditions]:
        """Mean readings of two sessions on the skin that all of their photos show, of a region or of the whole face.

        The conditions are those of single photos, root mean square over the pairs: a mean varies no more than they do.
        """
        common = reduce(and_, (self.comparisons[i].common for i in (*first, *second)))
        before, after = (_mean([self._read(i, common, region) for i in photos]) for photos in (first, second))
        pairs = [self.conditions(i, j) for i, j in product(first, second)]
        light, zoom, sharpness = (
            math.sqrt(fmean(value**2 for value in values))
            for values in zip(*((c.light, c.zoom, c.sharpness) for c in pairs), strict=True)
        )
        return before, after, Conditions(light, zoom, self.factor, sharpness)

    def _read(self, visit: int, common: Mask, region: Region | None) -> Readings:
        mine = [t for t in self.ledger if inside(common, t.xy)]
        grade = self.visits[visit].grades.get("severity")
        value = grade.value if grade else None
        severity = float(value) if isinstance(value, (int, float)) else None
        return read_tracks(mine, visit, severity, region)

    def conditions(self, first: int, second: int) -> Conditions:
        """Light and zoom between two visits, each known against the baseline; and their sharpness."""
        lights = [self.comparisons[i].light for i in (first, second) if i > 0]
        known = [self.noise.typical_light if light is None else light for light in lights]
        zoom = self.comparisons[second].zoom - self.comparisons[first].zoom
        before, after = (self.visits[i].quality_of("sharpness") for i in (first, second))
        sharpness = math.log2(after / before) if before and after else 0.0
        return Conditions(math.hypot(*known), zoom, self.factor, sharpness)


def _mean(readings: Sequence[Readings]) -> Readings:
    """Mean of each measure; of severity, over the photos that have it."""
    severities = [r.severity for r in readings if r.severity is not None]
    severity = fmean(severities) if severities else None
    return Readings(fmean(r.count for r in readings), fmean(r.area for r in readings), severity)
