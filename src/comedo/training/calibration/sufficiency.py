"""What each fitted number needs of the labelled photos, and which of them lack it.

The least numbers are conventions, set low so that a small set of one's own can be used: with 20 photos the ends of a
90 % interval are single photos.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

import numpy as np

from comedo.training.lesion_map.data import LesionPhoto
from comedo.training.lesion_map.own import SOURCE as OWN

CLINIC = ("crops1024", "frames512", OWN)  # whole faces on which every active lesion was to be marked
GRADED = (*CLINIC, "graded640")  # whole faces that may have a grade
SPARSE = ("frames512", "frames640")  # photos whose v1 boxes set the cut-off of that convention
GRADES = range(4)  # of ACNE04, and of photos of one's own

LEAST_LESIONS = 30


class Number(StrEnum):
    """A group of fitted numbers, named as a person is told."""

    WEIGHING = "weights of candidates"
    TYPES = "cut-offs of marks and of inflamed"
    MASK = "cut-off of the mask"
    SPARSE = "cut-off of acne04-v1"
    COUNTS = "count interval"
    SPARSE_COUNTS = "count interval of acne04-v1"
    SEVERITY = "severity"
    AFFECTED = "affected or not"


def lacking(train: Sequence[LesionPhoto], val: Sequence[LesionPhoto]) -> dict[Number, str]:
    """The numbers that cannot be fitted to these photos, each with what it wants."""
    clinic = [p for p in val if p.source in CLINIC]
    needs = (
        (Number.WEIGHING, active_lesions(train), 100, "training lesions on whole faces"),
        (Number.TYPES, min(lesions_by_type(val)), 15, "validation lesions of each type: inflamed, not inflamed, mark"),
        (Number.MASK, sum(p.mask_path is not None for p in val), 5, "validation photos with a hand-made mask"),
        (Number.SPARSE, _known(p.sparse for p in val if p.source in SPARSE), 10, "validation photos with v1 boxes"),
        (Number.COUNTS, _known(p.active for p in clinic), 20, "validation photos with marked lesions"),
        (Number.SPARSE_COUNTS, _known(p.sparse for p in clinic), 20, "validation photos with v1 boxes"),
        (Number.SEVERITY, _rarest_grade(train), 5, "training photos of each grade, 0 to 3"),
        (Number.SEVERITY, sum(p.grade is not None for p in clinic), 10, "validation photos with a grade"),
        (Number.AFFECTED, sum(has_acne(p) for p in val), 10, "validation photos with acne"),
        (Number.AFFECTED, sum(is_clear(p) for p in val), 10, "validation photos of clear skin"),
    )
    wanting: dict[Number, str] = {}
    for number, there, least, what in needs:
        if there < least:
            wanting.setdefault(number, f"wants {least} {what}, has {there}")
    return wanting


def active_lesions(photos: Iterable[LesionPhoto]) -> int:
    """Marked active lesions on whole faces: without them nothing can be fitted."""
    return sum(len(p.active) for p in photos if p.source in CLINIC and p.active is not None)


def is_typed(photo: LesionPhoto) -> bool:
    """Whether marks and inflamed lesions were told apart from the others."""
    return photo.source in ("typed", OWN) and photo.marks is not None


def has_acne(photo: LesionPhoto) -> bool:
    """Whether a whole face has active lesions."""
    return photo.source in CLINIC and photo.active is not None and len(photo.active) > 0


def is_clear(photo: LesionPhoto) -> bool:
    """Whether somebody looked for active lesions on a whole face and found none."""
    return photo.source in ("clear", OWN) and photo.active is not None and len(photo.active) == 0


def lesions_by_type(photos: Iterable[LesionPhoto]) -> tuple[int, int, int]:
    """Inflamed lesions, others that are active, and marks."""
    typed = [p for p in photos if is_typed(p)]
    inflamed = np.concatenate([np.zeros(0), *(p.inflamed for p in typed if p.inflamed is not None)])
    marks = sum(len(p.marks) for p in typed if p.marks is not None)
    return int((inflamed == 1).sum()), int((inflamed == 0).sum()), marks


def _known(values: Iterable[object]) -> int:
    return sum(value is not None for value in values)


def _rarest_grade(train: Iterable[LesionPhoto]) -> int:
    grades = [p.grade for p in train if p.source in GRADED]
    return min(grades.count(grade) for grade in GRADES)


def kept_sentence(wanting: Mapping[Number, str], before: str) -> str:
    """What was not fitted, why, and whose values stay."""
    if not wanting:
        return ""
    listed = "; ".join(f"{number} ({why})" for number, why in wanting.items())
    oldest = before.rpartition("Before: ")[2]
    return f" Not fitted, the values from before stay: {listed}. Before: {oldest}"
