"""Photos of one's own through a trained detector, into labels for people to correct."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from comedo.errors import ModelError, NoFaceFound, UnusableInput
from comedo.face import FaceMapper
from comedo.inference import load_network, read_weights
from comedo.photo import read_photo
from comedo.training.augmentation.regions import FACE_PARTS, draw_fill, mask_of_parts, parts_of_photo
from comedo.training.data.dataset import Dataset, Label, Rectangle, Sample
from comedo.training.data.prelabel import label_each
from comedo.training.detection.parts import detect_parts, part_boxes
from comedo.training.detection.recipe import DetectorRecipe
from comedo.training.detection.serve import Found, detect, without_doubles
from comedo.training.detection.ways import Way
from comedo.training.runner.contract import Run
from comedo.training.runner.faces import Parts
from comedo.training.runner.registry import read_run
from comedo.training.runner.ship import open_onnx
from comedo.types import Photo

NAME = DetectorRecipe.task
_SAME_PLACE = 0.5  # overlap above which two findings are one lesion, whatever their types


@dataclass(frozen=True)
class TrainedDetector:
    """An exported detector with what its manifest says of it."""

    name: str  # with its hash
    run: Run
    recipe: DetectorRecipe
    cuts: tuple[float, ...]  # score from which a type is reported

    def find(self, photo: Photo, way: Way) -> Found:
        """The lesions of a photo above their types' cut-offs, each of one type, boxes in its pixels."""
        plan = self.recipe
        parts = _parts_of(photo) if plan.augment.background or plan.parts else None
        image = photo.image
        if parts is not None and plan.augment.background:
            image = draw_fill(np.random.default_rng(0), grey=True).apply(image, mask_of_parts(parts, FACE_PARTS))
        if plan.parts:
            found = detect_parts(self.run, image, plan.serve, list(part_boxes(parts, plan.parts).values()), way)
        else:
            found = detect(self.run, image, plan.serve, way)
        found = found.choose(found.scores >= np.asarray(self.cuts)[found.classes])
        return without_doubles(found, _SAME_PLACE, across_types=True)


@cache
def _mapper() -> FaceMapper:
    return FaceMapper(load_network("face-map"))


def _parts_of(photo: Photo) -> Parts | None:
    """The photo's face map in its pixels; `None` where there is no face."""
    try:
        return parts_of_photo(_mapper().find(photo), photo.height, photo.width)
    except NoFaceFound:
        return None


def open_detector(folder: Path, way: Way, *, score: float | None = None) -> TrainedDetector:
    """The detector of a run's folder; its hash is checked.

    Args:
        folder: `--out` of `comedo train`.
        way: How photos will go through it; each has cut-offs of its own.
        score: One cut-off for every type instead of those that the run measured.

    Raises:
        ModelError: There is no detector, or it was altered.
        UnusableInput: No cut-off is known.
    """
    weights, traced = read_weights(NAME, folder)
    models = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["models"]
    entry = next(m for m in models if m["name"] == NAME)
    _, recipe = read_run(entry["recipe"], "manifest.json")
    if not isinstance(recipe, DetectorRecipe):
        raise ModelError(f"the manifest of {folder} describes another task than a detector's; train and export again")
    return TrainedDetector(traced, open_onnx(weights), recipe, _cuts(entry["metrics"], recipe, way, score))


def _cuts(
    metrics: dict[str, dict[str, float]], recipe: DetectorRecipe, way: Way, score: float | None
) -> tuple[float, ...]:
    if score is not None:
        return (score,) * len(recipe.types)
    measured = metrics.get(str(way), {})
    known = [measured.get(f"cut-off {name}") for name in recipe.types]
    if any(v is None for v in known):
        raise UnusableInput(
            f"the run measured no cut-offs for the way {way!s}; give one with --score, or choose --way "
            f"{' or '.join(w for w in Way if w in metrics) or 'whole'}"
        )
    return tuple(float(v) for v in known if v is not None)


def label_photos(
    folder: Path, detector: TrainedDetector, way: Way, *, tell: Callable[[str], None] = lambda _: None
) -> Dataset:
    """Boxes with scores on every photo of a folder.

    Args:
        folder: With photos, also in folders inside it.
        detector: Finds the lesions.
        way: Whole or through slices.
        tell: Gets a sentence for each photo that is left out.

    Raises:
        UnusableInput: There are no photos.
    """

    def label(name: str) -> Sample:
        photo = read_photo(folder / name)
        return Sample(name, _labels(detector.find(photo, way), detector), photo.width, photo.height)

    return Dataset(label_each(folder, label, tell), detector.recipe.types, folder)


def _labels(found: Found, detector: TrainedDetector) -> tuple[Label, ...]:
    rows = zip(found.boxes.tolist(), found.scores.tolist(), found.classes.tolist(), strict=True)
    return tuple(
        Label(detector.recipe.types[number], Rectangle((x0, y0, x1, y1)), round(score, 4), NAME)
        for (x0, y0, x1, y1), score, number in rows
    )
