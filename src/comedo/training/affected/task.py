"""Affected or not as a task of the runner."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from comedo.errors import UnusableInput
from comedo.training.affected.faces import MaskedExamples, MaskedFace, is_affected, masked_view
from comedo.training.affected.judge import MEASURES, AffectedRow, draw_answers
from comedo.training.affected.recipe import AffectedRecipe
from comedo.training.backbones import build_backbone, pooled, pooled_width
from comedo.training.export import example_pictures
from comedo.training.figures import Measure
from comedo.training.runner.contract import Batch, Examples, Run, Shipped, Task
from comedo.training.runner.labelled import open_sets


class AffectedNet(nn.Module):
    """(N, 3, H, W) float in [0, 1] to (N,) logits; `odds` of the training photos are undone in the loss alone."""

    odds: Tensor

    def __init__(self, encoder: nn.Module, *, dropout: float, odds: float) -> None:
        super().__init__()
        self.encoder = encoder
        width = pooled_width(encoder)
        self.norm, self.dropout, self.head = nn.BatchNorm1d(width), nn.Dropout(dropout), nn.Linear(width, 1)
        self.register_buffer("odds", torch.tensor(odds))

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.head(self.dropout(self.norm(pooled(self.encoder(images)))))
        return logits[:, 0]


class AffectedExport(nn.Module):
    """As it is shipped: (N, S, S, 3) uint8 RGB to (N,) probabilities."""

    def __init__(self, net: AffectedNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, image: Tensor) -> Tensor:
        return torch.sigmoid(self.net(image.permute(0, 3, 1, 2).float() / 255.0))


class Affected(Task[AffectedRecipe, MaskedFace, AffectedRow]):
    """Affected by acne or not, from the skin alone."""

    recipe = AffectedRecipe
    baseline_words = "the share of affected training photos, whatever the photo"

    def items(self, recipe: AffectedRecipe, root: Path, cache: Path) -> list[MaskedFace]:
        photos = open_sets(recipe.sets, root, seed=recipe.schedule.seed, faces=cache / "faces")
        return [MaskedFace(p, is_affected(p, recipe)) for p in photos if p.sample.labels is not None]

    def build(self, recipe: AffectedRecipe, root: Path, items: Sequence[MaskedFace]) -> nn.Module:
        affected = sum(face.affected for face in items)
        if affected in (0, len(items)):
            raise UnusableInput(
                f"of {len(items)} training photos {affected} are affected; both kinds are needed, see `categories` and "
                "`least` of the recipe"
            )
        encoder = build_backbone(recipe.net.backbone, recipe.net.weights, root)
        return AffectedNet(encoder, dropout=recipe.net.dropout, odds=(len(items) - affected) / affected)

    def examples(self, recipe: AffectedRecipe, items: Sequence[MaskedFace], *, learning: bool) -> Examples:
        return Examples(len(items), MaskedExamples(recipe, items, learning).draw)

    def loss(self, recipe: AffectedRecipe, net: nn.Module, batch: Batch, epoch: int) -> dict[str, Tensor]:  # noqa: ARG002
        logits = net(batch["image"].permute(0, 3, 1, 2).float() / 255.0).float()
        assert isinstance(net.odds, Tensor)
        entropy = functional.binary_cross_entropy_with_logits(logits, batch["affected"], pos_weight=net.odds)
        return {"entropy": entropy}

    def shipped(self, recipe: AffectedRecipe, net: nn.Module) -> Shipped:
        assert isinstance(net, AffectedNet)
        side = recipe.view.side
        pictures = np.stack(example_pictures([(side, side)]))
        return Shipped(
            AffectedExport(net),
            [{"image": pictures}, {"image": pictures[:1]}],
            ("probability",),
            f"(N, {side}, {side}, 3) uint8 RGB: the square around the face, all but skin that acne affects in grey",
            "(N,) float32: probability of acne, as if half of the photos had it",
            {"image": {0: "photos"}, "probability": {0: "photos"}},
        )

    def look(self, recipe: AffectedRecipe, run: Run, item: MaskedFace) -> AffectedRow:
        prob = float(run({"image": masked_view(item.photo, recipe)[None]})["probability"][0])
        return AffectedRow(item.name, item.person, prob, prob >= recipe.threshold, item.affected)

    def baseline(self, recipe: AffectedRecipe, items: Sequence[MaskedFace]) -> Callable[[MaskedFace], AffectedRow]:
        share = float(np.mean([face.affected for face in items]))
        return lambda face: AffectedRow(face.name, face.person, share, share >= recipe.threshold, face.affected)

    def measures(self, recipe: AffectedRecipe) -> Sequence[Measure[AffectedRow]]:  # noqa: ARG002
        return MEASURES

    def pictures(self, recipe: AffectedRecipe, rows: Sequence[AffectedRow]) -> Mapping[str, str]:  # noqa: ARG002
        return draw_answers(rows)

    def limits(self, recipe: AffectedRecipe) -> Sequence[str]:
        what = ", ".join(recipe.categories) or "lesions of any category"
        return (
            f"Affected means at least {recipe.least} marked: {what}. Faint lesions that nobody marked count as clear.",
            "The probability treats affected and clear photos as equally frequent.",
        )
