"""Two tools of the overlay: text in the font that Pillow brings, and smooth outlines at fractions of a pixel."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from PIL import ImageFont

from comedo.report.look import Rgb, Shape
from comedo.types import Image, Xy

SHIFT = 4  # fractional bits of OpenCV's drawing coordinates


@lru_cache(maxsize=32)
def load_font(size: float) -> ImageFont.FreeTypeFont:
    """The font that Pillow brings, at a size in pixels."""
    font = ImageFont.load_default(size=size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise RuntimeError("this Pillow was built without FreeType; install a wheel of Pillow from PyPI")
    return font


def draw_shape(picture: Image, shape: Shape, xy: Xy, radius: float, colour: Rgb, thick: int) -> None:
    """Draw a smooth outline into `picture`; `radius` is that of the circle inside it."""
    x, y = xy
    fixed = 1 << SHIFT
    if shape is Shape.CIRCLE:
        centre = (round(x * fixed), round(y * fixed))
        cv2.circle(picture, centre, round(radius * fixed), colour, thick, cv2.LINE_AA, SHIFT)
        return
    if shape is Shape.DIAMOND:
        r = radius * 1.25
        corners = [(x, y - r), (x + r, y), (x, y + r), (x - r, y)]
    else:
        r = radius * 0.95
        corners = [(x - r, y - r), (x + r, y - r), (x + r, y + r), (x - r, y + r)]
    points = np.round(np.array(corners) * fixed).astype(np.int32)
    cv2.polylines(picture, [points], True, colour, thick, cv2.LINE_AA, SHIFT)
