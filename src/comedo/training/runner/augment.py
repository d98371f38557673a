"""The augmentations of `comedo.training.augmentation` as switches of a recipe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from comedo.training.augment import draw_look, draw_white_balance
from comedo.training.augmentation.mirror import draw_mirror, mirror_image, mirror_parts, mirror_sample
from comedo.training.augmentation.paste import Patch, cut_patches, draw_placements, paste
from comedo.training.augmentation.regions import FACE_PARTS, draw_fill, mask_of_parts
from comedo.training.data.dataset import Sample
from comedo.types import Image, skin_of


@dataclass(frozen=True, kw_only=True)
class Augment:
    """What happens to a photo before it is learnt from."""

    mirror: bool = True  # half of the photos
    light: float = 1.0  # strength of changes of light, sharpness, noise, compression; 0 for none
    white_balance: float = 1.0  # strength; 0 for none
    paste: int = 0  # lesions of other people on clear skin, at most; wants face maps
    paste_share: float = 0.5  # of the photos that get them
    background: bool = False  # one drawn colour outside the face; wants face maps

    @property
    def wants_faces(self) -> bool:
        """Whether face maps are needed."""
        return self.paste > 0 or self.background


@dataclass(frozen=True, eq=False)
class Pictured:
    """A photo with its labels, and with its face map in its pixels where there is one."""

    image: Image
    sample: Sample  # with its width and height
    parts: NDArray[np.uint8] | None = None  # (H, W) of `Part`

    @property
    def nbytes(self) -> int:
        """Room that its pixels take in memory."""
        return self.image.nbytes + (0 if self.parts is None else self.parts.nbytes)


def patches_of(photos: Sequence[Pictured]) -> list[Patch]:
    """Lesions to paste, of training photos whose face is known."""
    return [patch for p in photos if p.parts is not None for patch in cut_patches(p.image, p.sample, skin_of(p.parts))]


def change_places(
    plan: Augment, photo: Pictured, rng: np.random.Generator, *, patches: Sequence[Patch] = ()
) -> Pictured:
    """Paste, background and mirror: what moves labels, or needs to know where skin is."""
    if photo.parts is not None and patches and rng.random() < plan.paste_share:
        skin = skin_of(photo.parts)
        places = draw_placements(rng, patches, photo.sample, skin, number=int(rng.integers(1, plan.paste + 1)))
        image, sample = paste(photo.image, photo.sample, patches, places)
        photo = replace(photo, image=image, sample=sample)
    if photo.parts is not None and plan.background:
        photo = replace(photo, image=draw_fill(rng).apply(photo.image, mask_of_parts(photo.parts, FACE_PARTS)))
    if plan.mirror and draw_mirror(rng):
        parts = None if photo.parts is None else mirror_parts(photo.parts)
        photo = Pictured(mirror_image(photo.image), mirror_sample(photo.sample), parts)
    return photo


def change_light(plan: Augment, image: Image, rng: np.random.Generator) -> Image:
    """Light, white balance and what cameras do; apply last, to the pixels that the network sees."""
    if plan.white_balance > 0:
        image = draw_white_balance(rng, strength=plan.white_balance).apply(image)
    if plan.light > 0:
        image = draw_look(rng, strength=plan.light).apply(image, rng)
    return image
