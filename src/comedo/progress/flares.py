"""Flares: regions in which more lesions are new than their share of the skin explains."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from comedo.progress.ledger import new_by_region
from comedo.progress.values import Comparison, Track
from comedo.types import Region

_LEAST = 3  # new lesions that are called a flare
_CHANCE = 0.05  # that new lesions spread by chance flag any region, shared by the regions compared (Bonferroni)


def find_flares(
    ledger: Iterable[Track], comparison: Comparison, parts: NDArray[np.uint8], visit: int
) -> tuple[Region, ...]:
    """The regions that flare at a visit.

    Args:
        ledger: The lesions.
        comparison: Of the visit with the baseline.
        parts: (n, n), of the baseline's canvas.
        visit: Its number.
    """
    skin = {r: int((comparison.common & (parts == r.part)).sum()) for r in Region if comparison.regions[r].comparable}
    new = new_by_region(ledger, visit)
    return flaring({region: new[region] for region in skin}, skin)


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
