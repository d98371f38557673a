"""Parts of the face as pictures of their own, cut by the face map: the reference system's photos are of parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from comedo.training.augmentation.regions import move_edges, region_boxes
from comedo.training.data.dataset import Label, Rectangle, Sample
from comedo.training.detection.serve import Found, ServePlan, merge
from comedo.training.runner.augment import Pictured
from comedo.training.runner.faces import Parts
from comedo.types import Region

PixelBox = tuple[int, int, int, int]  # whole pixels of the photo; the last two exclusive
_LEAST_SEEN = 0.5  # share of a lesion's box that must be in the picture, else it is left out


def part_boxes(parts: Parts | None, wanted: Sequence[Region]) -> dict[Region, PixelBox]:
    """The box of each wanted part that a photo's face map shows; none where no face was found."""
    found = {} if parts is None else region_boxes(parts)
    return {region: _whole(*found[region]) for region in wanted if region in found}


def _whole(x0: float, y0: float, x1: float, y1: float) -> PixelBox:
    return (int(x0), int(y0), int(x1), int(y1))


def move_part(rng: np.random.Generator, box: PixelBox, jitter: float, size_wh: tuple[int, int]) -> PixelBox:
    """The box of a part with other edges, for learning; what would lie outside the photo is cut away.

    Args:
        rng: Nothing is drawn from it without jitter.
        box: Of the part in the photo.
        jitter: How far an edge moves at most, as a share of the box.
        size_wh: The photo's width and height.
    """
    if jitter == 0:
        return box
    x0, y0, x1, y1 = (round(v) for v in move_edges(rng, box, jitter))
    return (max(0, x0), max(0, y0), min(size_wh[0], x1), min(size_wh[1], y1))


def cut_part(picture: Pictured, box: PixelBox) -> Pictured:
    """The picture of one part; lesions keep a box, those that lie mostly outside are left out."""
    x0, y0, x1, y1 = box
    parts = None if picture.parts is None else picture.parts[y0:y1, x0:x1]
    return Pictured(picture.image[y0:y1, x0:x1], cut_sample(picture.sample, box), parts)


def cut_sample(sample: Sample, box: PixelBox) -> Sample:
    """The labels of a part's picture, in its pixels."""
    kept = [label for mark in sample.marks if (label := _cut(mark, box)) is not None]
    labels = None if sample.labels is None else tuple(kept)
    return replace(sample, labels=labels, width=box[2] - box[0], height=box[3] - box[1])


def _cut(label: Label, box: PixelBox) -> Label | None:
    x0, y0, x1, y1 = label.bounds_xyxy
    seen = (max(x0, box[0]), max(y0, box[1]), min(x1, box[2]), min(y1, box[3]))
    width, height = seen[2] - seen[0], seen[3] - seen[1]
    if min(width, height) <= 0 or width * height < _LEAST_SEEN * (x1 - x0) * (y1 - y0):
        return None
    shape = Rectangle((seen[0] - box[0], seen[1] - box[1], seen[2] - box[0], seen[3] - box[1]))
    return replace(label, shape=shape, box_xyxy=None)


def join_parts(several: Sequence[tuple[PixelBox, Found]], plan: ServePlan) -> Found:
    """The findings on one or more parts' pictures, in the photo's pixels."""
    moved = [Found(f.boxes + np.array([box[0], box[1]] * 2), f.scores, f.classes) for box, f in several]
    return merge(moved, plan)
