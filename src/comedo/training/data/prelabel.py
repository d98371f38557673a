"""Labels by our own networks, for people to correct."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from comedo.errors import NoFaceFound, UnusableInput
from comedo.training.data.dataset import Circle, Dataset, Label, Rectangle, Sample, Shape
from comedo.training.data.files import photo_size, photos_below
from comedo.types import FaceAnalysis, Group, Lesion

RATER = "comedo"


class PrelabelShape(StrEnum):
    """How a found lesion is drawn."""

    CIRCLE = "circle"
    BOX = "box"


class Analyses(Protocol):
    """The part of `comedo.Analyzer` that is needed here."""

    def analyze(self, source: Path, *, allow_poor: bool = False) -> FaceAnalysis:
        """Analyse one photo."""
        ...


def prelabel(
    folder: Path,
    analyzer: Analyses,
    *,
    shape: PrelabelShape = PrelabelShape.CIRCLE,
    tell: Callable[[str], None] = lambda _: None,
) -> Dataset:
    """Analyse every photo of a folder into labels with scores; the group is the category.

    Args:
        folder: With photos, also in folders inside it.
        analyzer: Finds the lesions.
        shape: How they are drawn.
        tell: Gets a sentence for each photo that is left out or has no face.

    Raises:
        UnusableInput: There are no photos.
    """

    def label(name: str) -> Sample:
        try:
            analysis = analyzer.analyze(folder / name, allow_poor=True)
        except NoFaceFound:
            tell(f"{name}: no face; left for people to look at")
            return Sample(name, None, *photo_size(folder / name))
        labels = tuple(Label(str(it.group), _draw(it, shape), round(it.score, 4), RATER) for it in analysis.lesions)
        return Sample(name, labels, analysis.width, analysis.height)

    return Dataset(label_each(folder, label, tell), tuple(str(group) for group in Group), folder)


def label_each(folder: Path, label: Callable[[str], Sample], tell: Callable[[str], None]) -> tuple[Sample, ...]:
    """What `label` says of every photo of a folder, by name; one that cannot be used is left out, and told.

    Raises:
        UnusableInput: There are no photos.
    """
    names = photos_below(folder)
    if not names:
        raise UnusableInput(f"{folder} has no JPEG, PNG or WebP photos; name a folder that holds some")
    samples = []
    for name in names:
        try:
            samples.append(label(name))
        except UnusableInput as error:
            tell(f"{name}: left out: {error}")
    return tuple(samples)


def _draw(lesion: Lesion, shape: PrelabelShape) -> Shape:
    if shape is PrelabelShape.BOX:
        return Rectangle(lesion.box_xyxy)
    # Analyses count from the centre of the first pixel, annotation tools from its edge.
    return Circle((lesion.center_xy[0] + 0.5, lesion.center_xy[1] + 0.5), lesion.diameter_px / 2)
