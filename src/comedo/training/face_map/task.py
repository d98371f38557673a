"""The face map as a task of the runner."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from torch import Tensor, nn

from comedo.training.face_map.crops import FaceCrops
from comedo.training.face_map.judge import MEASURES, VIEWS, PartsRow, Tallies, tallies_of, usual_parts, view
from comedo.training.face_map.model import FaceExport, build_face_net, face_loss
from comedo.training.face_map.recipe import FaceRecipe
from comedo.training.face_map.sources import Face, open_faces, read_landmarks
from comedo.training.figures import Measure
from comedo.training.leaks import Member
from comedo.training.networks import scaled
from comedo.training.runner.contract import Arrays, Batch, Examples, Run, Shipped, Task
from comedo.training.unet_task import begin_map, counts_by_source, settle_map, ship_map

_OUTPUT = (
    "(1, 10, H/2, W/2) float32: probabilities of background, forehead, nose, left cheek, right cheek, chin, eyes, "
    "brows, lips, other"
)


@dataclass(frozen=True, eq=False)
class _Drawn:
    """Pictures that do not depend on the index: which face, and where it lies, is drawn."""

    crops: FaceCrops

    def __call__(self, index: int, rng: np.random.Generator) -> Arrays:  # noqa: ARG002
        picture, labels = self.crops.draw(rng)
        return {"image": picture, "labels": labels}


class FaceMap(Task[FaceRecipe, Face, PartsRow]):
    """Parts of the face at half resolution."""

    recipe = FaceRecipe
    baseline_words = "the commonest part of each place"

    def items(self, recipe: FaceRecipe, root: Path, cache: Path) -> list[Face]:  # noqa: ARG002
        return [face for face in _faces(recipe, root) if face.source in recipe.crops.shares]

    def set_aside(self, recipe: FaceRecipe, root: Path) -> list[Member]:
        others = [face for face in _faces(recipe, root) if face.source not in recipe.crops.shares]
        return self.members(others)

    def facts(self, items: Sequence[Face]) -> dict[str, object]:
        return counts_by_source(items)

    def build(self, recipe: FaceRecipe, root: Path, items: Sequence[Face]) -> nn.Module:  # noqa: ARG002
        net = build_face_net()
        net.encoder.freeze(recipe.frozen_stages)
        return net

    def begin(self, recipe: FaceRecipe, root: Path, net: nn.Module, items: Sequence[Face]) -> None:
        def pictures() -> Tensor:
            draw = self.examples(recipe, items, learning=True).draw
            drawn = [draw(i, np.random.default_rng([recipe.schedule.seed, i])) for i in range(recipe.schedule.per_step)]
            return self.collate(drawn)["image"]

        begin_map(net, recipe, root, pictures)

    def examples(self, recipe: FaceRecipe, items: Sequence[Face], *, learning: bool) -> Examples:
        plan = recipe.crops if learning else replace(recipe.crops, look=0.0, glasses=0.0)
        return Examples(len(items), _Drawn(FaceCrops(items, plan)))

    def loss(self, recipe: FaceRecipe, net: nn.Module, batch: Batch, epoch: int) -> dict[str, Tensor]:  # noqa: ARG002
        return face_loss(net(scaled(batch["image"])).float(), batch["labels"], learning=net.training)

    def settle(self, recipe: FaceRecipe, net: nn.Module, items: Sequence[Face]) -> None:  # noqa: ARG002
        settle_map(net, recipe)

    def shipped(self, recipe: FaceRecipe, net: nn.Module) -> Shipped:  # noqa: ARG002
        return ship_map(net, FaceExport, _OUTPUT)

    def look(self, recipe: FaceRecipe, run: Run, item: Face) -> PartsRow:
        photo = item.labelled()

        def judged(share: float) -> Tallies:
            picture, labels = view(photo, share, recipe.crops.size)
            return tallies_of(run({"image": picture[None]})["maps"][0].argmax(0).astype(np.uint8), labels)

        return PartsRow(item.person, {name: judged(share) for name, share in VIEWS.items()})

    def baseline(self, recipe: FaceRecipe, items: Sequence[Face]) -> Callable[[Face], PartsRow]:
        usual = usual_parts(items, recipe.crops.size)

        def guess(item: Face) -> PartsRow:
            photo = item.labelled()
            true = {name: view(photo, share, recipe.crops.size)[1] for name, share in VIEWS.items()}
            return PartsRow(item.person, {name: tallies_of(usual[name], labels) for name, labels in true.items()})

        return guess

    def gather(self, rows: Sequence[PartsRow]) -> dict[str, list[PartsRow]]:
        return {name: [row.only(name) for row in rows] for name in VIEWS}

    def sections(self, recipe: FaceRecipe) -> tuple[str, ...]:  # noqa: ARG002
        return tuple(VIEWS)

    def measures(self, recipe: FaceRecipe) -> Sequence[Measure[PartsRow]]:  # noqa: ARG002
        return MEASURES

    def limits(self, recipe: FaceRecipe) -> Sequence[str]:
        return (
            f"Judged on labelled faces laid into {recipe.crops.size} pixels; `comedo evaluate` judges whole photos.",
            "Which skin is forehead, cheek or chin comes from a mesh of landmarks, not from people.",
        )


def _faces(recipe: FaceRecipe, root: Path) -> list[Face]:
    return open_faces(root, read_landmarks(root / recipe.data.landmarks))
