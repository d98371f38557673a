"""The lesion map as a task of the runner."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
from torch import Tensor, nn

from comedo.errors import UnusableInput
from comedo.training.evaluation.baselines import RednessBlobs
from comedo.training.figures import Measure
from comedo.training.leaks import Member
from comedo.training.lesion_map.crops import CropPlan, LesionCrops
from comedo.training.lesion_map.data import WORK_PX_PER_MM, LesionPhoto
from comedo.training.lesion_map.judge import MEASURES, LesionMapRow, draw_curves, read_maps, row_of
from comedo.training.lesion_map.made import PASTED, PASTED_FROM, SOURCES, make_photos
from comedo.training.lesion_map.model import LesionExport, build_lesion_net, lesion_loss
from comedo.training.lesion_map.recipe import LesionRecipe, lesion_photos
from comedo.training.lesion_map.teacher import KeepMask, check_teacher, taught
from comedo.training.networks import scaled
from comedo.training.runner.contract import Arrays, Batch, Examples, Run, Shipped, Task
from comedo.training.unet_task import begin_map, counts_by_source, settle_map, ship_map

_OUTPUT = "(1, 6, H/2, W/2) float32: probabilities mask, active, mark, sparse, inflamed; radius in pixels"


@dataclass(frozen=True, eq=False)
class _Drawn:
    """Crops that do not depend on the index: which photo, and where on it, is drawn."""

    crops: LesionCrops
    keep: KeepMask | None
    per_step: int

    def __call__(self, index: int, rng: np.random.Generator) -> Arrays:  # noqa: ARG002
        picture, target = self.crops.draw(rng)
        arrays = {"image": picture} | {f.name: getattr(target, f.name) for f in fields(target)}
        if self.keep is None:
            return arrays
        kept = rng.random() * self.per_step < self.keep.crops
        said = taught(self.keep, picture) if kept else np.zeros_like(target.mask)
        return arrays | {"kept_mask": said, "kept": np.float32(kept)}


class LesionMap(Task[LesionRecipe, LesionPhoto, LesionMapRow]):
    """Centres, masks, radii and groups of lesions on skin at one scale."""

    recipe = LesionRecipe
    baseline_words = "red blobs in skin colour, without learning"

    def items(self, recipe: LesionRecipe, root: Path, cache: Path) -> list[LesionPhoto]:  # noqa: ARG002
        return [p for p in lesion_photos(recipe.data, root) if p.source in _wanted(recipe)]

    def set_aside(self, recipe: LesionRecipe, root: Path) -> list[Member]:
        return self.members([p for p in lesion_photos(recipe.data, root) if p.source not in _wanted(recipe)])

    def facts(self, items: Sequence[LesionPhoto]) -> dict[str, object]:
        return counts_by_source(items)

    def build(self, recipe: LesionRecipe, root: Path, items: Sequence[LesionPhoto]) -> nn.Module:  # noqa: ARG002
        net = build_lesion_net()
        net.encoder.freeze(recipe.frozen_stages)
        return net

    def begin(self, recipe: LesionRecipe, root: Path, net: nn.Module, items: Sequence[LesionPhoto]) -> None:
        crops = LesionCrops(items, recipe.crops)

        def pictures() -> Tensor:
            seeds = [[recipe.schedule.seed, i] for i in range(recipe.schedule.per_step)]
            return self.collate([{"image": crops.draw(np.random.default_rng(seed))[0]} for seed in seeds])["image"]

        begin_map(net, recipe, root, pictures)

    def examples(self, recipe: LesionRecipe, items: Sequence[LesionPhoto], *, learning: bool) -> Examples:
        if recipe.keep_mask is not None:
            check_teacher(recipe.keep_mask)
        photos = [*items, *_made(recipe, items)] if learning else list(items)
        crops = LesionCrops(photos, recipe.crops if learning else _plain(recipe.crops))
        return Examples(len(photos), _Drawn(crops, recipe.keep_mask, recipe.schedule.per_step))

    def loss(self, recipe: LesionRecipe, net: nn.Module, batch: Batch, epoch: int) -> dict[str, Tensor]:  # noqa: ARG002
        return lesion_loss(net(scaled(batch["image"])).float(), batch, learning=net.training)

    def settle(self, recipe: LesionRecipe, net: nn.Module, items: Sequence[LesionPhoto]) -> None:  # noqa: ARG002
        settle_map(net, recipe)

    def shipped(self, recipe: LesionRecipe, net: nn.Module) -> Shipped:  # noqa: ARG002
        return ship_map(net, LesionExport, _OUTPUT)

    def look(self, recipe: LesionRecipe, run: Run, item: LesionPhoto) -> LesionMapRow:  # noqa: ARG002
        image = item.read()
        return row_of(item, image.shape[1], read_maps(run, image, item.scale_xy))

    def baseline(
        self,
        recipe: LesionRecipe,  # noqa: ARG002
        items: Sequence[LesionPhoto],  # noqa: ARG002
    ) -> Callable[[LesionPhoto], LesionMapRow]:
        blobs = RednessBlobs()

        def guess(item: LesionPhoto) -> LesionMapRow:
            image = item.read()
            return row_of(item, image.shape[1], blobs.predict(image))

        return guess

    def gather(self, rows: Sequence[LesionMapRow]) -> dict[str, list[LesionMapRow]]:
        return {source: [r for r in rows if r.source == source] for source in dict.fromkeys(r.source for r in rows)}

    def sections(self, recipe: LesionRecipe) -> tuple[str, ...]:
        return tuple(source for source in _wanted(recipe) if source not in SOURCES)

    def measures(self, recipe: LesionRecipe) -> Sequence[Measure[LesionMapRow]]:  # noqa: ARG002
        return MEASURES

    def pictures(self, recipe: LesionRecipe, rows: Sequence[LesionMapRow]) -> Mapping[str, str]:  # noqa: ARG002
        return draw_curves(self.gather(rows))

    def limits(self, recipe: LesionRecipe) -> Sequence[str]:  # noqa: ARG002
        return (
            "Judged alone, without face map, weighing and cut-offs; `comedo evaluate` judges it with them.",
            f"It reads skin at {WORK_PX_PER_MM:.1f} pixels per millimetre; at another scale it finds other things.",
        )


def _wanted(recipe: LesionRecipe) -> list[str]:
    """The sources that crops are drawn from, or that made photos are made of."""
    return list(dict.fromkeys([*recipe.crops.shares, *(PASTED_FROM if recipe.made.pasted else ())]))


def _made(recipe: LesionRecipe, items: Sequence[LesionPhoto]) -> list[LesionPhoto]:
    """The photos that are made of people who are learnt from.

    Raises:
        UnusableInput: There is nothing to paste, or nobody to paste it on.
    """
    made = make_photos(recipe.made, items)
    if recipe.made.pasted and not any(photo.source == PASTED for photo in made):
        raise UnusableInput(
            f"made.pasted asks for {recipe.made.pasted} clear faces with lesions and got none; it wants lesions of "
            f"{PASTED_FROM[0]} and faces of {PASTED_FROM[1]} among the training photos, or set it to 0"
        )
    return made


def _plain(plan: CropPlan) -> CropPlan:
    """Crops as they are: for watching."""
    return replace(plan, zoom=(1.0, 1.0), rotate_deg=0.0, look=0.0)
