"""A photo through an exported detector: whole, or through slices whose findings are merged."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from comedo.geometry import Tile, tile_canvas
from comedo.training.detection.boxes import Overlap, suppress
from comedo.training.detection.ways import Way
from comedo.training.runner.contract import Run
from comedo.types import Image

MULTIPLE = 32  # of the sides that the network takes
_BEFORE = 1000  # findings of a picture that are compared with each other, as is usual
_EDGE_PX = 1.5  # a box that ends so near to a slice's edge was cut by it


@dataclass(frozen=True, kw_only=True)
class ServePlan:
    """What becomes of a photo, and which findings are kept. The defaults are the reference system's."""

    longest: int = 512  # pixels that the photo's longer side is brought to
    tile: int = 512  # side of a slice, a multiple of 32
    overlap: float = 0.4  # share of a slice that the next one sees too
    least_score: float = 0.05  # findings below are dropped
    nms: float = 0.6  # overlap (IoU) above which the weaker of two findings of a type is dropped
    merge: float = 0.5  # the same between slices, as a share of the smaller box
    most: int = 100  # findings of a photo


@dataclass(frozen=True, eq=False)
class Found:
    """What was found on a photo, highest score first; boxes in its pixels."""

    boxes: NDArray[np.float64]  # (N, 4) x0, y0, x1, y1
    scores: NDArray[np.float64]  # (N,)
    classes: NDArray[np.int64]  # (N,)

    def __len__(self) -> int:
        return len(self.boxes)

    def choose(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> Found:
        """Some of them."""
        return Found(self.boxes[rows], self.scores[rows], self.classes[rows])


@dataclass(frozen=True, eq=False)
class Canvas:
    """A photo at the network's scale, black below and to the right up to whole multiples of 32."""

    image: Image
    zoom_xy: tuple[float, float]  # from the photo's pixels
    size_wh: tuple[int, int]  # of the photo on it


def make_canvas(image: Image, longest: int) -> Canvas:
    """Bring a photo's longer side to `longest` pixels."""
    h, w = image.shape[:2]
    zoom = longest / max(h, w)
    width, height = max(1, round(w * zoom)), max(1, round(h * zoom))
    how = cv2.INTER_AREA if zoom < 1 else cv2.INTER_LINEAR
    resized = image if zoom == 1 else cv2.resize(image, (width, height), interpolation=how)
    canvas = np.zeros((_round_up(height), _round_up(width), 3), np.uint8)
    canvas[:height, :width] = resized
    return Canvas(canvas, (width / w, height / h), (width, height))


def _round_up(length: int) -> int:
    return math.ceil(length / MULTIPLE) * MULTIPLE


def detect(run: Run, image: Image, plan: ServePlan, way: Way = Way.WHOLE) -> Found:
    """Find lesions on a (H, W, 3) uint8 RGB photo.

    Args:
        run: The exported network, `image` to `boxes` and `scores`.
        image: The photo.
        plan: Scale, slices, what is kept.
        way: Whole or through slices.
    """
    canvas = make_canvas(image, plan.longest)
    if way is Way.WHOLE:
        found = _look(run, canvas.image, plan)
    else:
        h, w = canvas.image.shape[:2]
        tiles = tile_canvas(h, w, longest=plan.tile, overlap=round(plan.overlap * plan.tile), multiple=MULTIPLE)
        found = merge([_look_at_tile(run, canvas.image, tile, plan) for tile in tiles], plan)
    boxes = found.boxes / np.array([*canvas.zoom_xy, *canvas.zoom_xy])
    bounds = np.array([image.shape[1], image.shape[0]] * 2)
    found = Found(np.clip(boxes, 0, bounds), found.scores, found.classes)
    seen = (found.boxes[:, 2:] > found.boxes[:, :2]).all(1)
    return found.choose(seen & (np.arange(len(found)) < plan.most))


def _look(run: Run, picture: Image, plan: ServePlan) -> Found:
    """One pass: everything above the least score, each type without doubles, in the picture's pixels."""
    out = run({"image": picture[None]})
    boxes, scores = np.asarray(out["boxes"][0], np.float64), np.asarray(out["scores"][0], np.float64)
    points, classes = np.nonzero(scores >= plan.least_score)
    values = scores[points, classes]
    order = np.argsort(-values, kind="stable")[:_BEFORE]
    found = Found(boxes[points[order]], values[order], classes[order].astype(np.int64))
    return without_doubles(found, plan.nms)


def without_doubles(
    found: Found, limit: float, *, measure: Overlap = Overlap.UNION, across_types: bool = False
) -> Found:
    """Greedy suppression of doubles, of one type or whatever their types."""
    groups = np.zeros_like(found.classes) if across_types else found.classes
    kept = suppress(
        torch.from_numpy(found.boxes),
        torch.from_numpy(found.scores),
        torch.from_numpy(groups),
        limit=limit,
        measure=measure,
    )
    return found.choose(kept.numpy())


def _look_at_tile(run: Run, canvas: Image, tile: Tile, plan: ServePlan) -> Found:
    """Findings of one slice in the canvas's pixels, less those that its inner edges cut.

    The neighbour sees what an inner edge cuts, because slices overlap; only what is longer than the
    overlap is kept, cut as it is.
    """
    height, width = canvas.shape[:2]
    picture = np.zeros((tile.height, tile.width, 3), np.uint8)
    part = canvas[tile.y0 : tile.y0 + tile.height, tile.x0 : tile.x0 + tile.width]
    picture[: part.shape[0], : part.shape[1]] = part
    found = _look(run, picture, plan)
    x0, y0, x1, y1 = found.boxes.T
    cut = (x0 < _EDGE_PX) & (tile.x0 > 0) | (y0 < _EDGE_PX) & (tile.y0 > 0)
    cut |= (x1 > tile.width - _EDGE_PX) & (tile.x0 + tile.width < width)
    cut |= (y1 > tile.height - _EDGE_PX) & (tile.y0 + tile.height < height)
    short = np.maximum(x1 - x0, y1 - y0) < plan.overlap * plan.tile
    corner = np.array([tile.x0, tile.y0] * 2)
    return Found(found.boxes + corner, found.scores, found.classes).choose(~(cut & short))


def merge(parts: Sequence[Found], plan: ServePlan) -> Found:
    """The findings of several slices as one list: of two that share most of the smaller, the surer stays."""
    joined = Found(
        np.concatenate([p.boxes for p in parts]),
        np.concatenate([p.scores for p in parts]),
        np.concatenate([p.classes for p in parts]),
    )
    return joined if len(parts) == 1 else without_doubles(joined, plan.merge, measure=Overlap.SMALLER)
