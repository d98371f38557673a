"""The two trainings in one shape: photos to batches, network, loss, shipped form."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from comedo.errors import UnusableInput
from comedo.training.face_data import FacePhoto
from comedo.training.face_model import FaceExport, build_face_net, face_loss
from comedo.training.face_people import find_faces
from comedo.training.face_sources import FaceCrops, load_faces, read_face, read_landmarks
from comedo.training.fit import Batch, Loss
from comedo.training.leaks import Member, guard
from comedo.training.lesion_crops import LesionCrops
from comedo.training.lesion_data import LesionPhoto, load_acne04, load_clear, load_masks, load_typed
from comedo.training.lesion_made import make_photos
from comedo.training.lesion_model import LesionExport, build_lesion_net, lesion_loss, stack_targets
from comedo.training.networks import UNet
from comedo.training.own_data import load_own
from comedo.training.recipe import AnyRecipe, FaceRecipe, LesionData, LesionRecipe
from comedo.training.teacher import mask_teacher
from comedo.types import Image

_HELD_BACK = 1_000_000  # added to the step: held-back crops never meet training's random numbers


@dataclass(frozen=True)
class Kind:
    """What belongs to a network whatever its photos."""

    build: Callable[[], UNet]
    shipped: Callable[[UNet], nn.Module]
    loss: Loss
    output: str  # of the shipped network, in words


@dataclass(frozen=True)
class Batches:
    """Training and held-back pictures; a step always gives the same ones."""

    train: Callable[[int], Batch]
    held_back: Callable[[int], Batch] | None
    about: dict[str, object]  # what the photos were, for the manifest


KINDS = {
    "lesion-map": Kind(
        build_lesion_net,
        LesionExport,
        lesion_loss,
        "(1, 6, H/2, W/2) float32: probabilities mask, active, mark, sparse, inflamed; radius in pixels",
    ),
    "face-map": Kind(
        build_face_net,
        FaceExport,
        face_loss,
        "(1, 10, H/2, W/2) float32: probabilities of background, forehead, nose, left cheek, right cheek, chin, eyes, "
        "brows, lips, other",
    ),
}


def open_data(recipe: AnyRecipe, root: Path, *, allow_leaks: bool = False) -> Batches:
    """Read the recipe's photos from the data folder, refusing people and pictures on both sides of the split.

    Raises:
        UnusableInput: A file is absent, or there are no photos to learn from.
        LeakyData: A person or a picture is on both sides of the split, and `allow_leaks` is off.
    """
    try:
        if isinstance(recipe, LesionRecipe):
            return _lesion_batches(recipe, root, allow_leaks)
        return _face_batches(recipe, root, allow_leaks)
    except FileNotFoundError as error:
        raise UnusableInput(
            f"the recipe's data is not complete in {root}: {error}; give its folder with --data"
        ) from error


def draw_pictures(recipe: AnyRecipe, root: Path, number: int) -> list[Image]:
    """Augmented training pictures of a recipe, (H, W, 3) uint8 RGB.

    Raises:
        UnusableInput: A file is absent, or there are no photos to learn from.
        LeakyData: A person is on both sides of the split.
    """
    batches = open_data(recipe, root)
    drawn: list[Image] = []
    while len(drawn) < number:
        pictures, _ = batches.train(len(drawn))
        drawn += list(pictures.numpy())
    return drawn[:number]


def lesion_photos(data: LesionData, root: Path) -> list[LesionPhoto]:
    """Every photo of the recipe's sets, in all their splits."""
    photos: list[LesionPhoto] = []
    if data.acne04 is not None:
        photos += load_acne04(root / data.acne04)
    if data.typed is not None:
        photos += load_typed(root / data.typed)
    if data.masks is not None:
        photos += load_masks(root / data.masks, data.masks_held_back)
    if data.clear is not None:
        photos += load_clear(root / data.clear)
    if data.own is not None:
        own = data.own
        photos += load_own(root / own.annotations, root / own.photos, pixels_per_mm=own.pixels_per_mm)
    return photos


def _about(members: Iterable[tuple[str, str, str, str]]) -> dict[str, object]:
    """Counts and a fingerprint of (source, name, group, split): two equal ones learnt from the same photos."""
    rows = sorted(members)
    return {
        "photos": {
            f"{source}/{split}": n for (source, split), n in sorted(Counter((r[0], r[3]) for r in rows).items())
        },
        "people": len({r[2] for r in rows}),
        "fingerprint": hashlib.sha256(repr(rows).encode()).hexdigest(),
    }


def _lesion_batches(recipe: LesionRecipe, root: Path, allow_leaks: bool) -> Batches:
    photos = lesion_photos(recipe.data, root)
    photos += make_photos(recipe.made, photos)
    leaks = guard([Member(p.name, p.group, p.split, p.read) for p in photos], allow=allow_leaks)
    sides = {s: [p for p in photos if p.split == s and p.source in recipe.crops.shares] for s in ("train", "val")}
    _refuse_empty(sides["train"], root)

    teach = None if recipe.keep_mask is None else mask_teacher(recipe.keep_mask)

    def of(side: Sequence[LesionPhoto], offset: int) -> Callable[[int], Batch]:
        crops = LesionCrops(side, recipe.crops)

        def batch(step: int) -> Batch:
            rng = np.random.default_rng([recipe.schedule.seed, step + offset])
            items = [crops.draw(rng) for _ in range(recipe.per_step)]
            pictures, target = _pictures([i for i, _ in items]), stack_targets([t for _, t in items])
            return pictures, target if teach is None else target | {"kept_mask": teach(pictures)}

        return batch

    used = [p for p in photos if p.split in ("train", "val")]
    about = _about((p.source, p.name, p.group, p.split) for p in used) | _leaks(leaks)
    return Batches(of(sides["train"], 0), of(sides["val"], _HELD_BACK) if sides["val"] else None, about)


def _face_batches(recipe: FaceRecipe, root: Path, allow_leaks: bool) -> Batches:
    landmarks = read_landmarks(root / recipe.data.landmarks)
    # Everybody is looked at, one photo at a time: only those that are drawn from stay in memory.
    everybody = [Member(f.name, f.person, f.split, partial(read_face, root, f)) for f in find_faces(root, landmarks)]
    leaks = guard(everybody, allow=allow_leaks)
    sources = recipe.crops.shares
    train = load_faces(root, landmarks, split="train", sources=sources)
    held_back = load_faces(root, landmarks, split="val", sources=sources, limit=recipe.validation.photos)
    _refuse_empty(train, root)

    def of(side: Sequence[FacePhoto], offset: int) -> Callable[[int], Batch]:
        crops = FaceCrops(side, recipe.crops)

        def batch(step: int) -> Batch:
            rng = np.random.default_rng([recipe.schedule.seed, step + offset])
            items = [crops.draw(rng) for _ in range(recipe.per_step)]
            return _pictures([i for i, _ in items]), {"labels": torch.from_numpy(np.stack([t for _, t in items]))}

        return batch

    about = _about((p.source, p.name, p.person, p.split) for p in (*train, *held_back)) | _leaks(leaks)
    return Batches(of(train, 0), of(held_back, _HELD_BACK) if held_back else None, about)


def _leaks(found: Sequence[str]) -> dict[str, object]:
    """What the manifest says of leaks that were allowed: nothing where there are none."""
    return {"leaks_allowed": list(found)} if found else {}


def _pictures(pictures: Sequence[Image]) -> Tensor:
    return torch.from_numpy(np.stack(pictures))


def _refuse_empty(photos: Sequence[object], root: Path) -> None:
    if not photos:
        raise UnusableInput(
            f"there are no photos to learn from in {root}; give the folder of the sets with --data, and each set "
            "a share under crops.shares of the recipe"
        )
