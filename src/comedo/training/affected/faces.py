"""Photos on which only the skin is left that acne can affect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from math import ceil

import cv2
import numpy as np

from comedo.geometry import sample_crop, square_around
from comedo.training.affected.recipe import AffectedRecipe
from comedo.training.augmentation.mirror import draw_mirror, mirror_image
from comedo.training.augmentation.regions import FACE_PARTS, draw_fill, mask_of_parts
from comedo.training.runner.augment import change_light
from comedo.training.runner.contract import Arrays
from comedo.training.runner.faces import Parts, face_parts
from comedo.training.runner.labelled import LabelledPhoto, OfPhoto
from comedo.training.runner.recent import Recent
from comedo.types import Image, skin_of

_FILL = draw_fill(np.random.default_rng(0), grey=True)


@dataclass(frozen=True, eq=False)
class MaskedFace(OfPhoto):
    """One photo and whether its person is affected."""

    affected: bool


def is_affected(photo: LabelledPhoto, recipe: AffectedRecipe) -> bool:
    """Whether enough lesions of the categories are marked."""
    marks = [m for m in photo.sample.marks if not recipe.categories or m.category in recipe.categories]
    return len(marks) >= recipe.least


def find_face(photo: LabelledPhoto) -> Parts | None:
    """The face map of a photo; `None` where it shows nothing of a face."""
    assert photo.faces is not None
    parts = face_parts(photo.path, photo.faces)
    return parts if parts is not None and mask_of_parts(parts, FACE_PARTS).any() else None


def masked_view(photo: LabelledPhoto, recipe: AffectedRecipe) -> Image:
    """The square around the face, (side, side, 3), skin alone; the whole photo where no face is found."""
    image, view = photo.read(), recipe.view
    parts = find_face(photo)
    if parts is None:
        return sample_crop(image, square_around((0, 0, image.shape[1], image.shape[0]), 1.0), (view.side, view.side))
    face = mask_of_parts(parts, FACE_PARTS)
    ys, xs = np.flatnonzero(face.any(1)), np.flatnonzero(face.any(0))
    if view.masked:
        image = _FILL.apply(image, skin_of(parts))
    box = (float(xs[0]), float(ys[0]), float(xs[-1] + 1), float(ys[-1] + 1))
    square = square_around(box, view.grow)
    room = max(0, *(ceil(v) for v in (-square[0], -square[1], square[2] - image.shape[1], square[3] - image.shape[0])))
    framed = cv2.copyMakeBorder(image, room, room, room, room, cv2.BORDER_CONSTANT, value=_FILL.rgb)
    x0, y0, x1, y1 = (v + room for v in square)
    return sample_crop(np.asarray(framed, np.uint8), (x0, y0, x1, y1), (view.side, view.side))


@dataclass(frozen=True, eq=False)
class MaskedExamples:
    """Every photo once an epoch."""

    recipe: AffectedRecipe
    faces: Sequence[MaskedFace]
    learning: bool
    _views: Recent[Image] = field(default_factory=Recent)

    def draw(self, index: int, rng: np.random.Generator) -> Arrays:
        """`image` (side, side, 3) uint8 and `affected` float32."""
        image = self._views.get(index, partial(masked_view, self.faces[index].photo, self.recipe))
        if self.learning:
            image = self._change(image, rng)
        return {"image": image, "affected": np.float32(self.faces[index].affected)}  # type: ignore[dict-item]

    def _change(self, image: Image, rng: np.random.Generator) -> Image:
        recipe, side = self.recipe, image.shape[0]
        middle = (side - 1) / 2
        turn = float(rng.uniform(-recipe.rotate_deg, recipe.rotate_deg))
        affine = cv2.getRotationMatrix2D((middle, middle), turn, float(rng.uniform(*recipe.zoom)))
        image = np.asarray(
            cv2.warpAffine(image, affine, (side, side), flags=cv2.INTER_LINEAR, borderValue=_FILL.rgb), np.uint8
        )
        if recipe.augment.mirror and draw_mirror(rng):
            image = mirror_image(image)
        return change_light(recipe.augment, image, rng)
