"""ACNE04-v2: one JSON file of circles, `coordinates` and `radius`, of one class (Gazeau et al., MICCAI 2024)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from comedo.training.data.dataset import Circle, Dataset, Label, Sample
from comedo.training.data.files import BadAnnotations, CannotCarry, check_labels, check_size, read_json, row, safe_name
from comedo.training.data.formats.base import Format, Origin

CATEGORY = "acne"


class _Image(BaseModel):
    id: int
    file_name: str
    width: int
    height: int


class _Lesion(BaseModel):
    image_id: int
    coordinates: tuple[float, float]
    radius: float


class _File(BaseModel):
    images: list[_Image]
    annotations: list[_Lesion]


def read_acne04(origin: Origin) -> Dataset:
    """Read a file of circles; photos lie beside it where no folder is named.

    Raises:
        BadAnnotations: It is no such file, or a row breaks a rule.
    """
    path = origin.path
    found = read_json(path, _File, "an ACNE04-v2 file of images and annotations with coordinates and radius")
    labels: dict[int, list[Label]] = {image.id: [] for image in found.images}
    for number, lesion in enumerate(found.annotations):
        where = f"{path}: annotations[{number}]"
        if lesion.image_id not in labels:
            raise BadAnnotations(f"{where}: there is no image {lesion.image_id} in the file")
        with row(where):
            labels[lesion.image_id].append(Label(CATEGORY, Circle(lesion.coordinates, lesion.radius)))
    samples = []
    for number, image in enumerate(found.images):
        where = f"{path}: images[{number}]"
        check_size(image.width, image.height, where)
        name = safe_name(image.file_name, where)
        samples.append(Sample(name, check_labels(labels[image.id], where), image.width, image.height))
    with row(str(path)):
        return Dataset(tuple(samples), (CATEGORY,), origin.photos or path.parent)


def write_acne04(dataset: Dataset, path: Path) -> None:
    """Write circles of one class.

    Raises:
        CannotCarry: There are several categories, or a photo's size is unknown.
    """
    if len(dataset.categories) > 1:
        raise CannotCarry(
            f"ACNE04-v2 has one class, this data set has {len(dataset.categories)}; choose another format"
        )
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, sample in enumerate(dataset.samples, 1):
        if sample.width is None or sample.height is None:
            raise CannotCarry(f"ACNE04-v2 wants the size of each photo, that of {sample.photo} is unknown")
        size = {"width": sample.width, "height": sample.height}
        images.append({"id": number, "file_name": sample.photo, **size})
        for label in sample.marks:
            assert isinstance(label.shape, Circle)
            place = {"coordinates": list(label.shape.center_xy), "radius": label.shape.radius_px}
            annotations.append({"id": len(annotations) + 1, "image_id": number, **place})
    path.write_text(json.dumps({"images": images, "annotations": annotations}, indent=1) + "\n", encoding="utf-8")


ACNE04 = Format(
    "acne04",
    "one JSON file of circles as ACNE04-v2 has it; one class",
    (Circle,),
    frozenset({"size"}),
    folder=False,
    read=read_acne04,
    write=write_acne04,
)
