"""From any format to any other, through one value."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from pathlib import Path

import cv2
import numpy as np

from comedo.training.data.bitmap import bitmap_of, inside_polygon
from comedo.training.data.dataset import (
    SHAPE_NAMES,
    Circle,
    Dataset,
    Label,
    Polygon,
    Rectangle,
    Sample,
    Shape,
)
from comedo.training.data.files import BadAnnotations, CannotCarry, read_bytes
from comedo.training.data.formats.acne04 import ACNE04
from comedo.training.data.formats.base import Format, Origin
from comedo.training.data.formats.coco import COCO
from comedo.training.data.formats.cvat import CVAT
from comedo.training.data.formats.label_studio import LABEL_STUDIO
from comedo.training.data.formats.mask_folder import MASK_FOLDER, MASKS
from comedo.training.data.formats.voc import FOLDER, VOC
from comedo.training.data.formats.yolo import LIST, YOLO
from comedo.training.data.sidecar import merge, read_sidecar, sidecar_path, write_sidecar
from comedo.types import Mask

FORMATS = {f.name: f for f in (COCO, VOC, YOLO, MASK_FOLDER, ACNE04, CVAT, LABEL_STUDIO)}


class ShapeKind(StrEnum):
    """What labels are drawn as."""

    KEEP = "keep"
    BOX = "box"
    CIRCLE = "circle"
    POLYGON = "polygon"
    MASK = "mask"


def guess_format(path: Path) -> Format:
    """The format of a file or folder by what lies there and, for JSON, by its first keys.

    Raises:
        BadAnnotations: It is none of them.
    """
    marks = {path / LIST: YOLO, path / FOLDER: VOC, path / MASKS: MASK_FOLDER}
    found = next((kind for mark, kind in marks.items() if mark.exists()), None)
    if found is None and path.is_file():
        content = read_bytes(path)
        start = content[:64].lstrip(b"\xef\xbb\xbf \r\n\t")[:1]
        found = {b"<": CVAT, b"[": LABEL_STUDIO, b"{": COCO}.get(start)
        if found is COCO and b'"coordinates"' in content:
            found = ACNE04
    if found is None:
        names = ", ".join(FORMATS)
        raise BadAnnotations(f"{path} is of no format that can be told by its look; say which with --from: {names}")
    return found


def read_dataset(path: Path, kind: Format | None = None, *, photos: Path | None = None) -> Dataset:
    """Read a data set with its sidecar.

    Args:
        path: A file or a folder, as the format wants it.
        kind: The format; by default it is told by the look.
        photos: Where the photos' names start; by default the format's own place.

    Raises:
        BadAnnotations: A file breaks a rule; the message names it and the row.
    """
    if not path.exists():
        raise BadAnnotations(f"there is no {path}")
    kind = kind or guess_format(path)
    if kind.folder and not path.is_dir():
        raise BadAnnotations(f"{kind.name} is {kind.about}; {path} is a file")
    sidecar = read_sidecar(path, kind)
    dataset = kind.read(Origin(path, photos, sidecar.sizes))
    return merge(dataset, sidecar, sidecar_path(path, kind))


def write_dataset(dataset: Dataset, path: Path, kind: Format) -> bool:
    """Write a data set, and a sidecar where the format does not carry everything.

    Returns:
        Whether a sidecar was needed.

    Raises:
        CannotCarry: The format has no place for a shape; draw it as another one first.
    """
    for sample in dataset.samples:
        odd = next((label for label in sample.marks if not isinstance(label.shape, kind.shapes)), None)
        if odd is not None:
            able = " or ".join(SHAPE_NAMES[s] for s in kind.shapes)
            raise CannotCarry(
                f"{kind.name} cannot carry the {SHAPE_NAMES[type(odd.shape)]} of {odd.category!r} on {sample.photo}; "
                f"convert with --shapes {able}, or choose coco, cvat or label-studio"
            )
    (path if kind.folder else path.parent).mkdir(parents=True, exist_ok=True)
    kind.write(dataset, path)
    return write_sidecar(dataset, path, kind)


def draw_as(dataset: Dataset, kind: ShapeKind) -> Dataset:
    """Draw every label as one kind of shape.

    A circle's diameter is the mean side of the box around the shape, a polygon of a mask is its
    longest outline. The shape that was there is lost; a box drawn beside it is kept where boxes
    are wanted.

    Raises:
        CannotCarry: A mask is wanted of a photo of unknown size.
    """
    if kind is ShapeKind.KEEP:
        return dataset
    samples = tuple(
        s if s.labels is None else replace(s, labels=tuple(_draw(label, kind, s) for label in s.labels))
        for s in dataset.samples
    )
    return replace(dataset, samples=samples)


def _draw(label: Label, kind: ShapeKind, sample: Sample) -> Label:
    if SHAPE_NAMES[type(label.shape)] == kind:
        return label
    x0, y0, x1, y1 = label.bounds_xyxy
    shape: Shape
    match kind:
        case ShapeKind.BOX:
            shape = Rectangle((x0, y0, x1, y1))
        case ShapeKind.CIRCLE:
            shape = Circle(((x0 + x1) / 2, (y0 + y1) / 2), ((x1 - x0) + (y1 - y0)) / 4)
        case ShapeKind.POLYGON:
            shape = _outline(label.shape)
        case _:
            shape = bitmap_of(mask_of(label.shape, sample))
    return replace(label, shape=shape, box_xyxy=None)


def _outline(shape: Shape) -> Polygon:
    if isinstance(shape, Rectangle):
        x0, y0, x1, y1 = shape.box_xyxy
        return Polygon(((x0, y0), (x1, y0), (x1, y1), (x0, y1)))
    if isinstance(shape, Circle):
        angles = np.linspace(0, 2 * np.pi, 32, endpoint=False)
        (x, y), r = shape.center_xy, shape.radius_px
        return Polygon(tuple((x + r * float(np.cos(a)), y + r * float(np.sin(a))) for a in angles))
    assert not isinstance(shape, Polygon)
    # Pixels have an area: at four times the size an outline through pixel centres runs near their edges.
    crop = np.kron(shape.crop(), np.ones((4, 4))).astype(np.uint8)
    outlines, _ = cv2.findContours(crop, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    longest = max(outlines, key=len)[:, 0]
    return Polygon(tuple((shape.left + (x + 0.5) / 4, shape.top + (y + 0.5) / 4) for x, y in longest.tolist()))


def mask_of(shape: Shape, sample: Sample) -> Mask:
    """The (H, W) mask of a shape on its photo: pixels whose centre is inside, at least one.

    Raises:
        CannotCarry: The photo's size is unknown.
    """
    if sample.width is None or sample.height is None:
        raise CannotCarry(f"a mask has the size of its photo, that of {sample.photo} is unknown")
    size = (sample.height, sample.width)
    if not isinstance(shape, Rectangle | Circle | Polygon):
        return shape.full(*size)
    mask = np.zeros(size, np.uint8)
    if isinstance(shape, Circle):
        ys, xs = np.ogrid[: size[0], : size[1]]
        (x, y), r = shape.center_xy, shape.radius_px
        mask[(xs + 0.5 - x) ** 2 + (ys + 0.5 - y) ** 2 <= r * r] = 1
    elif isinstance(shape, Rectangle):
        left, top, right, bottom = (max(round(v), 0) for v in shape.box_xyxy)
        mask[top:bottom, left:right] = 1
    else:
        mask[inside_polygon(shape.points_xy, *size)] = 1
    if not mask.any():  # smaller than a pixel: the one it lies in
        x0, y0, x1, y1 = shape.bounds_xyxy
        middle = (int((x0 + x1) / 2), int((y0 + y1) / 2))
        mask[min(max(middle[1], 0), size[0] - 1), min(max(middle[0], 0), size[1] - 1)] = 1
    return mask > 0
