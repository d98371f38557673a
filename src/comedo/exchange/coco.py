"""Lesions as COCO, as annotation programs and comedo's own training read it.

Categories, circles, `split` and `group` are those of docs/training.md. A photo counts as labelled only after a complete
reading by a person: what a network found is never taken for truth by accident.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from comedo import __version__
from comedo.geometry import clip_box
from comedo.report.case import Case
from comedo.report.look import CLAIM
from comedo.types import Group, Lesion

# Names under which the training reads groups; numbers from 1, because programs take 0 for the background.
CATEGORIES = ((1, "acne", Group.NON_INFLAMMATORY), (2, "pimple", Group.INFLAMMATORY), (3, "spot", Group.MARK))
_NUMBER = {group: number for number, _, group in CATEGORIES}
_CORNERS = 24  # of the polygon that stands for a circle, for programs that know no circles


@dataclass(frozen=True)
class CocoPhoto:
    """One analysis with what training needs to know of its photo."""

    case: Case
    split: str = "train"  # or "val"
    person: str | None = None  # photos of one person must not be on both sides of the split; None: the photo itself


def coco_document(photos: Sequence[CocoPhoto]) -> dict[str, Any]:
    """The COCO document of some analyses."""
    images = [_image(number, photo) for number, photo in enumerate(photos, 1)]
    lesions = ((n, photo.case, lesion) for n, photo in enumerate(photos, 1) for lesion in photo.case.lesions)
    return {
        "info": {"description": f"Acne lesions by comedo {__version__}. {CLAIM}", "version": "1"},
        "licenses": [],
        "categories": [{"id": number, "name": name, "supercategory": "lesion"} for number, name, _ in CATEGORIES],
        "images": images,
        "annotations": [_annotation(n, image, case, lesion) for n, (image, case, lesion) in enumerate(lesions, 1)],
    }


def coco_json(photos: Sequence[CocoPhoto]) -> bytes:
    """The COCO document as a file."""
    return json.dumps(coco_document(photos), ensure_ascii=False, allow_nan=False).encode() + b"\n"


def _image(number: int, photo: CocoPhoto) -> dict[str, Any]:
    about, reader = photo.case.document.photo, photo.case.reader
    return {
        "id": number,
        "file_name": about.name,
        "width": about.width,
        "height": about.height,
        "split": photo.split,
        "group": photo.person or about.sha256,
        "sha256": about.sha256,
        "lesions_labelled": reader is not None and reader.complete,
        "labelled_by": None if reader is None else reader.name,
    }


def _annotation(number: int, image: int, case: Case, lesion: Lesion) -> dict[str, Any]:
    about = case.document.photo
    (x, y), radius = lesion.center_xy, lesion.diameter_px / 2
    x0, y0, x1, y1 = clip_box((x - radius, y - radius, x + radius, y + radius), about.width, about.height)
    return {
        "id": number,
        "image_id": image,
        "category_id": _NUMBER[lesion.group],
        "bbox": [_tidy(v) for v in (x0, y0, x1 - x0, y1 - y0)],
        "area": _tidy(math.pi * radius**2),
        "iscrowd": 0,
        "segmentation": [[_tidy(v) for v in _polygon(x, y, radius, about.width, about.height)]],
        "circle": [_tidy(v) for v in (x, y, radius)],
        "kind": str(lesion.kind),
        "score": lesion.score,
        "lesion_id": lesion.id,
    }


def _polygon(x: float, y: float, radius: float, width: int, height: int) -> Iterator[float]:
    for corner in range(_CORNERS):
        angle = 2 * math.pi * corner / _CORNERS
        yield min(max(x + radius * math.cos(angle), 0.0), width)
        yield min(max(y + radius * math.sin(angle), 0.0), height)


def _tidy(value: float) -> float:
    return round(value, 2)
