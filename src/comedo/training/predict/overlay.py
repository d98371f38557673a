"""The picture for people: the photo with what was found on it, and below it what made the picture."""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image as PillowImage
from PIL import ImageDraw

from comedo.report.drawing import load_font
from comedo.report.look import CLAIM, GROUPS, Rgb
from comedo.report.overlay import MAX_ENLARGEMENT
from comedo.report.panel import INK, PAPER
from comedo.training.data.dataset import Label
from comedo.training.runner.answer import Answer
from comedo.types import Box, Image, Mask

LONGEST = 1600  # pixels of the photo's longer side in the picture
_COLOURS: tuple[Rgb, ...] = tuple(look.colour for look in GROUPS.values())  # told apart by everybody
_LINE = 2  # pixels
_TEXT, _FOOT = 12, 13  # pixels of letters
_HASH = 20  # characters of "sha256:" and the first digits of a hash
_LIGHT = 150  # brightness from which a colour wants dark letters


def draw_answer(image: Image, answer: Answer, categories: tuple[str, ...], model: str) -> Image:
    """Draw lesions over a photo (H, W, 3): outlines around those of a mask, boxes with type and score.

    Returns:
        (h, w, 3) uint8 RGB: the photo resized, then lines below it.
    """
    scale = min(MAX_ENLARGEMENT, LONGEST / max(image.shape[:2]))
    size_wh = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    picture = np.asarray(cv2.resize(image, size_wh, interpolation=how), np.uint8)
    if answer.mask is not None:
        picture = np.where(_ring(answer.mask, size_wh)[..., None], np.array(_COLOURS[0], np.uint8), picture)
        return _with_foot(picture, answer.sentence, model)
    sheet = PillowImage.fromarray(picture)
    pen = ImageDraw.Draw(sheet)
    for label in answer.labels:
        x0, y0, x1, y1 = (v * scale for v in label.bounds_xyxy)
        colour = _COLOURS[categories.index(label.category) % len(_COLOURS)]
        _draw_box(pen, (x0, y0, x1, y1), label, colour, size_wh)
    return _with_foot(np.asarray(sheet, np.uint8), answer.sentence, model)


def _ring(mask: Mask, size_wh: tuple[int, int]) -> Mask:
    """The pixels around a mask, so that what is inside stays to be seen."""
    shares = cv2.resize(mask.astype(np.uint8) * 255, size_wh, interpolation=cv2.INTER_AREA)
    inside, side = (shares > 0).astype(np.uint8), 2 * _LINE + 1
    around = cv2.dilate(inside, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
    return np.asarray(around > inside)


def _draw_box(pen: ImageDraw.ImageDraw, box: Box, label: Label, colour: Rgb, size_wh: tuple[int, int]) -> None:
    x0, y0, x1, y1 = box
    pen.rectangle((x0, y0, max(x0, x1 - 1), max(y0, y1 - 1)), outline=colour, width=_LINE)
    said = label.category if label.score is None else f"{label.category} {label.score:.2f}"
    font = load_font(_TEXT)
    width, height = font.getlength(said) + 4, _TEXT + 4
    left = max(0.0, min(x0, size_wh[0] - width))
    top = y0 - height if y0 >= height else y1
    pen.rectangle((left, top, left + width, top + height), fill=colour)
    ink = INK if np.mean(colour) > _LIGHT else PAPER
    pen.text((left + 2, top + height / 2), said, font=font, fill=ink, anchor="lm")


def _with_foot(picture: Image, sentence: str, model: str) -> Image:
    """The picture above lines that fit its width: the answer, the network, what it is not."""
    font, (height, width) = load_font(_FOOT), picture.shape[:2]
    name, _, digits = model.partition("@")
    lines = [""]
    for word in f"{sentence}. {name}@{digits[:_HASH]}. {CLAIM}".split():
        longer = f"{lines[-1]} {word}".lstrip()
        if font.getlength(longer) <= width - 16:
            lines[-1] = longer
        else:
            lines.append(word)
    step = round(1.6 * _FOOT)
    sheet = PillowImage.new("RGB", (width, height + step * len(lines) + 8), PAPER)
    sheet.paste(PillowImage.fromarray(picture), (0, 0))
    pen = ImageDraw.Draw(sheet)
    for number, line in enumerate(lines):
        pen.text((8, height + 6 + step * number), line, font=font, fill=INK)
    return np.asarray(sheet, np.uint8)
