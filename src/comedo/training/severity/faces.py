"""Faces as patches of their regions, with the grade that somebody, or several raters, gave."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from comedo.geometry import sample_crop
from comedo.training.augmentation.mirror import draw_mirror, mirror_image
from comedo.training.augmentation.regions import move_edges, region_boxes
from comedo.training.augmentation.rolling import Roll, all_rolls, rolls_per_grade
from comedo.training.label_noise import soft_labels
from comedo.training.runner.augment import change_light
from comedo.training.runner.contract import Arrays
from comedo.training.runner.faces import face_parts
from comedo.training.runner.labelled import LabelledPhoto, OfPhoto
from comedo.training.runner.recent import Recent
from comedo.training.severity.recipe import SeverityRecipe
from comedo.types import Box, Image, Region

REGIONS = (Region.FOREHEAD, Region.LEFT_CHEEK, Region.RIGHT_CHEEK, Region.CHIN)
_CHEEKS = (Region.LEFT_CHEEK, Region.RIGHT_CHEEK)
# A turned face shows one cheek foreshortened. The reference leaves the cheek out whose eye is 1.15 times narrower;
# at that yaw, about 10 degrees, the boxes of the cheeks differ about twofold in width.
_FORESHORTENED = 0.5


@dataclass(frozen=True, eq=False)
class Face(OfPhoto):
    """One graded photo and where its patches lie; without a face the whole photo is one patch."""

    boxes: Mapping[Region | None, Box]

    @property
    def votes(self) -> list[int]:
        """The raters' grades, possibly none."""
        return [v.grade for v in self.photo.sample.votes if v.grade is not None]

    @property
    def grade(self) -> int | None:
        """The agreed grade, else the votes' median, the lower of two."""
        if self.photo.sample.grade is not None or not self.votes:
            return self.photo.sample.grade
        return sorted(self.votes)[(len(self.votes) - 1) // 2]


def find_patches(photo: LabelledPhoto) -> Face:
    """The patches of a photo by its face map."""
    assert photo.faces is not None
    parts = face_parts(photo.path, photo.faces)
    boxes = {} if parts is None else region_boxes(parts)
    chosen: dict[Region | None, Box] = {r: boxes[r] for r in REGIONS if r in boxes}
    widths = [boxes[c][2] - boxes[c][0] for c in _CHEEKS if c in boxes]
    for cheek in _CHEEKS:
        if cheek in chosen and boxes[cheek][2] - boxes[cheek][0] < _FORESHORTENED * max(widths):
            del chosen[cheek]
    if not chosen:
        height, width = photo.sample.height, photo.sample.width
        chosen[None] = (0.0, 0.0, float(width or 1), float(height or 1))
    return Face(photo, chosen)


def labels_of(recipe: SeverityRecipe, faces: Sequence[Face]) -> NDArray[np.float64]:
    """A distribution over the grades for each face, (N, K)."""
    votes = [face.votes if recipe.votes else [] for face in faces]
    return soft_labels(votes, [face.grade for face in faces], len(recipe.grades), width=recipe.smoothing)


def cut(image: Image, box: Box, side: int) -> Image:
    """One patch (side, side, 3)."""
    return sample_crop(image, box, (side, side))


def rolled_copies(recipe: SeverityRecipe, faces: Sequence[Face]) -> Mapping[int, int]:
    """Rolled copies of a patch of each grade; counted over training photos, never over others."""
    if not recipe.patches.rolls:
        return {}
    return rolls_per_grade(Counter(face.grade for face in faces if face.grade is not None))


@dataclass(frozen=True, eq=False)
class PatchExamples:
    """Every patch with its rolled copies: the copies of a grade as the reference counts them."""

    recipe: SeverityRecipe
    faces: Sequence[Face]
    learning: bool
    _photos: Recent[Image] = field(default_factory=Recent)
    _places: list[tuple[int, Region | None, int, int]] = field(default_factory=list)  # face, region, copy, copies
    _labels: list[NDArray[np.float32]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._labels.extend(labels_of(self.recipe, self.faces).astype(np.float32))
        rolls = rolled_copies(self.recipe, self.faces) if self.learning else {}
        for number, face in enumerate(self.faces):
            copies = 0 if face.grade is None else rolls.get(face.grade, 0)
            self._places.extend((number, region, copy, copies) for region in face.boxes for copy in range(copies + 1))

    def __len__(self) -> int:
        return len(self._places)

    def draw(self, index: int, rng: np.random.Generator) -> Arrays:
        """`patch` (side, side, 3) uint8 and `label` (K,) float32."""
        number, region, copy, copies = self._places[index]
        image = self._photos.get(number, self.faces[number].read)
        box = self.faces[number].boxes[region]
        if self.learning:
            box = move_edges(rng, box, self.recipe.patches.jitter)
        patch = cut(image, box, self.recipe.patches.side)
        if copy > 0 and region is not None:
            roll: Roll = all_rolls(patch, region, copies)[copy - 1]
            patch = roll.apply(patch)
        if self.learning:
            if self.recipe.augment.mirror and draw_mirror(rng):
                patch = mirror_image(patch)
            patch = change_light(self.recipe.augment, patch, rng)
        return {"patch": np.ascontiguousarray(patch), "label": self._labels[number]}
