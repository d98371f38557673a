"""Affected or not as a task of the runner."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from comedo.errors import NoFaceFound, UnusableInput
from comedo.training.affected.faces import MaskedExamples, MaskedFace, find_face, is_affected, masked_view
from comedo.training.affected.judge import MEASURES, AffectedRow, draw_answers
from comedo.training.affected.recipe import AffectedRecipe
from comedo.training.backbones import build_backbone, pooled, pooled_width
from comedo.training.figures import Measure
from comedo.training.leaks import Member
from comedo.training.runner.answer import Answer, Answering, Use
from comedo.training.runner.contract import Batch, Examples, Run, Shipped, Task
from comedo.training.runner.labelled import LabelledPhoto, open_sets, set_aside
from comedo.training.runner.ship import example_pictures

_FEWEST = 10  # watched photos of either kind from which probabilities are fitted
_LOOSE = 1e4  # inverse strength of the pull towards zero: none to speak of for two numbers


class AffectedNet(nn.Module):
    """(N, 3, H, W) float in [0, 1] to (N,) logits as if half of the photos were affected.

    `odds` of clear training photos to affected ones weigh the loss. `line` (slope, offset) makes of logits those of
    the true share: fitted to watched people, or the odds alone where they are too few.
    """

    odds: Tensor
    line: Tensor

    def __init__(self, encoder: nn.Module, *, dropout: float, odds: float) -> None:
        super().__init__()
        self.encoder = encoder
        width = pooled_width(encoder)
        self.norm, self.dropout, self.head = nn.BatchNorm1d(width), nn.Dropout(dropout), nn.Linear(width, 1)
        self.register_buffer("odds", torch.tensor(odds))
        self.register_buffer("line", torch.tensor([1.0, -math.log(odds)]))

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.head(self.dropout(self.norm(pooled(self.encoder(images)))))
        return logits[:, 0]


class AffectedExport(nn.Module):
    """As it is shipped: (N, S, S, 3) uint8 RGB to (N,) probabilities, as they are and as if half were affected."""

    def __init__(self, net: AffectedNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        logits = self.net(image.permute(0, 3, 1, 2).float() / 255.0) * self.net.line[0] + self.net.line[1]
        return torch.sigmoid(logits), torch.sigmoid(logits + torch.log(self.net.odds))


class Affected(Task[AffectedRecipe, MaskedFace, AffectedRow]):
    """Affected by acne or not, from the skin alone."""

    recipe = AffectedRecipe
    baseline_words = "the share of affected training photos, whatever the photo"

    def items(self, recipe: AffectedRecipe, root: Path, cache: Path) -> list[MaskedFace]:
        photos = open_sets(recipe.sets, root, faces=cache / "faces")
        return [MaskedFace(p, is_affected(p, recipe)) for p in photos if p.sample.labels is not None]

    def set_aside(self, recipe: AffectedRecipe, root: Path) -> list[Member]:
        return set_aside(recipe.sets, root)

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

    def settle(self, recipe: AffectedRecipe, net: nn.Module, items: Sequence[MaskedFace]) -> None:
        assert isinstance(net, AffectedNet)
        with torch.no_grad():
            views = (torch.from_numpy(masked_view(face.photo, recipe)) for face in items)
            said = [float(net(view.permute(2, 0, 1)[None].float() / 255.0)) for view in views]
        line = fit_platt(said, [face.affected for face in items])
        if line is not None:
            net.line[:] = torch.tensor(line)

    def shipped(self, recipe: AffectedRecipe, net: nn.Module) -> Shipped:
        assert isinstance(net, AffectedNet)
        side = recipe.view.side
        pictures = np.stack(example_pictures([(side, side)]))
        return Shipped(
            AffectedExport(net),
            [{"image": pictures}, {"image": pictures[:1]}],
            ("probability", "even"),
            f"(N, {side}, {side}, 3) uint8 RGB: the square around the face, all but skin that acne affects in grey",
            "(N,) float32: probability of acne; the same as if half of the photos had it, by which photos are called",
            {name: {0: "photos"} for name in ("image", "probability", "even")},
        )

    def look(self, recipe: AffectedRecipe, run: Run, item: MaskedFace) -> AffectedRow:
        prob, even = _ask(recipe, run, item.photo)
        return AffectedRow(item.name, item.person, prob, even >= recipe.threshold, item.affected)

    def answers(self, recipe: AffectedRecipe, run: Run, use: Use) -> Answering:
        use.allow(recipe.task, "cut_off", "without_face")
        cut = recipe.threshold if use.cut_off is None else use.cut_off

        def ask(photos: Sequence[LabelledPhoto]) -> Answer:
            no_face = find_face(photos[0]) is None
            if no_face and not use.without_face:
                raise NoFaceFound(
                    "no face was found whose skin could be judged; show the whole face, or say --without-face to judge "
                    "the whole photo, as in training"
                )
            notices = ("no face was found: the whole photo was judged",) if no_face else ()
            return _answer(*_ask(recipe, run, photos[0]), cut, notices)

        return Answering(ask)

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
            "The probability holds where as many are affected as among the photos that it learnt from.",
        )


def _ask(recipe: AffectedRecipe, run: Run, photo: LabelledPhoto) -> tuple[float, float]:
    """Probabilities of acne: where as many have it as in training, and where every second photo shows it."""
    found = run({"image": masked_view(photo, recipe)[None]})
    return float(found["probability"][0]), float(found["even"][0])


def _answer(prob: float, even: float, cut: float, notices: tuple[str, ...]) -> Answer:
    called = even >= cut
    return Answer(
        sentence=f"{'affected' if called else 'not affected'} (probability {prob:.2f})",
        values={"affected": called, "probability": prob, "probability_if_half_are": even, "threshold_if_half_are": cut},
        notices=notices,
    )


def fit_platt(logits: Sequence[float], affected: Sequence[bool]) -> tuple[float, float] | None:
    """Slope and offset of the logistic curve from logits to probabilities (Platt 1999).

    Returns:
        `None` with too few of a kind, or where higher logits do not go with affected photos: nothing is known of
        their scale then.
    """
    from sklearn.linear_model import LogisticRegression

    if min(sum(affected), len(affected) - sum(affected)) < _FEWEST:
        return None
    learnt = LogisticRegression(C=_LOOSE).fit(np.array(logits)[:, None], affected)
    slope, offset = float(learnt.coef_[0, 0]), float(learnt.intercept_[0])
    return (slope, offset) if slope > 0 else None
