"""Small pictures for reports: a photo, a pair, a place on a photo. They carry no metadata."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from comedo.errors import UnusableInput
from comedo.geometry import sample_crop, square_around
from comedo.photo import read_photo
from comedo.report.pictures import to_jpeg
from comedo.types import Box, Image

SIDE = 160  # pixels of a thumbnail
_QUALITY = 80
_MARK = (216, 27, 96)
_AROUND = 4.0  # a place is shown with so many times its size around it


def thumbnail(path: Path, *, box_xyxy: Box | None = None) -> Image:
    """A square picture (160, 160, 3) of a photo, or of the surroundings of a box that is drawn in it.

    A photo that cannot be read is grey.
    """
    try:
        image = read_photo(path).image
    except UnusableInput:
        return np.full((SIDE, SIDE, 3), 128, np.uint8)
    if box_xyxy is None:
        h, w = image.shape[:2]
        return sample_crop(image, square_around((0, 0, w, h), 1.0), (SIDE, SIDE))
    frame = square_around(box_xyxy, _AROUND)
    crop = sample_crop(image, frame, (SIDE, SIDE))
    zoom = SIDE / (frame[2] - frame[0])
    x0, y0, x1, y1 = (round((v - frame[k % 2]) * zoom) for k, v in enumerate(box_xyxy))
    cv2.rectangle(crop, (x0, y0), (x1, y1), _MARK, 1)
    return crop


def side_by_side(first: Image, second: Image) -> Image:
    """Two thumbnails with a gap."""
    gap = np.full((first.shape[0], 4, 3), 255, np.uint8)
    return np.hstack([first, gap, second])


def as_jpeg(image: Image) -> bytes:
    """A thumbnail as a file's bytes."""
    return to_jpeg(image, quality=_QUALITY)
