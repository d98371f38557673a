"""Lesion segmentation as a task of the runner."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from comedo.training.data.bitmap import Bitmap
from comedo.training.evaluation.baselines import RednessBlobs
from comedo.training.figures import Measure
from comedo.training.leaks import Member
from comedo.training.runner.answer import Answer, Answering, Use
from comedo.training.runner.augment import patches_of
from comedo.training.runner.contract import Batch, Examples, Run, Shipped, Task
from comedo.training.runner.labelled import LabelledPhoto, open_sets, set_aside
from comedo.training.runner.ship import example_pictures
from comedo.training.segmentation.answer import CATEGORY, mask_answer
from comedo.training.segmentation.examples import MaskExamples, lesion_mask
from comedo.training.segmentation.judge import MEASURES, MaskRow, draw_curves, mask_row
from comedo.training.segmentation.network import SegmentationExport, build_net, dice_loss
from comedo.training.segmentation.recipe import SegmentationRecipe
from comedo.types import Image


class LesionSegmentation(Task[SegmentationRecipe, LabelledPhoto, MaskRow]):
    """Masks of lesions, all kinds as one class."""

    recipe = SegmentationRecipe
    baseline_words = "red blobs in skin colour, without learning"

    def items(self, recipe: SegmentationRecipe, root: Path, cache: Path) -> list[LabelledPhoto]:
        faces = cache / "faces" if recipe.augment.wants_faces else None
        photos = open_sets(recipe.sets, root, faces=faces)
        return [p for p in photos if p.sample.labels is not None]

    def set_aside(self, recipe: SegmentationRecipe, root: Path) -> list[Member]:
        return set_aside(recipe.sets, root)

    def build(self, recipe: SegmentationRecipe, root: Path, items: Sequence[LabelledPhoto]) -> nn.Module:  # noqa: ARG002
        return build_net(recipe.net, root)

    def examples(self, recipe: SegmentationRecipe, items: Sequence[LabelledPhoto], *, learning: bool) -> Examples:
        pasted = learning and recipe.augment.paste > 0
        patches = patches_of([p.pictured() for p in items]) if pasted else []
        return Examples(len(items), MaskExamples(recipe, items, patches, learning).draw)

    def loss(self, recipe: SegmentationRecipe, net: nn.Module, batch: Batch, epoch: int) -> dict[str, Tensor]:  # noqa: ARG002
        logits = net(batch["image"].permute(0, 3, 1, 2).float() / 255.0).float()
        terms = {}
        if recipe.dice > 0:
            terms["dice"] = recipe.dice * dice_loss(logits, batch["mask"])
        if recipe.cross_entropy > 0:
            entropy = functional.binary_cross_entropy_with_logits(logits, batch["mask"])
            terms["entropy"] = recipe.cross_entropy * entropy
        return terms

    def shipped(self, recipe: SegmentationRecipe, net: nn.Module) -> Shipped:  # noqa: ARG002
        return Shipped(
            SegmentationExport(net),
            [{"image": picture[None]} for picture in example_pictures(((128, 160), (96, 64)))],
            ("probability",),
            "(N, H, W, 3) uint8 RGB, H and W multiples of 32, the photo brought to its working size",
            "(N, H, W) float32: probability of lesion",
            {"image": {0: "photos", 1: "height", 2: "width"}, "probability": {0: "photos", 1: "rows", 2: "columns"}},
        )

    def look(self, recipe: SegmentationRecipe, run: Run, item: LabelledPhoto) -> MaskRow:
        return self._row(recipe, item, lesion_probs(run, item.read(), recipe.crops.photo_side))

    def baseline(
        self,
        recipe: SegmentationRecipe,
        items: Sequence[LabelledPhoto],  # noqa: ARG002
    ) -> Callable[[LabelledPhoto], MaskRow]:
        blobs = RednessBlobs()

        def guess(item: LabelledPhoto) -> MaskRow:
            mask = blobs.predict(item.read()).mask
            assert mask is not None
            return self._row(recipe, item, mask.astype(np.float32))

        return guess

    def _row(self, recipe: SegmentationRecipe, item: LabelledPhoto, probs: NDArray[np.float32]) -> MaskRow:
        true = lesion_mask(item.sample, recipe.categories)
        area = _least_area(recipe, true.shape)
        return mask_row(item.name, item.person, probs, true, threshold=recipe.threshold, least_area=area)

    def answers(self, recipe: SegmentationRecipe, run: Run, use: Use) -> Answering:
        use.allow(recipe.task, "cut_off")
        cut = recipe.threshold if use.cut_off is None else use.cut_off

        def ask(photos: Sequence[LabelledPhoto]) -> Answer:
            probs = lesion_probs(run, photos[0].read(), recipe.crops.photo_side)
            area = _least_area(recipe, probs.shape)
            return mask_answer(probs, threshold=cut, least_area=area, rater=recipe.task)

        return Answering(ask, categories=(CATEGORY,), shape=Bitmap)

    def measures(self, recipe: SegmentationRecipe) -> Sequence[Measure[MaskRow]]:  # noqa: ARG002
        return MEASURES

    def pictures(self, recipe: SegmentationRecipe, rows: Sequence[MaskRow]) -> Mapping[str, str]:  # noqa: ARG002
        return draw_curves(rows)

    def limits(self, recipe: SegmentationRecipe) -> Sequence[str]:
        return (
            f"Photos are brought to {recipe.crops.photo_side} pixels; lesions of another size there are missed.",
            "Neighbouring lesions that touch are one patch, so that counts are lower bounds.",
            "Look-alikes (marks, moles, rosacea) are lesions to it unless they were labelled as something else.",
        )


def _least_area(recipe: SegmentationRecipe, shape: tuple[int, ...]) -> float:
    """Of a patch that counts, in pixels of a photo (H, W)."""
    return recipe.least_area * (max(shape) / recipe.crops.photo_side) ** 2


def lesion_probs(run: Run, image: Image, photo_side: int) -> NDArray[np.float32]:
    """Probability of lesion for each pixel (H, W) of a photo (H, W, 3).

    The photo is brought to the working size, padded with its own edge to multiples of 32, and the answer back.
    """
    height, width = image.shape[:2]
    scale = photo_side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    right, below = -size[0] % 32, -size[1] % 32
    padded = cv2.copyMakeBorder(small, 0, below, 0, right, cv2.BORDER_REPLICATE)
    probs = run({"image": np.asarray(padded, np.uint8)[None]})["probability"][0, : size[1], : size[0]]
    return np.asarray(cv2.resize(probs, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
