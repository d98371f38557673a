"""Mirroring of a photo with everything that is known of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from comedo.training.data.bitmap import Bitmap, bitmap_of
from comedo.training.data.dataset import Circle, Polygon, Rectangle, Sample, Shape
from comedo.types import Box, Image, Part


def draw_mirror(rng: np.random.Generator) -> bool:
    """Whether to mirror: half of the photos."""
    return bool(rng.random() < 0.5)


def mirror_image(image: Image) -> Image:
    """The (H, W, 3) picture, left and right exchanged."""
    return np.ascontiguousarray(image[:, ::-1])


def mirror_parts(parts: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The (H, W) face map, mirrored; what now looks like the left cheek is called so."""
    table = np.arange(256, dtype=np.uint8)
    table[[Part.LEFT_CHEEK, Part.RIGHT_CHEEK]] = Part.RIGHT_CHEEK, Part.LEFT_CHEEK
    return np.asarray(table[parts[:, ::-1]], np.uint8)


def mirror_sample(sample: Sample) -> Sample:
    """The labels of the mirrored photo.

    Raises:
        ValueError: The photo's width is unknown.
    """
    width = sample.width
    if width is None:
        raise ValueError(f"{sample.photo}: to mirror labels the photo's width must be known")
    if sample.labels is None:
        return sample
    labels = tuple(
        replace(
            label,
            shape=_mirror(label.shape, width),
            box_xyxy=None if label.box_xyxy is None else _mirror_box(label.box_xyxy, width),
        )
        for label in sample.labels
    )
    return replace(sample, labels=labels)


def _mirror_box(box: Box, width: int) -> Box:
    return (width - box[2], box[1], width - box[0], box[3])


def _mirror(shape: Shape, width: int) -> Shape:
    match shape:
        case Rectangle():
            return Rectangle(_mirror_box(shape.box_xyxy, width))
        case Circle():
            return replace(shape, center_xy=(width - shape.center_xy[0], shape.center_xy[1]))
        case Polygon():
            return Polygon(tuple((width - x, y) for x, y in shape.points_xy))
        case Bitmap():
            left = width - shape.left - shape.width
            return bitmap_of(shape.crop()[:, ::-1], left=left, top=shape.top)
