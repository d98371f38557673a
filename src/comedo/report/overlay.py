"""The picture for people: the face with its regions and lesions, and beside it what was measured.

Resized first, then drawn: the work depends on the size of the screen, not on that of the photo.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PilImage
from PIL import ImageDraw

from comedo.report.drawing import draw_shape, load_font
from comedo.report.look import GROUPS, REGION_COLOURS
from comedo.report.panel import PAPER, draw_panel, panel_height, panel_width
from comedo.types import FaceAnalysis, FaceMap, Image, Lesion, Region, Xy

MAX_ENLARGEMENT = 4.0  # a 300-pixel photo still fills a screen; beyond that only blur grows
FACE_MARGIN = 0.22  # of the face box, on each side
WHITE = (255, 255, 255)
TINT, BORDER = 0.10, 0.20  # opacity of a region and of its edge


def draw_overlay(image: Image, analysis: FaceAnalysis, *, max_side: int = 1600) -> Image:
    """Draw what was measured over the face.

    Args:
        image: The photo that was analysed, (H, W, 3) uint8 RGB.
        analysis: Its analysis.
        max_side: Longest side of the picture that comes back, panel included, in pixels; at least 320.

    Returns:
        (h, w, 3) uint8 RGB. A photo much larger than the face is cropped to the face.

    Raises:
        ValueError: `image` is not the photo of `analysis`, or `max_side` is too small to read anything.
    """
    if image.shape != (analysis.height, analysis.width, 3) or image.dtype != np.uint8:
        raise ValueError(
            f"image must be the analysed photo, ({analysis.height}, {analysis.width}, 3) uint8, "
            f"got {image.shape} {image.dtype}; pass the upright pixels that were analysed"
        )
    if max_side < 320:
        raise ValueError(f"max_side must be at least 320 pixels, got {max_side}")
    unit = max_side / 1600
    picture = draw_face(image, analysis.face, analysis.lesions, max_side=max_side, beside=panel_width(unit))
    return _with_panel(picture, analysis, unit, max_side)


def draw_face(
    image: Image, face: FaceMap, lesions: tuple[Lesion, ...], *, max_side: int = 1200, beside: int = 0
) -> Image:
    """The face with its regions and lesions, without a panel.

    Args:
        image: The photo, (H, W, 3) uint8 RGB.
        face: Its map.
        lesions: Those to draw.
        max_side: Longest side in pixels.
        beside: Of these, pixels of the width to leave for something else.
    """
    unit = max_side / 1600
    view = _choose_view(face, (image.shape[1], image.shape[0]), max_side, beside)
    picture = _tint_regions(view.render(image), face, view)
    _draw_lesions(picture, lesions, view, unit)
    return picture


@dataclass(frozen=True)
class View:
    """Which part of the photo is shown, and how large."""

    x0: int
    y0: int
    width: int
    height: int
    scale: float  # shown pixels per photo pixel

    @property
    def size_wh(self) -> tuple[int, int]:
        """Size as shown."""
        return max(1, round(self.width * self.scale)), max(1, round(self.height * self.scale))

    @property
    def from_photo(self) -> NDArray[np.float64]:
        """Affine (2, 3) from photo pixels to shown pixels; pixel centres meet."""
        s = self.scale
        return np.array([[s, 0, (0.5 - self.x0) * s - 0.5], [0, s, (0.5 - self.y0) * s - 0.5]])

    def show(self, xy: Xy) -> Xy:
        """A point of the photo as shown."""
        x, y = self.from_photo @ (xy[0], xy[1], 1.0)
        return float(x), float(y)

    def render(self, image: Image) -> Image:
        """The shown part of the photo at its size."""
        part = image[self.y0 : self.y0 + self.height, self.x0 : self.x0 + self.width]
        method = cv2.INTER_AREA if self.scale < 1 else cv2.INTER_CUBIC
        return np.asarray(cv2.resize(part, self.size_wh, interpolation=method), np.uint8)


def _choose_view(face: FaceMap, size_wh: tuple[int, int], max_side: int, beside: int) -> View:
    """The whole photo, or the face with a margin where the face is a small part of it."""
    (x0, y0, x1, y1), (photo_width, photo_height) = face.box_xyxy, size_wh
    margin_x, margin_y = FACE_MARGIN * (x1 - x0), FACE_MARGIN * (y1 - y0)
    left, top = max(0, int(x0 - margin_x)), max(0, int(y0 - margin_y))
    right, bottom = min(photo_width, int(x1 + margin_x) + 1), min(photo_height, int(y1 + margin_y) + 1)
    if (right - left) * (bottom - top) > 0.6 * photo_width * photo_height or right - left < 8 or bottom - top < 8:
        left, top, right, bottom = 0, 0, photo_width, photo_height
    width, height = right - left, bottom - top
    scale = min((max_side - beside) / width, max_side / height, MAX_ENLARGEMENT)
    return View(left, top, width, height, scale)


def _tint_regions(picture: Image, face: FaceMap, view: View) -> Image:
    """Lay a faint colour over each region, a little stronger along its soft border."""
    finer = max(1, -(-512 // max(face.parts.shape)))  # smooth the borders on a grid finer than the map's cells
    parts = cv2.resize(face.parts, None, fx=finer, fy=finer, interpolation=cv2.INTER_NEAREST)
    colour = np.zeros((*parts.shape, 3), np.float32)
    opacity = np.zeros(parts.shape, np.float32)
    for region in Region:
        soft = cv2.GaussianBlur((parts == region.part).astype(np.float32), (0, 0), 0.9 * finer)
        strength = TINT * soft + BORDER * (4 * soft * (1 - soft)) ** 3
        colour += strength[..., None] * np.asarray(REGION_COLOURS[region], np.float32)
        opacity += strength
    whole = _square(view.from_photo) @ _square(face.to_photo) @ _finer_grid(finer)
    layer = cv2.warpAffine(np.dstack([colour, opacity]), whole[:2], view.size_wh, flags=cv2.INTER_LINEAR)
    mixed = picture * (1 - np.minimum(layer[..., 3:], 1)) + layer[..., :3]
    return np.asarray(np.clip(mixed + 0.5, 0, 255), np.uint8)


def _square(affine: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.vstack([affine, [0.0, 0.0, 1.0]])


def _finer_grid(factor: int) -> NDArray[np.float64]:
    """From the pixels of an enlarged map to those of the map."""
    offset = (1 - factor) / (2 * factor)
    return np.array([[1 / factor, 0, offset], [0, 1 / factor, offset], [0, 0, 1.0]])


def _draw_lesions(picture: Image, lesions: tuple[Lesion, ...], view: View, unit: float) -> None:
    """Outline every lesion, marks first so that acne lies on top; letters only where they cover nothing."""
    thick = max(1, round(2.2 * unit))
    radii = {lesion.id: max(lesion.diameter_px * view.scale / 2 + 3 * unit, 6 * unit) for lesion in lesions}
    for lesion in sorted(lesions, key=lambda it: it.active):
        look = GROUPS[lesion.group]
        centre = view.show(lesion.center_xy)
        draw_shape(picture, look.shape, centre, radii[lesion.id], WHITE, thick + max(2, round(2 * unit)))
        draw_shape(picture, look.shape, centre, radii[lesion.id], look.colour, thick)
    _letter_lesions(picture, lesions, radii, view, unit)


def _letter_lesions(
    picture: Image, lesions: tuple[Lesion, ...], radii: dict[int, float], view: View, unit: float
) -> None:
    size = max(9, round(20 * unit))
    font, halo, bold = load_font(size), max(1.0, 2.2 * unit), 0.5 * unit
    canvas = PilImage.fromarray(picture)
    pen = ImageDraw.Draw(canvas)
    taken = [(*view.show(lesion.center_xy), radii[lesion.id]) for lesion in lesions]
    for lesion in lesions:
        look = GROUPS[lesion.group]
        x, y = view.show(lesion.center_xy)
        reach = radii[lesion.id] * 0.75 + size * 0.62
        for dx, dy in ((1, -1), (-1, -1), (1, 1), (-1, 1)):
            spot = (x + dx * reach, y + dy * reach)
            if any(abs(spot[0] - a) < r + size * 0.3 and abs(spot[1] - b) < r + size * 0.3 for a, b, r in taken):
                continue
            pen.text(
                spot, look.letter, (255, 255, 255), font, "mm", stroke_width=halo + bold, stroke_fill=(255, 255, 255)
            )
            pen.text(spot, look.letter, look.colour, font, "mm", stroke_width=bold, stroke_fill=look.colour)
            taken.append((*spot, size * 0.4))
            break
    picture[:] = np.asarray(canvas)


def _with_panel(picture: Image, analysis: FaceAnalysis, unit: float, max_side: int) -> Image:
    """Picture on the left, panel on the right, on one sheet."""
    height, width = picture.shape[:2]
    sheet_height = min(max_side, max(height, panel_height(unit)))
    sheet = np.full((sheet_height, width + panel_width(unit), 3), PAPER, np.uint8)
    top = (sheet_height - height) // 2
    sheet[top : top + height, :width] = picture
    canvas = PilImage.fromarray(sheet)
    draw_panel(canvas, analysis, left=width, unit=unit)
    return np.array(canvas, np.uint8)
