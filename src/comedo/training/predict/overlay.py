"""The picture for people: the photo with what was found on it, and below it what made the picture."""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image as PillowImage
from PIL import ImageDraw

from comedo.report.drawing import load_font
from comedo.report.look import CLAIM, GROUPS, Rgb
from comedo.report.panel import INK, PAPER
from comedo.training.data.dataset import Label
from comedo.training.runner.answer import Answer
from comedo.types import Image, Mask

LONGEST = 1600  # pixels of the picture; photos are made smaller, never larger
_COLOURS: tuple[Rgb, ...] = tuple(look.colour for look in GROUPS.values())
_TINT = 0.35
_FOOT = 22  # pixels of a line below the photo
_HASH = 20  # characters of "@sha256:" and the first digits of a hash


def draw_answer(image: Image, answer: Answer, categories: tuple[str, ...], model: str) -> Image:
    """Draw lesions over a photo (H, W, 3): a mask as a tint with its outline, boxes with type and score."""
    scale = min(1.0, LONGEST / max(image.shape[:2]))
    size_wh = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    picture = np.ascontiguousarray(cv2.resize(image, size_wh, interpolation=cv2.INTER_AREA), np.uint8)
    if answer.mask is not None:
        return _with_foot(_tinted(picture, answer.mask), answer.sentence, model)
    sheet = PillowImage.fromarray(picture)
    pen = ImageDraw.Draw(sheet)
    for label in answer.labels:
        _draw_box(pen, label, _COLOURS[categories.index(label.category) % len(_COLOURS)], scale)
    return _with_foot(np.asarray(sheet, np.uint8), answer.sentence, model)


def _tinted(picture: Image, mask: Mask) -> Image:
    size_wh = (picture.shape[1], picture.shape[0])
    small = cv2.resize(mask.astype(np.float32), size_wh, interpolation=cv2.INTER_AREA) > 0
    tinted = picture.astype(np.float32)
    tinted[small] = (1 - _TINT) * tinted[small] + _TINT * np.array(_COLOURS[0], np.float32)
    drawn = np.ascontiguousarray(tinted + 0.5, np.uint8)
    outlines, _ = cv2.findContours(small.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(drawn, outlines, -1, _COLOURS[0], 1)
    return drawn


def _draw_box(pen: ImageDraw.ImageDraw, label: Label, colour: Rgb, scale: float) -> None:
    x0, y0, x1, y1 = (v * scale for v in label.bounds_xyxy)
    pen.rectangle((x0, y0, max(x0, x1 - 1), max(y0, y1 - 1)), outline=colour, width=2)
    said = label.category if label.score is None else f"{label.category} {label.score:.2f}"
    font = load_font(12)
    place = pen.textbbox((x0, y0), said, font=font, anchor="lb")
    if place[1] < 0:
        place = pen.textbbox((x0, y1), said, font=font, anchor="lt")
    pen.rectangle(place, fill=colour)
    pen.text(place[:2], said, font=font, fill=(255, 255, 255), anchor="lt")


def _with_foot(picture: Image, sentence: str, model: str) -> Image:
    """The photo above lines that fit its width."""
    font = load_font(13)
    name, _, digits = model.partition("@")
    words = f"{sentence}. {name}@{digits[:_HASH]}. {CLAIM}".split()
    lines: list[str] = []
    for word in words:
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and font.getlength(longer) <= picture.shape[1] - 16:
            lines[-1] = longer
        else:
            lines.append(word)
    sheet = PillowImage.new("RGB", (picture.shape[1], picture.shape[0] + _FOOT * len(lines) + 8), PAPER)
    sheet.paste(PillowImage.fromarray(picture), (0, 0))
    pen = ImageDraw.Draw(sheet)
    for number, line in enumerate(lines):
        pen.text((8, picture.shape[0] + 6 + _FOOT * number), line, font=font, fill=INK)
    return np.asarray(sheet, np.uint8)
