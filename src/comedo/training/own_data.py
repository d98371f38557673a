"""The user's own photos for the lesion map, from a COCO file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from comedo.training.lesion_data import IGNORE, WORK_PX_PER_MM, LesionPhoto
from comedo.training.truth import LabelledPhoto, read_coco
from comedo.types import Group

SOURCE = "own"
_ACTIVE = (Group.INFLAMMATORY, Group.NON_INFLAMMATORY)


@dataclass(frozen=True)
class _Side:
    photo: LabelledPhoto
    split: str


def load_own(annotations: Path, photos: Path, *, pixels_per_mm: float) -> list[LesionPhoto]:
    """Read a COCO file whose images name their `split` (train or val) and `group` (the person).

    Args:
        annotations: The file; several categories are read as groups, one as active lesions.
        photos: Folder where `file_name` starts.
        pixels_per_mm: Photo pixels in a millimetre of skin.
    """
    train = read_coco(annotations, photos, split="train")
    sides = [_Side(p, "train") for p in train.photos] + [_Side(p, "val") for p in train.elsewhere]
    zoom = WORK_PX_PER_MM / pixels_per_mm
    return [_to_lesion_photo(s, zoom) for s in sides if s.photo.lesions is not None]


def _to_lesion_photo(side: _Side, zoom: float) -> LesionPhoto:
    lesions = side.photo.lesions
    assert lesions is not None
    active = lesions.choose(_ACTIVE)
    typed = lesions.groups is not None
    inflamed = [float(g is Group.INFLAMMATORY) for g in active.groups or ()]
    return LesionPhoto(
        name=side.photo.name,
        source=SOURCE,
        split=side.split,
        group=f"own-{side.photo.group}",
        path=side.photo.path,
        scale_xy=(zoom, zoom),
        active=active.circles,
        marks=lesions.choose((Group.MARK,)).circles if typed else None,
        inflamed=np.asarray(inflamed, np.float32) if typed else np.full(len(active.circles), IGNORE, np.float32),
        grade=side.photo.grade,
    )
