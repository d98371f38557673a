"""Severity as a task of the runner."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from comedo.errors import NoFaceFound, UnusableInput
from comedo.training.figures import Measure
from comedo.training.leaks import Member
from comedo.training.runner.answer import Answer, Answering, Use
from comedo.training.runner.contract import Batch, Examples, Run, Shipped, Task
from comedo.training.runner.labelled import LabelledPhoto, open_sets, set_aside
from comedo.training.runner.ship import example_pictures
from comedo.training.severity.faces import Face, PatchExamples, cut, find_patches, rolled_copies
from comedo.training.severity.judge import MEASURES, GradeRow, by_person, draw_grades, nearest_grade
from comedo.training.severity.network import SeverityExport, SeverityNet, build_net, head_loss
from comedo.training.severity.recipe import SeverityRecipe

_SECTIONS = ("photos", "people (mean of their photos)")
_FEWEST = 20  # watched photos from which the scale of scores is fitted


class Severity(Task[SeverityRecipe, Face, GradeRow]):
    """One grade for a face: the mean of what its patches say."""

    recipe = SeverityRecipe
    baseline_words = "the training photos' mean grade, and their shares of the grades, whatever the photo"

    def items(self, recipe: SeverityRecipe, root: Path, cache: Path) -> list[Face]:
        photos = open_sets(recipe.sets, root, faces=cache / "faces")
        faces = [face for face in map(find_patches, photos) if face.grade is not None]
        for face in faces:
            beyond = [g for g in (*face.votes, face.grade or 0) if g >= len(recipe.grades) or g < 0]
            if beyond:
                raise UnusableInput(
                    f"{face.name} has grade {beyond[0]}; the recipe names {len(recipe.grades)} grades from 0 on"
                )
        return faces

    def set_aside(self, recipe: SeverityRecipe, root: Path) -> list[Member]:
        return set_aside(recipe.sets, root)

    def build(self, recipe: SeverityRecipe, root: Path, items: Sequence[Face]) -> nn.Module:
        net = build_net(recipe.net, root, len(recipe.grades))
        for grade, copies in rolled_copies(recipe, items).items():
            net.shares[grade] = 1 / (1 + copies)
        return net

    def examples(self, recipe: SeverityRecipe, items: Sequence[Face], *, learning: bool) -> Examples:
        patches = PatchExamples(recipe, items, learning)
        return Examples(len(patches), patches.draw)

    def loss(self, recipe: SeverityRecipe, net: nn.Module, batch: Batch, epoch: int) -> dict[str, Tensor]:  # noqa: ARG002
        output = net(batch["patch"].permute(0, 3, 1, 2).float() / 255.0).float()
        return {recipe.net.head: head_loss(recipe.net.head, output, batch["label"])}

    def settle(self, recipe: SeverityRecipe, net: nn.Module, items: Sequence[Face]) -> None:
        assert isinstance(net, SeverityNet)
        if recipe.net.head != "regression" or len(items) < _FEWEST:
            return
        export = SeverityExport(net, recipe.net.head)
        with torch.no_grad():
            said = [float(export(torch.from_numpy(_patches(recipe, face))).mean()) for face in items]
        net.line[:] = torch.tensor(fit_line(said, [float(face.grade or 0) for face in items]))

    def shipped(self, recipe: SeverityRecipe, net: nn.Module) -> Shipped:
        assert isinstance(net, SeverityNet)
        side = recipe.patches.side
        pictures = np.stack(example_pictures([(side, side)] * 2))
        regression = recipe.net.head == "regression"
        return Shipped(
            SeverityExport(net, recipe.net.head),
            [{"patches": pictures}, {"patches": pictures[:1]}],
            ("score",) if regression else ("score", "probabilities"),
            f"(N, {side}, {side}, 3) uint8 RGB: patches of forehead, cheeks, chin",
            f"(N,) float32 score from 0 to {len(recipe.grades) - 1}"
            + ("" if regression else f", (N, {len(recipe.grades)}) probabilities of the grades"),
            {name: {0: "number"} for name in ("patches", "score", *([] if regression else ["probabilities"]))},
        )

    def look(self, recipe: SeverityRecipe, run: Run, item: Face) -> GradeRow:
        return self._row(recipe, item, *_grade(recipe, run, item))

    def answers(self, recipe: SeverityRecipe, run: Run, use: Use) -> Answering:
        use.allow(recipe.task, "without_face")

        def ask(photos: Sequence[LabelledPhoto]) -> Answer:
            face = find_patches(photos[0])
            if None in face.boxes and not use.without_face:
                raise NoFaceFound(
                    "no face was found whose regions could be graded; show the whole face, or say --without-face to "
                    "grade the whole photo as one patch, as in training"
                )
            return _answer(recipe, face, *_grade(recipe, run, face))

        return Answering(ask)

    def baseline(self, recipe: SeverityRecipe, items: Sequence[Face]) -> Callable[[Face], GradeRow]:
        grades = np.array([face.grade for face in items])
        shares = tuple(float((grades == k).mean()) for k in range(len(recipe.grades)))
        return lambda face: self._row(recipe, face, float(grades.mean()), shares)

    def _row(self, recipe: SeverityRecipe, face: Face, score: float, probs: tuple[float, ...] | None) -> GradeRow:
        assert face.grade is not None
        return GradeRow(face.name, face.person, score, float(face.grade), len(recipe.grades), probs)

    def gather(self, rows: Sequence[GradeRow]) -> Mapping[str, Sequence[GradeRow]]:
        return dict(zip(_SECTIONS, (rows, by_person(rows)), strict=True))

    def sections(self, recipe: SeverityRecipe) -> tuple[str, ...]:  # noqa: ARG002
        return _SECTIONS

    def measures(self, recipe: SeverityRecipe) -> Sequence[Measure[GradeRow]]:  # noqa: ARG002
        return MEASURES

    def pictures(self, recipe: SeverityRecipe, rows: Sequence[GradeRow]) -> Mapping[str, str]:
        return draw_grades(rows, recipe.grades)

    def limits(self, recipe: SeverityRecipe) -> Sequence[str]:
        return (
            f"The grades are {', '.join(recipe.grades)}, as the photos' labels use them; other scales differ.",
            "A camera that goes with a grade can be learnt instead of skin: run `comedo data audit` first.",
        )


def _grade(recipe: SeverityRecipe, run: Run, face: Face) -> tuple[float, tuple[float, ...] | None]:
    """Score and, of ordinal heads, probabilities of the grades: means over the patches."""
    found = run({"patches": _patches(recipe, face)})
    probs = found.get("probabilities")
    return float(found["score"].mean()), None if probs is None else tuple(float(p) for p in probs.mean(0))


def _answer(recipe: SeverityRecipe, face: Face, score: float, probs: tuple[float, ...] | None) -> Answer:
    grade = nearest_grade(score, len(recipe.grades))
    patches = ["whole photo" if region is None else str(region) for region in face.boxes]
    return Answer(
        sentence=f"{recipe.grades[grade]} (score {score:.2f} on a scale from 0 to {len(recipe.grades) - 1})",
        values={
            "grade": grade,
            "grade_name": recipe.grades[grade],
            "score": score,
            "highest_grade": len(recipe.grades) - 1,
            "probabilities": None if probs is None else dict(zip(recipe.grades, probs, strict=True)),
            "patches": patches,
        },
        notices=("no face was found: the whole photo was graded as one patch",) if None in face.boxes else (),
    )


def _patches(recipe: SeverityRecipe, face: Face) -> NDArray[np.uint8]:
    """The patches of a face as they are judged, (N, side, side, 3)."""
    image = face.read()
    return np.stack([cut(image, box, recipe.patches.side) for box in face.boxes.values()])


def fit_line(said: Sequence[float], true: Sequence[float]) -> tuple[float, float]:
    """Slope, 0 at least, and offset of the straight line from scores to grades with the least squared error."""
    spread = float(np.var(said))
    slope = max(0.0, float(np.cov(said, true, bias=True)[0, 1]) / spread) if spread > 1e-12 else 0.0
    return slope, float(np.mean(true)) - slope * float(np.mean(said))
