"""Labels that contradict each other or their photo."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from comedo.training.data.dataset import Dataset, Label, Sample
from comedo.training.data.duplicates import Likeness, Pair
from comedo.training.metrics.matching import box_iou
from comedo.types import Box

_OTHER_CLASS_IOU = 0.5  # boxes of different classes that share so much are one lesion called two names
_SAME_CLASS_IOU = 0.9  # boxes of one class and one rater that share so much are one lesion marked twice


@dataclass(frozen=True)
class Conflict:
    """One contradiction; `box_xyxy` is where to look, if it has a place."""

    photo: str
    what: str
    box_xyxy: Box | None = None
    other: str | None = None  # the second photo, of a pair


def find_conflicts(dataset: Dataset, duplicates: Sequence[Pair]) -> list[Conflict]:
    """Everything that contradicts: on each photo, and between photos that are the same."""
    found = [c for sample in dataset.samples for c in _on_photo(sample)]
    for pair in duplicates:
        if pair.likeness is not Likeness.ROOM:
            found += _between(dataset.samples[pair.first], dataset.samples[pair.second])
    return found


def _on_photo(sample: Sample) -> Iterator[Conflict]:
    yield from (Conflict(sample.photo, f"{label.category} lies outside the photo", label.bounds_xyxy)
                for label in sample.marks if _outside(label, sample))  # fmt: skip
    boxes = np.array([label.bounds_xyxy for label in sample.marks], np.float64).reshape(-1, 4)
    overlap = np.triu(box_iou(boxes, boxes), 1)
    for a, b in zip(*np.nonzero(overlap >= _OTHER_CLASS_IOU), strict=True):
        first, second = sample.marks[a], sample.marks[b]
        if first.category != second.category:
            what = f"{first.category} and {second.category} on the same place (IoU {overlap[a, b]:.2f})"
            yield Conflict(sample.photo, what, first.bounds_xyxy)
        elif overlap[a, b] >= _SAME_CLASS_IOU and first.rater == second.rater:
            yield Conflict(sample.photo, f"{first.category} marked twice (IoU {overlap[a, b]:.2f})", first.bounds_xyxy)


def _outside(label: Label, sample: Sample) -> bool:
    if sample.width is None or sample.height is None:
        return False
    x0, y0, x1, y1 = label.bounds_xyxy
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    return not (0 <= x <= sample.width and 0 <= y <= sample.height)


def _between(a: Sample, b: Sample) -> Iterator[Conflict]:
    if a.grade is not None and b.grade is not None and a.grade != b.grade:
        yield Conflict(a.photo, f"grade {a.grade}, and {b.grade} on the same picture", other=b.photo)
    if a.labels is None or b.labels is None:
        return
    one, two = len(a.labels), len(b.labels)
    if abs(one - two) > max(1, 0.2 * max(one, two)):
        yield Conflict(a.photo, f"{one} lesions, and {two} on the same picture", other=b.photo)
    if a.person is not None and b.person is not None and a.person != b.person:
        yield Conflict(a.photo, "two names of a person for the same picture", other=b.photo)
