"""Flares: regions in which more lesions are new than their share of the skin explains."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from comedo.progress.values import Comparison, State, Track
from comedo.types import Region

_LEAST = 3  # new lesions that are called a flare
_CHANCE = 0.05  # that new lesions spread by chance flag any region, shared by the regions compared (Bonferroni)


def find_flares(
    ledger: Iterable[Track], comparison: Comparison, parts: NDArray[np.uint8], session: Collection[int]
) -> tuple[Region, ...]:
    """The regions that flare in a session.

    Args:
        ledger: The lesions.
        comparison: Of its last visit with the baseline.
        parts: (n, n), of the baseline's canvas.
        session: The visits, minutes apart.
    """
    skin = {r: int((comparison.common & (parts == r.part)).sum()) for r in Region if comparison.regions[r].comparable}
    new = new_by_region(ledger, session)
    return flaring({region: new[region] for region in skin}, skin)


def new_by_region(ledger: Iterable[Track], session: Collection[int]) -> Counter[Region]:
    """Active lesions that appeared in a session, and that its last photo of their place still shows."""
    found: Counter[Region] = Counter()
    for track in ledger:
        here = [s for s in track.sightings if s.visit in session and s.state is not State.NOT_VISIBLE]
        if track.region and here and here[-1].alive and any(s.state is State.NEW for s in here):
            found[track.region] += 1
    return found


def flaring(new: Mapping[Region, int], skin: Mapping[Region, int]) -> tuple[Region, ...]:
    """Regions with so many of the new lesions that chance, by their share of the skin, seldom puts as many there.

    Args:
        new: New lesions of the regions compared.
        skin: Their area in any unit.
    """
    total, area = sum(new.values()), sum(skin.values())
    return tuple(
        region
        for region, count in new.items()
        if count >= _LEAST and _chance(count, total, skin[region] / area) <= _CHANCE / len(new)
    )


def _chance(least: int, total: int, share: float) -> float:
    """That at least so many of all fall into a part with this share (binomial)."""
    return sum(math.comb(total, k) * share**k * (1 - share) ** (total - k) for k in range(least, total + 1))
