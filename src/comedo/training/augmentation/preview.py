"""What the augmentations do to one's own photos: a contact sheet, one row a photo, the original first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from comedo.geometry import sample_crop, square_around
from comedo.report.drawing import load_font
from comedo.training.augment import draw_look, draw_white_balance
from comedo.training.augmentation.mirror import draw_mirror, mirror_image, mirror_sample
from comedo.training.augmentation.paste import Patch, draw_placements, paste
from comedo.training.augmentation.regions import (
    FACE_PARTS,
    draw_crop,
    draw_fill,
    mask_of_parts,
    region_boxes,
)
from comedo.training.augmentation.rolling import draw_roll, rolls_per_grade
from comedo.training.data.dataset import Sample
from comedo.types import Image, Region, skin_of

CELL = 224  # pixels of one picture
_GAP, _TITLE = 6, 22
_PASTED = 8  # lesions at most
_ROLLS = 4  # where a photo has no grade
_OUTLINE = (216, 27, 96)


@dataclass(frozen=True, eq=False)
class Subject:
    """One photo with what the augmentations need to know of it."""

    image: Image
    sample: Sample
    parts: NDArray[np.uint8] | None  # (H, W) of `Part`; None where no face was found


@dataclass(frozen=True, eq=False)
class Supplies:
    """What augmentations take from the rest of the training photos."""

    patches: Sequence[Patch] = ()
    grades: Mapping[int, int] | None = None  # photos of each grade

    def rolls(self, grade: int | None) -> int:
        """Copies of a patch of that grade."""
        if not self.grades or grade is None or grade not in self.grades:
            return _ROLLS
        return rolls_per_grade(self.grades)[grade]


Change = Callable[[Subject, Supplies, np.random.Generator], Image | None]


def _roll(subject: Subject, supplies: Supplies, rng: np.random.Generator) -> Image | None:
    boxes = {} if subject.parts is None else region_boxes(subject.parts)
    if not boxes:
        return None
    region = list(boxes)[int(rng.integers(len(boxes)))]
    patch = _cut(subject.image, boxes[region])
    return draw_roll(rng, patch, region, supplies.rolls(subject.sample.grade)).apply(patch)


def _cut(image: Image, box: tuple[float, float, float, float]) -> Image:
    x0, y0, x1, y1 = (round(v) for v in box)
    return image[y0:y1, x0:x1]


def _paste(subject: Subject, supplies: Supplies, rng: np.random.Generator) -> Image | None:
    if subject.parts is None or not supplies.patches:
        return None
    skin = skin_of(subject.parts)
    places = draw_placements(rng, supplies.patches, subject.sample, skin, number=_PASTED)
    image, sample = paste(subject.image, subject.sample, supplies.patches, places)
    return _outlined(image, sample)


def _background(subject: Subject, _supplies: Supplies, rng: np.random.Generator) -> Image | None:
    if subject.parts is None:
        return None
    return draw_fill(rng).apply(subject.image, mask_of_parts(subject.parts, FACE_PARTS))


def _region(subject: Subject, _supplies: Supplies, rng: np.random.Generator) -> Image | None:
    boxes = {} if subject.parts is None else region_boxes(subject.parts)
    if not boxes:
        return None
    region: Region = list(boxes)[int(rng.integers(len(boxes)))]
    return draw_crop(rng, boxes[region]).apply(subject.image)


def _mirror(subject: Subject, _supplies: Supplies, rng: np.random.Generator) -> Image | None:
    if not draw_mirror(rng):
        return _outlined(subject.image, subject.sample)
    return _outlined(mirror_image(subject.image), mirror_sample(subject.sample))


def _light(subject: Subject, _supplies: Supplies, rng: np.random.Generator) -> Image | None:
    return draw_look(rng).apply(subject.image, rng)


def _white(subject: Subject, _supplies: Supplies, rng: np.random.Generator) -> Image | None:
    return draw_white_balance(rng).apply(subject.image)


CHANGES: Mapping[str, Change] = {
    "roll": _roll,
    "paste": _paste,
    "background": _background,
    "region": _region,
    "mirror": _mirror,
    "light": _light,
    "white-balance": _white,
}


def _outlined(image: Image, sample: Sample) -> Image:
    """The photo with its labels outlined, so that it shows whether they moved along."""
    canvas = image.copy()
    thick = max(1, round(max(image.shape[:2]) / 400))
    for label in sample.marks:
        x0, y0, x1, y1 = (round(v) for v in label.bounds_xyxy)
        cv2.rectangle(canvas, (x0, y0), (x1, y1), _OUTLINE, thick)
    return canvas


def contact_sheet(
    subjects: Sequence[Subject], supplies: Supplies, changes: Sequence[str], *, seed: int, repeats: int = 1
) -> Image:
    """Draw the sheet: a row for each photo, a column for the original and each change.

    Args:
        subjects: The photos.
        supplies: Patches and grades of the training photos.
        changes: Names of `CHANGES`.
        seed: The same seed gives the same sheet; each cell draws from its own numbers.
        repeats: Columns for each change.

    Returns:
        (H, W, 3) uint8 RGB. A cell is empty where a change needs a face, or lesions, that are not there.
    """
    columns = [(name, k) for name in changes for k in range(repeats)]
    rows = [_titles(["original", *(name for name, _ in columns)])]
    for row, subject in enumerate(subjects):
        cells = [_cell(_outlined(subject.image, subject.sample))]
        for name, k in columns:
            rng = np.random.default_rng([seed, row, list(CHANGES).index(name), k])
            cells.append(_cell(CHANGES[name](subject, supplies, rng)))
        rows.append(np.hstack(cells))
    return np.vstack(rows)


def _cell(image: Image | None) -> Image:
    canvas = np.full((CELL + _GAP, CELL + _GAP, 3), 255, np.uint8)
    if image is not None:
        h, w = image.shape[:2]
        canvas[:CELL, :CELL] = sample_crop(image, square_around((0, 0, w, h), 1.0), (CELL, CELL))
    return canvas


def _titles(names: Sequence[str]) -> Image:
    from PIL import Image as PillowImage
    from PIL import ImageDraw

    strip = PillowImage.new("RGB", (len(names) * (CELL + _GAP), _TITLE), "white")
    pen = ImageDraw.Draw(strip)
    for column, name in enumerate(names):
        pen.text((column * (CELL + _GAP) + 4, 3), name, fill=(32, 36, 42), font=load_font(14))
    return np.asarray(strip, np.uint8)
