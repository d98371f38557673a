"""Counts under a named convention, each with a 90 % interval."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from comedo.calibration import Calibration
from comedo.types import Counts, Coverage, FaceMap, Group, Kind, Lesion, Mask, Region

# "visible": every active lesion that can be seen, as ACNE04-v2 (Gazeau et al., MICCAI 2024) counts.
# "acne04-v1": only what the annotators of the first ACNE04 (Wu et al., ICCV 2019) marked, about a
# third of it: needed to compare with numbers published on that set.
CONVENTIONS: Mapping[str, Callable[[Lesion, Calibration], bool]] = MappingProxyType(
    {
        "visible": lambda lesion, _: lesion.active,
        "acne04-v1": lambda lesion, c: lesion.active and (lesion.conspicuity or 0.0) >= c.thresholds.sparse,
    }
)


def check_convention(convention: str) -> None:
    """Refuse a convention that has no name in `CONVENTIONS`.

    Raises:
        ValueError: There is no such convention.
    """
    if convention not in CONVENTIONS:
        raise ValueError(f"no counting convention {convention!r}; choose one of {', '.join(CONVENTIONS)}")


def counted(lesions: Sequence[Lesion], calibration: Calibration, convention: str) -> tuple[Lesion, ...]:
    """The lesions that count under a convention."""
    return tuple(x for x in lesions if CONVENTIONS[convention](x, calibration))


def count_lesions(
    lesions: Sequence[Lesion], face: FaceMap, calibration: Calibration, *, convention: str = "visible"
) -> Counts:
    """Count active lesions; marks are left out, regions that are not visible are None.

    Raises:
        ValueError: If the convention has no name in `CONVENTIONS`.
    """
    check_convention(convention)
    mine = counted(lesions, calibration, convention)
    noise, visible = calibration.count_noise[convention], face.visible_regions
    return Counts(
        convention=convention,
        total=len(mine),
        interval_90=noise.interval(len(mine)),
        by_group={g: sum(x.group is g for x in mine) for g in Group if g is not Group.MARK},
        by_kind={k: sum(x.kind is k for x in mine) for k in Kind if k is not Kind.MARK},
        by_region={r: sum(x.region is r for x in mine) if r in visible else None for r in Region},
    )


def measure_coverage(lesion_mask: Mask, face: FaceMap) -> Coverage:
    """Share of the skin that lies under active lesions.

    Args:
        lesion_mask: (H, W) of the photo, inside the skin.
        face: Its skin is the whole.
    """
    skin = face.skin_area_px
    return Coverage(lesion_px=min(int(np.count_nonzero(lesion_mask)), skin), skin_px=skin)
