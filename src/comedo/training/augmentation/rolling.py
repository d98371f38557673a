"""Rolling of region patches: a patch moves round in a circle, so that rare grades have more of them.

Source: the severity system described in the documentation (Microsoft with Nestlé Skin Health): the
forehead is rolled sideways, cheeks and chin downwards, with wrap-around; rarer grades more often.
There the copies were split at random, so that one selfie stood on both sides. Here rolling happens
after the split.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from comedo.types import Image, Region

Grade = TypeVar("Grade", bound=Hashable)
_DOWN, _SIDEWAYS = 0, 1
ROLL_AXIS = {region: _SIDEWAYS if region is Region.FOREHEAD else _DOWN for region in Region}


@dataclass(frozen=True)
class Roll:
    """One circular shift of a patch."""

    axis: int  # 0: down, 1: sideways
    shift_px: int

    def apply(self, patch: Image) -> Image:
        """The (H, W, 3) patch, shifted with wrap-around."""
        return np.roll(patch, self.shift_px, axis=self.axis)


def rolls_per_grade(photos: Mapping[Grade, int]) -> dict[Grade, int]:
    """How many rolled copies a patch of each grade gets, beside itself.

    Args:
        photos: Photos of each grade, of training people only.

    Returns:
        2 + max(0, floor(photos of the commonest grade / photos of this one) - 1).
    """
    if any(n < 1 for n in photos.values()):
        raise ValueError(f"each grade needs at least one photo, got {dict(photos)}")
    most = max(photos.values(), default=0)
    return {grade: 2 + max(0, most // number - 1) for grade, number in photos.items()}


def all_rolls(patch: Image, region: Region, rolls: int) -> tuple[Roll, ...]:
    """The shifts of a patch, evenly spread; the patch itself is not among them."""
    axis = ROLL_AXIS[region]
    step = patch.shape[axis] // (rolls + 1)
    return tuple(Roll(axis, step * k) for k in range(1, rolls + 1))


def draw_roll(rng: np.random.Generator, patch: Image, region: Region, rolls: int) -> Roll:
    """One of the shifts, or none, all equally likely: for training that draws patches as it goes."""
    choices = (Roll(ROLL_AXIS[region], 0), *all_rolls(patch, region, rolls))
    return choices[int(rng.integers(len(choices)))]
