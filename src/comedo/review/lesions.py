"""Lesions and their mask after a reader's corrections."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from comedo.errors import UnusableInput
from comedo.geometry import invert
from comedo.lesions.kinds import KINDS, likeliest_kind
from comedo.review.corrections import Add, Confirm, Correct, LesionCorrection, Reject
from comedo.types import Box, FaceMap, Group, Kind, Lesion, Mask, Region, Xy

_REGION_OF_PART = {int(r.part): r for r in Region}
_REACH = 2.5  # radii around a centre in which mask belongs to a lesion, as when lesions are found


class Status(StrEnum):
    """What the reader said of a lesion."""

    UNREVIEWED = "unreviewed"
    CONFIRMED = "confirmed"
    CORRECTED = "corrected"
    ADDED = "added"


@dataclass(frozen=True)
class Read:
    """A lesion that stands after the review."""

    lesion: Lesion
    status: Status


def correct_lesions(
    lesions: Sequence[Lesion], corrections: Sequence[LesionCorrection], face: FaceMap, size_wh: tuple[int, int]
) -> tuple[Read, ...]:
    """The lesions that stand: rejected ones are left out, added ones get the next numbers.

    Raises:
        UnusableInput: A correction names a lesion that is not there, or a place outside the photo.
    """
    named = {c.id: c for c in corrections if not isinstance(c, Add)}
    known = {lesion.id for lesion in lesions}
    if strangers := sorted(named.keys() - known):
        raise UnusableInput(f"corrections.lesions: there is no lesion {strangers[0]}; the analysis has {len(known)}")
    stands = [_read(lesion, named.get(lesion.id), face, size_wh) for lesion in lesions]
    first = max(known, default=0) + 1
    added = [c for c in corrections if isinstance(c, Add)]
    stands += [Read(_added(c, first + n, face, size_wh), Status.ADDED) for n, c in enumerate(added)]
    return tuple(read for read in stands if read is not None)


def _read(
    lesion: Lesion, said: Confirm | Reject | Correct | None, face: FaceMap, size_wh: tuple[int, int]
) -> Read | None:
    if said is None:
        return Read(lesion, Status.UNREVIEWED)
    if isinstance(said, Reject):
        return None
    if isinstance(said, Confirm):
        return Read(replace(lesion, kind_probs={lesion.kind: 1.0}, group_probs={lesion.group: 1.0}), Status.CONFIRMED)
    group = said.group_meant or lesion.group
    probs = _kind_probs(lesion.kind_probs, group, said.kind)
    changed = replace(
        lesion, group=group, group_probs={group: 1.0}, kind=likeliest_kind(group, probs), kind_probs=probs
    )
    if said.center_xy is not None or said.diameter_px is not None:
        changed = _placed(
            changed, said.center_xy or lesion.center_xy, said.diameter_px or lesion.diameter_px, face, size_wh
        )
    return Read(changed, Status.CORRECTED)


def _kind_probs(before: Mapping[Kind, float], group: Group, kind: Kind | None) -> dict[Kind, float]:
    """Certain where the reader named a kind; else comedo's, shared out among those of the group."""
    if kind is not None:
        return {kind: 1.0}
    mine = {k: before.get(k, 0.0) for k in KINDS[group]}
    total = sum(mine.values())
    return {k: p / total if total else 1 / len(mine) for k, p in mine.items()}


def _added(said: Add, number: int, face: FaceMap, size_wh: tuple[int, int]) -> Lesion:
    group = said.group_meant
    assert group is not None
    probs = _kind_probs({}, group, said.kind)
    blank = Lesion(
        id=number,
        box_xyxy=(0.0, 0.0, 0.0, 0.0),
        center_xy=said.center_xy,
        diameter_px=said.diameter_px,
        diameter_mm=None,
        area_px=0.0,
        score=1.0,
        group=group,
        group_probs={group: 1.0},
        kind=likeliest_kind(group, probs),
        kind_probs=probs,
        region=None,
        redness=None,
        conspicuity=1.0,  # a person saw it unaided: what the sparser convention asks
    )
    return _placed(blank, said.center_xy, said.diameter_px, face, size_wh)


def _placed(lesion: Lesion, center_xy: Xy, diameter_px: float, face: FaceMap, size_wh: tuple[int, int]) -> Lesion:
    """The lesion at a place: a circle, whose region and millimetres follow from the face map."""
    (x, y), radius, (width, height) = center_xy, diameter_px / 2, size_wh
    if not (0 <= x < width and 0 <= y < height) or diameter_px > min(size_wh):
        raise UnusableInput(
            f"corrections.lesions: a circle of {diameter_px:g} pixels at {x:g}, {y:g} does not lie in the photo of "
            f"{width} x {height}; give pixels of the upright photo"
        )
    box: Box = (x - radius, y - radius, x + radius, y + radius)
    return replace(
        lesion,
        box_xyxy=box,
        center_xy=(x, y),
        diameter_px=diameter_px,
        diameter_mm=None if face.mm_per_px is None else diameter_px * face.mm_per_px,
        area_px=math.pi * radius**2,
        region=region_at(face, (x, y)),
    )


def region_at(face: FaceMap, xy: Xy) -> Region | None:
    """The region of the face in which a place of the photo lies."""
    column, row = (round(float(v)) for v in invert(face.to_photo) @ (xy[0], xy[1], 1.0))
    rows, columns = face.parts.shape
    if not (0 <= row < rows and 0 <= column < columns):
        return None
    return _REGION_OF_PART.get(int(face.parts[row, column]))


def correct_mask(mask: Mask, skin: Mask, before: Sequence[Lesion], after: Sequence[Lesion]) -> Mask:
    """The mask of active lesions after a review.

    What belongs to a lesion that is gone (nearer to it than to any other, within 2.5 radii) is taken away; a lesion
    that is new, or has moved or become active, adds its disc on the skin.

    Args:
        mask: (H, W) of the active lesions `before`.
        skin: (H, W) that acne can affect.
    """
    then = {x.id: x for x in before if x.active}
    now = {x.id: x for x in after if x.active}
    same = {i for i in then.keys() & now.keys() if _circle(then[i]) == _circle(now[i])}
    result = mask.copy()
    standing = [then[i] for i in sorted(same)]
    for number in sorted(then.keys() - same):
        _take_away(result, then[number], standing)
    for number in sorted(now.keys() - same):
        rows, columns, far = _around(now[number], 1.0, result.shape)
        result[rows, columns] |= (far <= now[number].diameter_px / 2) & skin[rows, columns]
    return result


def _circle(lesion: Lesion) -> tuple[Xy, float]:
    return lesion.center_xy, lesion.diameter_px


def _take_away(mask: Mask, lesion: Lesion, standing: Sequence[Lesion]) -> None:
    rows, columns, far = _around(lesion, _REACH, mask.shape)
    mine = far <= _REACH * lesion.diameter_px / 2
    for other in standing:
        if math.dist(lesion.center_xy, other.center_xy) < 2 * _REACH * lesion.diameter_px:
            mine &= far <= _distance(other, rows, columns)
    mask[rows, columns] &= ~mine


def _around(lesion: Lesion, radii: float, shape: tuple[int, ...]) -> tuple[slice, slice, NDArray[np.float64]]:
    """Rows and columns of the window around a lesion, and how far each pixel is from its centre."""
    (x, y), reach = lesion.center_xy, radii * lesion.diameter_px / 2 + 1
    rows = slice(max(0, math.floor(y - reach)), min(shape[0], math.ceil(y + reach) + 1))
    columns = slice(max(0, math.floor(x - reach)), min(shape[1], math.ceil(x + reach) + 1))
    return rows, columns, _distance(lesion, rows, columns)


def _distance(lesion: Lesion, rows: slice, columns: slice) -> NDArray[np.float64]:
    x, y = lesion.center_xy
    return np.hypot(np.arange(columns.start, columns.stop)[None] - x, np.arange(rows.start, rows.stop)[:, None] - y)
