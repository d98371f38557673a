"""COCO, the format of our own: one JSON file, everything in it.

Beyond the standard an image may carry `split`, `group` (the person), `photo` (of which it is a
version), `grade`, `votes` and `lesions_labelled`, an annotation `circle`, `rater` and `score`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel

from comedo.training.data.bitmap import Bitmap, bitmap_of, from_runs, to_runs
from comedo.training.data.dataset import Circle, Dataset, Label, Polygon, Rectangle, Sample, Shape, Vote, place
from comedo.training.data.files import BadAnnotations, check_labels, check_size, read_json, row, safe_name
from comedo.training.data.formats.base import FACTS, Format, Origin

WHAT = "a COCO file of images, annotations and categories"


class _Runs(BaseModel):
    size: tuple[int, int]  # height, width
    counts: list[int] | str


class _Vote(BaseModel):
    rater: str
    grade: int | None = None


class _Image(BaseModel):
    id: int
    file_name: str
    width: int | None = None
    height: int | None = None
    split: str | None = None
    group: int | str | None = None
    photo: str | None = None
    grade: int | None = None
    votes: list[_Vote] = []
    lesions_labelled: bool = True


class _Annotation(BaseModel):
    image_id: int
    category_id: int
    bbox: tuple[float, float, float, float] | None = None
    circle: tuple[float, float, float] | None = None
    segmentation: list[list[float]] | _Runs | None = None
    score: float | None = None
    rater: str | None = None


class _Category(BaseModel):
    id: int
    name: str


class _Coco(BaseModel):
    images: list[_Image]
    annotations: list[_Annotation]
    categories: list[_Category]


def read_coco(origin: Origin) -> Dataset:
    """Read a COCO file; photos lie beside it where no folder is named.

    Raises:
        BadAnnotations: It is no COCO file, or a row of it breaks a rule.
    """
    path = origin.path
    coco = read_json(path, _Coco, WHAT)
    names = {c.id: c.name.strip() for c in coco.categories}
    known = {image.id for image in coco.images}
    labels: dict[int, list[Label]] = {}
    for number, annotation in enumerate(coco.annotations):
        where = f"{path}: annotations[{number}]"
        if annotation.category_id not in names or annotation.image_id not in known:
            raise BadAnnotations(f"{where}: there is no such image or category in the file")
        with row(where):
            labels.setdefault(annotation.image_id, []).append(_label(annotation, names[annotation.category_id]))
    samples = [_sample(image, labels.get(image.id, []), f"{path}: images[{n}]") for n, image in enumerate(coco.images)]
    with row(str(path)):
        return Dataset(tuple(samples), tuple(names.values()), origin.photos or path.parent)


def _sample(image: _Image, labels: list[Label], where: str) -> Sample:
    if image.width is not None and image.height is not None:
        check_size(image.width, image.height, where)
    with row(where):
        return Sample(
            photo=safe_name(image.file_name, where),
            labels=check_labels(labels, where) if image.lesions_labelled else None,
            width=image.width,
            height=image.height,
            person=None if image.group is None else str(image.group),
            split=image.split,
            grade=image.grade,
            votes=tuple(Vote(v.rater, v.grade) for v in image.votes),
            source=image.photo,
        )


def _label(annotation: _Annotation, category: str) -> Label:
    box = None
    if annotation.bbox is not None:
        x, y, w, h = annotation.bbox
        box = (x, y, x + w, y + h)
    shape = _shape(annotation) or (None if box is None else Rectangle(box))
    if shape is None:
        raise ValueError("an annotation needs a bbox, a circle or a segmentation")
    if box is not None and not (box[0] < box[2] and box[1] < box[3]):
        box = None  # some tools write an empty box beside a segmentation
    return Label(category, shape, annotation.score, annotation.rater, box)


def _shape(annotation: _Annotation) -> Shape | None:
    if annotation.circle is not None:
        x, y, r = annotation.circle
        return Circle((x, y), r)
    found = annotation.segmentation
    if isinstance(found, _Runs):
        return _bitmap(found)
    if found:
        if len(found) > 1:
            raise ValueError("a segmentation of several polygons is one lesion in pieces; export it as a mask (RLE)")
        (flat,) = found
        return Polygon(tuple(zip(flat[::2], flat[1::2], strict=True)))
    return None


def _bitmap(runs: _Runs) -> Bitmap:
    height, width = runs.size
    check_size(width, height, "segmentation.size")
    counts = decode_counts(runs.counts) if isinstance(runs.counts, str) else runs.counts
    columns = from_runs(np.asarray(counts, np.int64), height * width).reshape(width, height)
    return bitmap_of(columns.T)


def decode_counts(text: str) -> list[int]:
    """Run lengths from COCO's compressed string: 5 bits a character, from the third on as differences."""
    counts: list[int] = []
    value = shift = 0
    for character in text:
        bits = ord(character) - 48
        if not 0 <= bits < 64 or shift > 30:
            raise ValueError("a compressed mask holds a character that COCO never writes")
        value |= (bits & 0x1F) << shift
        shift += 5
        if not bits & 0x20:
            if bits & 0x10:
                value -= 1 << shift
            counts.append(value + (counts[-2] if len(counts) > 2 else 0))
            value = shift = 0
    if shift:
        raise ValueError("a compressed mask ends in the middle of a number")
    return counts


def write_coco(dataset: Dataset, path: Path) -> None:
    """Write the whole data set as one COCO file."""
    ids = {name: n for n, name in enumerate(dataset.categories, 1)}
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, sample in enumerate(dataset.samples, 1):
        images.append(_image_row(number, sample))
        for label in sample.marks:
            row = _annotation_row(label, sample)
            annotations.append(
                {"id": len(annotations) + 1, "image_id": number, "category_id": ids[label.category], **row}
            )
    categories = [{"id": n, "name": name} for name, n in ids.items()]
    content = {"images": images, "annotations": annotations, "categories": categories}
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _image_row(number: int, sample: Sample) -> dict[str, Any]:
    facts: Mapping[str, object] = {
        "width": sample.width,
        "height": sample.height,
        "split": sample.split,
        "group": sample.person,
        "photo": sample.source,
        "grade": sample.grade,
        "votes": [{"rater": v.rater, "grade": v.grade} for v in sample.votes] or None,
        "lesions_labelled": False if sample.labels is None else None,
    }
    return {"id": number, "file_name": sample.photo} | {k: v for k, v in facts.items() if v is not None}


def _annotation_row(label: Label, sample: Sample) -> dict[str, Any]:
    x0, y0, x1, y1 = label.bounds_xyxy
    width, height = place(x1 - x0), place(y1 - y0)
    row: dict[str, Any] = {"bbox": [x0, y0, width, height], "area": round(_area(label.shape), 3), "iscrowd": 0}
    match label.shape:
        case Circle():
            row["circle"] = [*label.shape.center_xy, label.shape.radius_px]
        case Polygon():
            row["segmentation"] = [[v for point in label.shape.points_xy for v in point]]
        case Bitmap():
            row["segmentation"] = _runs(label.shape, sample)
    facts = {"score": label.score, "rater": label.rater}
    return row | {k: v for k, v in facts.items() if v is not None}


def _runs(bitmap: Bitmap, sample: Sample) -> dict[str, Any]:
    width = sample.width or bitmap.left + bitmap.width
    height = sample.height or bitmap.top + bitmap.height
    return {"size": [height, width], "counts": to_runs(bitmap.full(height, width).T.ravel()).tolist()}


def _area(shape: Shape) -> float:
    match shape:
        case Circle():
            return float(np.pi * shape.radius_px**2)
        case Polygon():
            return abs(_twice_area(shape.points_xy)) / 2
        case Bitmap():
            return float(shape.area_px)
    x0, y0, x1, y1 = shape.box_xyxy
    return (x1 - x0) * (y1 - y0)


def _twice_area(points: Sequence[tuple[float, float]]) -> float:
    return sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in zip(points, [*points[1:], points[0]], strict=True))


COCO = Format(
    "coco",
    "one JSON file; persons, splits, grades, raters and circles as extra keys",
    (Rectangle, Circle, Polygon, Bitmap),
    FACTS,
    folder=False,
    read=read_coco,
    write=write_coco,
)
