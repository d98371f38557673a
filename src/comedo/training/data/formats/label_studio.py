"""Label Studio: a JSON list of tasks. Each annotation of a task is one rater's; choices are grades.

Boxes, ellipses, polygons and brush masks; places are percent of the photo. What Label Studio has
no place for lies in `data` of the task and in keys that it leaves alone (`comedo_...`).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import quoteattr

from pydantic import BaseModel, RootModel

from comedo.training.data.bitmap import Bitmap, bitmap_of
from comedo.training.data.dataset import Circle, Dataset, Label, Polygon, Rectangle, Sample, Shape, Vote
from comedo.training.data.files import CannotCarry, check_labels, check_size, read_json, row, safe_name
from comedo.training.data.formats import brush
from comedo.training.data.formats.base import FACTS, Format, Origin
from comedo.training.data.formats.cvat import ellipse
from comedo.types import Box

_HASH = re.compile(r"^[0-9a-f]{8}-")  # what Label Studio puts before the name of an uploaded file
_GRADE = "grade"


class _Region(BaseModel):
    type: str
    value: dict[str, Any]
    original_width: int | None = None
    original_height: int | None = None
    image_rotation: float = 0
    score: float | None = None
    comedo_box: tuple[float, float, float, float] | None = None


class _Answer(BaseModel):
    result: list[_Region] = []
    completed_by: int | dict[str, Any] | None = None
    comedo_rater: str | None = None
    model_version: str | None = None
    was_cancelled: bool = False


class _Facts(BaseModel):
    image: str
    photo: str | None = None
    person: str | int | None = None
    split: str | None = None
    grade: int | None = None
    source: str | None = None
    width: int | None = None
    height: int | None = None
    unseen: bool | None = None


class _Task(BaseModel):
    data: _Facts
    annotations: list[_Answer] = []
    predictions: list[_Answer] = []


class _Tasks(RootModel[list[_Task]]):
    pass


def read_label_studio(origin: Origin) -> Dataset:
    """Read an export (JSON). A model's predictions count only where nobody has answered.

    Raises:
        BadAnnotations: It is no such file, or a row breaks a rule.
    """
    path = origin.path
    tasks = read_json(path, _Tasks, "a Label Studio export (JSON) of image tasks").root
    samples = []
    for number, task in enumerate(tasks):
        where = f"{path}: task {number + 1}"
        with row(where):
            samples.append(_sample(task, where))
    used = dict.fromkeys(label.category for s in samples for label in s.marks)
    with row(str(path)):
        return Dataset(tuple(samples), tuple(used), origin.photos or path.parent)


def _sample(task: _Task, where: str) -> Sample:
    facts = task.data
    answers = [a for a in task.annotations if not a.was_cancelled] or task.predictions
    width, height = _size(task, answers)
    if width is not None and height is not None:
        check_size(width, height, where)
    labels: list[Label] = []
    votes: dict[str, Vote] = {}
    for number, answer in enumerate(answers, 1):
        rater = _rater(answer)
        grade = None
        for place, region in enumerate(answer.result, 1):
            with row(f"{where}, answer {number}, result {place}"):
                if region.type == "choices":
                    grade = int(region.value["choices"][0])
                else:
                    labels.append(_label(region, rater))
        if rater is not None:
            votes[rater] = Vote(rater, grade)
    unseen = not answers if facts.unseen is None else facts.unseen
    return Sample(
        photo=safe_name(facts.photo or _photo_name(facts.image), where),
        labels=None if unseen else check_labels(labels, where),
        width=width,
        height=height,
        person=None if facts.person is None else str(facts.person),
        split=facts.split,
        grade=facts.grade,
        votes=tuple(votes.values()),
        source=facts.source,
    )


def _size(task: _Task, answers: Sequence[_Answer]) -> tuple[int | None, int | None]:
    if task.data.width is not None:
        return task.data.width, task.data.height
    found = next((r for a in answers for r in a.result if r.original_width and r.original_height), None)
    return (None, None) if found is None else (found.original_width, found.original_height)


def _rater(answer: _Answer) -> str | None:
    by = answer.completed_by
    if isinstance(by, dict):
        by = by.get("email") or by.get("id")
    return answer.comedo_rater or answer.model_version or (None if by is None else str(by))


def _photo_name(url: str) -> str:
    """The file's name from the address under which Label Studio shows it."""
    parts = urlsplit(url)
    local = parse_qs(parts.query).get("d")
    if local:
        return unquote(local[0]).lstrip("/")
    return _HASH.sub("", unquote(parts.path).rsplit("/", 1)[-1])


def _label(region: _Region, rater: str | None) -> Label:
    if region.type not in _READERS:
        raise ValueError(f"{region.type} cannot be read; draw lesions with {', '.join(_READERS)}")
    if not region.original_width or not region.original_height or region.image_rotation:
        raise ValueError("a region needs original_width and original_height, on a photo that is not turned")
    check_size(region.original_width, region.original_height, region.type)
    names = region.value.get(region.type) or []
    if len(names) != 1:
        raise ValueError(f"a region needs one label, got {names}")
    shape = _READERS[region.type](region.value, region.original_width, region.original_height)
    return Label(str(names[0]), shape, region.score, rater, region.comedo_box)


def _box(value: dict[str, Any], width: int, height: int) -> Shape:
    x, w = (float(value[k]) * width / 100 for k in ("x", "width"))
    y, h = (float(value[k]) * height / 100 for k in ("y", "height"))
    turn = math.radians(float(value.get("rotation") or 0))
    if turn == 0:
        return Rectangle((x, y, x + w, y + h))
    c, s = math.cos(turn), math.sin(turn)  # about the upper left corner
    return Polygon(tuple((x + dx * c - dy * s, y + dx * s + dy * c) for dx, dy in ((0, 0), (w, 0), (w, h), (0, h))))


def _ellipse(value: dict[str, Any], width: int, height: int) -> Shape:
    x, rx = (float(value[k]) * width / 100 for k in ("x", "radiusX"))
    y, ry = (float(value[k]) * height / 100 for k in ("y", "radiusY"))
    return ellipse(x, y, rx, ry, float(value.get("rotation") or 0))


def _polygon(value: dict[str, Any], width: int, height: int) -> Shape:
    return Polygon(tuple((float(x) * width / 100, float(y) * height / 100) for x, y in value["points"]))


def _brush(value: dict[str, Any], width: int, height: int) -> Shape:
    return bitmap_of(brush.decode(value["rle"], height, width))


_READERS = {"rectanglelabels": _box, "ellipselabels": _ellipse, "polygonlabels": _polygon, "brushlabels": _brush}


def write_label_studio(dataset: Dataset, path: Path) -> None:
    """Write tasks to import, and beside them NAME.config.xml, the labelling interface they need.

    Labels that all come from a model are written as predictions, which people see and correct.

    Raises:
        CannotCarry: A photo with labels has no known size.
    """
    tasks = [_task(number, sample) for number, sample in enumerate(dataset.samples, 1)]
    path.write_text(json.dumps(tasks, indent=1) + "\n", encoding="utf-8")
    path.with_suffix(".config.xml").write_text(interface(dataset), encoding="utf-8")


def interface(dataset: Dataset) -> str:
    """The labelling interface: one tool a shape, and the grades that occur."""
    labels = "".join(f"<Label value={quoteattr(name)}/>" for name in dataset.categories)
    tools = "".join(
        f'\n  <{tag} name="{name}" toName="image">{labels}</{tag}>'
        for tag, name in (
            ("RectangleLabels", "box"),
            ("EllipseLabels", "circle"),
            ("PolygonLabels", "polygon"),
            ("BrushLabels", "mask"),
        )
    )
    grades = "".join(f'<Choice value="{grade}"/>' for grade in range(5))
    choices = f'\n  <Choices name="{_GRADE}" toName="image" choice="single">{grades}</Choices>'
    return f'<View>\n  <Image name="image" value="$image" zoom="true"/>{tools}{choices}\n</View>\n'


def _task(number: int, sample: Sample) -> dict[str, Any]:
    if sample.marks and (sample.width is None or sample.height is None):
        raise CannotCarry(f"Label Studio wants percent of the photo's size, that of {sample.photo} is unknown")
    facts = {
        "person": sample.person,
        "split": sample.split,
        "grade": sample.grade,
        "source": sample.source,
        "width": sample.width,
        "height": sample.height,
        "unseen": sample.labels is None,
    }
    data = {"image": sample.photo, "photo": sample.photo} | {k: v for k, v in facts.items() if v is not None}
    models = {label.rater for label in sample.marks if label.score is not None}
    people = {label.rater for label in sample.marks if label.score is None} | {
        vote.rater for vote in sample.votes if vote.rater not in models or vote.grade is not None
    }
    by_model = bool(models) and not people
    return {"id": number, "data": data, "predictions" if by_model else "annotations": _answers(sample, by_model)}


def _answers(sample: Sample, by_model: bool) -> list[dict[str, Any]]:
    grades = {vote.rater: vote.grade for vote in sample.votes}
    raters = list(dict.fromkeys([*(label.rater for label in sample.marks), *grades]))
    if not raters and sample.labels is not None:
        raters = [None]
    answers = []
    for rater in raters:
        result = [_region(label, sample) for label in sample.marks if label.rater == rater]
        if rater is not None and grades.get(rater) is not None:
            choice = {"choices": [str(grades[rater])]}
            result.append({"type": "choices", "from_name": _GRADE, "to_name": "image", "value": choice})
        who = {"model_version" if by_model else "comedo_rater": rater} if rater is not None else {}
        answers.append({**who, "result": result})
    return answers


def _region(label: Label, sample: Sample) -> dict[str, Any]:
    assert sample.width is not None
    assert sample.height is not None
    tool, kind, value = _value(label.shape, sample.width, sample.height)
    extra = {"score": label.score, "comedo_box": label.box_xyxy}
    return {
        "type": kind,
        "from_name": tool,
        "to_name": "image",
        "original_width": sample.width,
        "original_height": sample.height,
        "image_rotation": 0,
        "value": {**value, kind: [label.category]},
    } | {k: v for k, v in extra.items() if v is not None}


def _percent(box: Box, width: int, height: int) -> dict[str, float]:
    x0, y0, x1, y1 = box
    x, y = 100 * x0 / width, 100 * y0 / height
    return {"x": x, "y": y, "width": 100 * (x1 - x0) / width, "height": 100 * (y1 - y0) / height, "rotation": 0}


def _value(shape: Shape, width: int, height: int) -> tuple[str, str, dict[str, Any]]:
    match shape:
        case Rectangle():
            return "box", "rectanglelabels", _percent(shape.box_xyxy, width, height)
        case Circle():
            (x, y), r = shape.center_xy, shape.radius_px
            place = {"x": 100 * x / width, "y": 100 * y / height}
            return "circle", "ellipselabels", place | {"radiusX": 100 * r / width, "radiusY": 100 * r / height}
        case Polygon():
            points = [[100 * x / width, 100 * y / height] for x, y in shape.points_xy]
            return "polygon", "polygonlabels", {"points": points, "closed": True}
        case Bitmap():
            rle = brush.encode(shape.full(height, width))
            return "mask", "brushlabels", {"format": "rle", "rle": rle}


LABEL_STUDIO = Format(
    "label-studio",
    "a JSON list of tasks; every shape, an answer for each rater",
    (Rectangle, Circle, Polygon, Bitmap),
    FACTS - {"categories"},
    folder=False,
    read=read_label_studio,
    write=write_label_studio,
)
