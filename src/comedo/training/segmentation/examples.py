"""Crops of labelled photos with their masks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from comedo.training.augmentation.paste import Patch
from comedo.training.data.convert import mask_of
from comedo.training.data.dataset import Sample
from comedo.training.runner.augment import Pictured, change_light, change_places
from comedo.training.runner.contract import Arrays
from comedo.training.runner.labelled import LabelledPhoto
from comedo.training.runner.recent import Recent
from comedo.training.segmentation.recipe import SegmentationRecipe
from comedo.types import Image, Mask

Affine = NDArray[np.float64]


def lesion_mask(sample: Sample, categories: Sequence[str]) -> Mask:
    """Every pixel (H, W) of a lesion of the categories; of any where none is named."""
    assert sample.width is not None
    assert sample.height is not None
    mask = np.zeros((sample.height, sample.width), np.bool_)
    for label in sample.marks:
        if not categories or label.category in categories:
            mask |= mask_of(label.shape, sample)
    return mask


def to_working_size(image: Image, mask: Mask, longest: int) -> tuple[Image, Mask]:
    """Photo (H, W, 3) and mask (H, W) with a longer side of `longest` pixels."""
    scale = longest / max(mask.shape)
    size = (max(1, round(mask.shape[1] * scale)), max(1, round(mask.shape[0] * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    resized = cv2.resize(mask.astype(np.float32), size, interpolation=how)
    return np.asarray(cv2.resize(image, size, interpolation=how), np.uint8), resized > 0.5


@dataclass(frozen=True, eq=False)
class MaskExamples:
    """One crop of each photo an epoch."""

    recipe: SegmentationRecipe
    photos: Sequence[LabelledPhoto]
    patches: Sequence[Patch]
    learning: bool
    _photos: Recent[Pictured] = field(default_factory=Recent)

    def draw(self, index: int, rng: np.random.Generator) -> Arrays:
        """`image` (size, size, 3) uint8 and `mask` (size, size) float32."""
        recipe = self.recipe
        photo = self._photos.get(index, self.photos[index].pictured)
        if self.learning:
            photo = change_places(recipe.augment, photo, rng, patches=self.patches)
        image, mask = to_working_size(
            photo.image, lesion_mask(photo.sample, recipe.categories), recipe.crops.photo_side
        )
        affine, size = self._affine(mask, rng), (recipe.crops.size, recipe.crops.size)
        image = np.asarray(cv2.warpAffine(image, affine, size, flags=cv2.INTER_LINEAR), np.uint8)
        crop = cv2.warpAffine(mask.astype(np.float32), affine, size, flags=cv2.INTER_LINEAR)
        if self.learning:
            image = change_light(recipe.augment, image, rng)
        return {"image": image, "mask": (crop > 0.5).astype(np.float32)}

    def _affine(self, mask: Mask, rng: np.random.Generator) -> Affine:
        """From the photo's pixels to the crop's; without learning neither zoom nor rotation."""
        plan = self.recipe.crops
        zoom, turn = 1.0, 0.0
        if self.learning:
            zoom = float(np.exp(rng.uniform(*np.log(plan.zoom))))
            turn = float(rng.uniform(-plan.rotate_deg, plan.rotate_deg))
        affine: Affine = np.asarray(cv2.getRotationMatrix2D((0, 0), turn, zoom), np.float64)
        middle = self._middle(mask, plan.size / zoom, rng)
        affine[:, 2] = (plan.size - 1) / 2 - affine[:, :2] @ middle
        return affine

    def _middle(self, mask: Mask, seen: float, rng: np.random.Generator) -> NDArray[np.float64]:
        """The photo's pixel in the middle of the crop, which shows about `seen` pixels of the photo."""
        height, width = mask.shape
        ys, xs = np.nonzero(mask)
        if len(xs) and rng.random() < self.recipe.crops.on_lesion:
            at = int(rng.integers(len(xs)))
            wanted = np.array([xs[at], ys[at]]) + rng.uniform(-0.3, 0.3, 2) * seen
        else:
            wanted = rng.uniform(0, 1, 2) * [width, height]
        room = np.maximum(0, np.array([width, height]) - seen) / 2  # a crop larger than the photo shows all of it
        centre = np.array([width - 1, height - 1]) / 2
        return np.clip(wanted, centre - room, centre + room)
