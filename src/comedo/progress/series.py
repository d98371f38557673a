"""Visits read pairwise: on the skin that two of them show, and under what conditions."""

from __future__ import annotations

import math
from dataclasses import dataclass

from comedo.progress.noise import ChangeNoise
from comedo.progress.placing import inside
from comedo.progress.values import Comparison, Track, Visit
from comedo.progress.verdict import Conditions, Readings, read_tracks
from comedo.types import Mask, Region


@dataclass(frozen=True, eq=False)
class Series:
    """Visits, how each compares with the baseline, and their lesions followed through all of them."""

    visits: tuple[Visit, ...]
    comparisons: tuple[Comparison, ...]
    ledger: tuple[Track, ...]
    noise: ChangeNoise
    factor: float = 1.0

    def pair(self, first: int, second: int) -> tuple[Readings, Readings, Conditions]:
        """Readings of two visits on the skin that both show, and how the photos differ."""
        common = self.comparisons[first].common & self.comparisons[second].common
        return self._read(first, common), self._read(second, common), self.conditions(first, second)

    def region_pair(self, first: int, second: int, region: Region) -> tuple[Readings, Readings]:
        """The same for one region."""
        common = self.comparisons[first].common & self.comparisons[second].common
        return self._read(first, common, region), self._read(second, common, region)

    def _read(self, visit: int, common: Mask, region: Region | None = None) -> Readings:
        mine = [t for t in self.ledger if inside(common, t.xy)]
        grade = self.visits[visit].grades.get("severity")
        value = grade.value if grade else None
        severity = float(value) if isinstance(value, (int, float)) else None
        return read_tracks(mine, visit, severity, region)

    def conditions(self, first: int, second: int) -> Conditions:
        """Light and zoom between two visits, each known against the baseline."""
        lights = [self.comparisons[i].light for i in (first, second) if i > 0]
        known = [self.noise.typical_light if light is None else light for light in lights]
        zoom = self.comparisons[second].zoom - self.comparisons[first].zoom
        return Conditions(math.hypot(*known), zoom, self.factor)
