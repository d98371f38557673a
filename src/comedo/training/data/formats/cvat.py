"""CVAT for images 1.1: one XML file.

What CVAT has no place for travels in attributes: of a tag `comedo` on the photo (person, split,
grade, votes, source, unseen) and of each shape (rater, score, box).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

import numpy as np

from comedo.training.data.bitmap import Bitmap, bitmap_of, from_runs
from comedo.training.data.dataset import Circle, Dataset, Label, Polygon, Rectangle, Sample, Shape, Vote
from comedo.training.data.files import (
    BadAnnotations,
    CannotCarry,
    check_labels,
    check_size,
    read_xml,
    row,
    safe_name,
)
from comedo.training.data.formats.base import FACTS, Format, Origin

TAG = "comedo"
_PHOTO_FACTS = ("person", "split", "grade", "source", "unseen", "votes")
_SHAPE_FACTS = ("rater", "score", "box")
_SUBSETS = {"default": None, "Train": "train", "Validation": "val", "Test": "test"}  # CVAT's own names
_CORNERS = 64  # of the polygon that stands for an ellipse
_ROUND = 1e-3  # pixels by which the radii of a circle may differ


def read_cvat(origin: Origin) -> Dataset:
    """Read a CVAT file: boxes, polygons, masks, circles; turned boxes and ellipses become polygons.

    Raises:
        BadAnnotations: It is no such file, holds points, lines or tracks, or breaks a rule.
    """
    path = origin.path
    root = read_xml(path)
    if root.tag != "annotations" or root.find("track") is not None:
        raise BadAnnotations(f"{path} must be a `CVAT for images 1.1` file; export the task in that format")
    samples = [_sample(image, f"{path}: image {n}") for n, image in enumerate(root.findall("image"), 1)]
    listed = [name.text or "" for name in root.findall("meta//label/name") if name.text != TAG]
    used = [label.category for s in samples for label in s.marks]
    with row(str(path)):
        return Dataset(tuple(samples), tuple(dict.fromkeys(listed + used)), origin.photos or path.parent)


def _sample(image: Element, where: str) -> Sample:
    with row(where):
        name = safe_name(image.attrib["name"], where)
        width, height = int(image.attrib["width"]), int(image.attrib["height"])
        check_size(width, height, where)
    where = f"{where} ({name})"
    labels, facts = [], {"split": _split_of(image)}
    for number, element in enumerate(image, 1):
        with row(f"{where}: shape {number}"):
            if element.tag == "tag" and element.get("label") == TAG:
                facts |= _attributes(element)
            elif element.tag != "tag":
                labels.append(_label(element))
    with row(where):
        votes = json.loads(facts.get("votes") or "[]")
        return Sample(
            photo=name,
            labels=None if facts.get("unseen") else check_labels(labels, where),
            width=width,
            height=height,
            person=facts.get("person") or None,
            split=facts.get("split") or None,
            grade=_whole(facts.get("grade")),
            votes=tuple(Vote(str(rater), _whole(grade)) for rater, grade in votes),
            source=facts.get("source") or None,
        )


def _split_of(image: Element) -> str | None:
    subset = image.get("subset")
    return _SUBSETS.get(subset, subset) if subset else None


def _whole(text: str | int | None) -> int | None:
    return None if text is None or text == "" else int(text)


def _attributes(element: Element) -> dict[str, str | None]:
    return {a.attrib["name"]: a.text for a in element.findall("attribute")}


def _label(element: Element) -> Label:
    if element.tag not in _READERS:
        raise ValueError(f"<{element.tag}> cannot be read: draw lesions as {', '.join(_READERS)}")
    facts = _attributes(element)
    score, box = facts.get("score"), facts.get("box")
    return Label(
        category=element.attrib["label"],
        shape=_READERS[element.tag](element),
        score=float(score) if score else None,
        rater=facts.get("rater") or None,
        box_xyxy=tuple(json.loads(box)) if box else None,
    )


def _numbers(element: Element, *names: str) -> list[float]:
    return [float(element.attrib[name]) for name in names]


def _box(element: Element) -> Shape:
    x0, y0, x1, y1 = _numbers(element, "xtl", "ytl", "xbr", "ybr")
    turn = float(element.get("rotation", 0))
    if turn == 0:
        return Rectangle((x0, y0, x1, y1))
    cx, cy = (x0 + x1) / 2, (y0 + y1) / 2
    corners = [(x0 - cx, y0 - cy), (x1 - cx, y0 - cy), (x1 - cx, y1 - cy), (x0 - cx, y1 - cy)]
    return Polygon(tuple(_turned(x, y, turn, cx, cy) for x, y in corners))


def _turned(x: float, y: float, degrees: float, cx: float, cy: float) -> tuple[float, float]:
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return (cx + x * c - y * s, cy + x * s + y * c)


def ellipse(cx: float, cy: float, rx: float, ry: float, turn_deg: float) -> Shape:
    """A circle where both radii agree, else a polygon."""
    if abs(rx - ry) < _ROUND:
        return Circle((cx, cy), rx)
    angles = [2 * math.pi * k / _CORNERS for k in range(_CORNERS)]
    return Polygon(tuple(_turned(rx * math.cos(a), ry * math.sin(a), turn_deg, cx, cy) for a in angles))


def _ellipse(element: Element) -> Shape:
    cx, cy, rx, ry = _numbers(element, "cx", "cy", "rx", "ry")
    return ellipse(cx, cy, rx, ry, float(element.get("rotation", 0)))


def _polygon(element: Element) -> Shape:
    pairs = [pair.split(",") for pair in element.attrib["points"].split(";")]
    return Polygon(tuple((float(x), float(y)) for x, y in pairs))


def _mask(element: Element) -> Shape:
    left, top, width, height = (int(v) for v in _numbers(element, "left", "top", "width", "height"))
    check_size(width, height, "mask")
    runs = np.array([int(n) for n in element.attrib["rle"].split(",")], np.int64)
    return bitmap_of(from_runs(runs, width * height).reshape(height, width), left=left, top=top)


_READERS = {"box": _box, "ellipse": _ellipse, "polygon": _polygon, "mask": _mask}


def write_cvat(dataset: Dataset, path: Path) -> None:
    """Write one file; the labels in it are those that the CVAT task needs.

    Raises:
        CannotCarry: A photo's size is unknown, or a category is called `comedo`.
    """
    if TAG in dataset.categories:
        raise CannotCarry(f"CVAT: {TAG!r} is the tag that carries persons and splits; rename the category")
    root = Element("annotations")
    SubElement(root, "version").text = "1.1"
    labels = SubElement(SubElement(SubElement(root, "meta"), "task"), "labels")
    for name in dataset.categories:
        _declare(labels, name, "any", _SHAPE_FACTS)
    _declare(labels, TAG, "tag", _PHOTO_FACTS)
    for number, sample in enumerate(dataset.samples):
        root.append(_image_element(number, sample))
    indent(root, " ")
    ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _declare(labels: Element, name: str, kind: str, attributes: tuple[str, ...]) -> None:
    label = SubElement(labels, "label")
    SubElement(label, "name").text = name
    SubElement(label, "type").text = kind
    inside = SubElement(label, "attributes")
    for attribute in attributes:
        it = SubElement(inside, "attribute")
        for tag, text in (("name", attribute), ("mutable", "False"), ("input_type", "text"), ("default_value", "")):
            SubElement(it, tag).text = text
        SubElement(it, "values")


def _image_element(number: int, sample: Sample) -> Element:
    if sample.width is None or sample.height is None:
        raise CannotCarry(f"CVAT wants the size of each photo, that of {sample.photo} is unknown")
    size = {"width": str(sample.width), "height": str(sample.height)}
    image = Element("image", {"id": str(number), "name": sample.photo, **size})
    votes = json.dumps([[v.rater, v.grade] for v in sample.votes]) if sample.votes else None
    facts = {
        "person": sample.person,
        "split": sample.split,
        "grade": sample.grade,
        "source": sample.source,
        "unseen": True if sample.labels is None else None,
        "votes": votes,
    }
    if any(v is not None for v in facts.values()):
        _add_attributes(SubElement(image, "tag", {"label": TAG, "source": "manual"}), facts)
    for label in sample.marks:
        source = "manual" if label.score is None else "auto"
        tag, place = _place(label.shape)
        common = {"label": label.category, "source": source, "occluded": "0", "z_order": "0"}
        box = None if label.box_xyxy is None else json.dumps(label.box_xyxy)
        _add_attributes(
            SubElement(image, tag, common | place), {"rater": label.rater, "score": label.score, "box": box}
        )
    return image


def _add_attributes(element: Element, facts: Mapping[str, Any]) -> None:
    for name, value in facts.items():
        if value is not None:
            SubElement(element, "attribute", {"name": name}).text = str(value)


def _place(shape: Shape) -> tuple[str, dict[str, str]]:
    match shape:
        case Rectangle():
            return "box", dict(zip(("xtl", "ytl", "xbr", "ybr"), map(str, shape.box_xyxy), strict=True))
        case Circle():
            (x, y), r = shape.center_xy, shape.radius_px
            return "ellipse", {"cx": str(x), "cy": str(y), "rx": str(r), "ry": str(r)}
        case Polygon():
            return "polygon", {"points": ";".join(f"{x},{y}" for x, y in shape.points_xy)}
        case Bitmap():
            box = {"left": shape.left, "top": shape.top, "width": shape.width, "height": shape.height}
            return "mask", {"rle": ", ".join(map(str, shape.runs)), **{k: str(v) for k, v in box.items()}}


CVAT = Format(
    "cvat",
    "one XML file, CVAT for images 1.1; every shape, facts in attributes",
    (Rectangle, Circle, Polygon, Bitmap),
    FACTS,
    folder=False,
    read=read_cvat,
    write=write_cvat,
)
