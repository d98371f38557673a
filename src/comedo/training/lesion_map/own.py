"""The user's own photos for the lesion map, from a COCO file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from comedo.errors import UnusableInput
from comedo.training.evaluation.truth import LabelledPhoto, read_coco
from comedo.training.lesion_map.data import IGNORE, WORK_PX_PER_MM, LesionPhoto
from comedo.types import Group

SOURCE = "own"
_ACTIVE = (Group.INFLAMMATORY, Group.NON_INFLAMMATORY)


def load_own(annotations: Path, photos: Path, *, pixels_per_mm: float) -> list[LesionPhoto]:
    """Read a COCO file whose images name their `split` and `group` (the person).

    Only `train` is learnt from and only `val` is measured on. Photos of any other split, such as `test`, come along
    under its name, so that the leak check sees them.

    Args:
        annotations: The file; several categories are read as groups, one as active lesions.
        photos: Folder where `file_name` starts.
        pixels_per_mm: Photo pixels in a millimetre of skin.

    Raises:
        UnusableInput: The file is no such file, or a labelled image names no split.
    """
    labelled = [p for p in read_coco(annotations, photos, split=None).photos if p.lesions is not None]
    undecided = [p.name for p in labelled if p.split is None]
    if undecided:
        raise UnusableInput(
            f"{annotations}: {len(undecided)} of {len(labelled)} labelled images name no split (first: "
            f"{undecided[0]}); each must say train, val or test, as `comedo data split` writes it"
        )
    zoom = WORK_PX_PER_MM / pixels_per_mm
    return [_to_lesion_photo(photo, zoom) for photo in labelled]


def _to_lesion_photo(photo: LabelledPhoto, zoom: float) -> LesionPhoto:
    lesions = photo.lesions
    assert lesions is not None
    assert photo.split is not None
    active = lesions.choose(_ACTIVE)
    typed = lesions.groups is not None
    inflamed = [float(g is Group.INFLAMMATORY) for g in active.groups or ()]
    return LesionPhoto(
        name=photo.name,
        source=SOURCE,
        split=photo.split,
        person=f"own-{photo.group}",
        path=photo.path,
        scale_xy=(zoom, zoom),
        active=active.circles,
        marks=lesions.choose((Group.MARK,)).circles if typed else None,
        inflamed=np.asarray(inflamed, np.float32) if typed else np.full(len(active.circles), IGNORE, np.float32),
        grade=photo.grade,
    )
