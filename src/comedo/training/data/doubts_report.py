"""The report of doubtful grades: what the features are, a page with pictures, and JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from comedo.errors import UnusableInput
from comedo.photo import read_photo
from comedo.report.markup import page, picture, table
from comedo.training.data.dataset import Dataset, Sample
from comedo.training.data.doubts import FEWEST, Doubt, find_doubts, out_of_fold
from comedo.training.data.thumbnails import as_jpeg, thumbnail
from comedo.training.evaluation.baselines import RednessBlobs
from comedo.types import Image

SCHEMA = "comedo.doubts/1"
_SIDE = 256  # pixels of the picture that the figures are taken from
_TILES = 4  # along each side, each with its mean colour and redness
_MOST_PICTURES = 40


@dataclass(frozen=True)
class Doubtful:
    """One grade that is most likely wrong."""

    photo: str
    grade: int
    suggested: int
    self_confidence: float
    margin: float


def picture_figures(image: Image) -> NDArray[np.float64]:
    """Figures of an upright (H, W, 3) photo: mean and spread of CIELAB over 4 x 4 tiles, and red blobs."""
    small = cv2.resize(image, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB).astype(np.float64)
    tiles = lab.reshape(_TILES, _SIDE // _TILES, _TILES, _SIDE // _TILES, 3)
    blobs = RednessBlobs().predict(np.asarray(small, np.uint8))
    sizes = blobs.circles[:, 2].astype(np.float64)
    counts = [len(sizes), float((sizes**2).sum()), float(blobs.scores.sum())]
    return np.concatenate([tiles.mean((1, 3)).ravel(), tiles.std((1, 3)).ravel(), np.log1p(counts)])


def label_figures(sample: Sample, categories: Sequence[str]) -> NDArray[np.float64]:
    """Figures of a photo's labels: how many of each category, and how much of the photo they cover; logs."""
    area = (sample.width or 1) * (sample.height or 1)
    counts = [sum(label.category == c for label in sample.marks) for c in categories]
    boxes = [label.bounds_xyxy for label in sample.marks]
    covered = sum((x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in boxes) / area
    return np.asarray(np.log1p([*counts, covered * 1e4, float(sample.labels is None)]), np.float64)


def doubt_grades(dataset: Dataset, *, seed: int = 0) -> list[Doubtful]:
    """Grades that photo and labels contradict, the worst first.

    Raises:
        UnusableInput: Too few photos have a grade, or a photo cannot be read.
    """
    graded = [s for s in dataset.samples if s.grade is not None]
    known = sorted({s.grade for s in graded if s.grade is not None})
    labels = [known.index(s.grade) for s in graded if s.grade is not None]
    rows = [
        np.concatenate([picture_figures(read_photo(dataset.path_of(s)).image), label_figures(s, dataset.categories)])
        for s in graded
    ]
    probabilities = out_of_fold(np.array(rows), labels, [s.identity for s in graded], seed=seed) if rows else None
    if probabilities is None:
        raise UnusableInput(
            f"doubting grades needs two grades with photos of {FEWEST} people each, {len(graded)} photos have a grade; "
            "add graded photos"
        )
    return [_named(d, graded, known) for d in find_doubts(probabilities, labels)]


def _named(doubt: Doubt, graded: Sequence[Sample], known: Sequence[int]) -> Doubtful:
    return Doubtful(
        photo=graded[doubt.row].photo,
        grade=known[doubt.given],
        suggested=known[doubt.suggested],
        self_confidence=round(doubt.self_confidence, 4),
        margin=round(doubt.margin, 4),
    )


def write_doubts(found: Sequence[Doubtful], dataset: Dataset, folder: Path) -> tuple[Path, Path]:
    """Write doubts.json and doubts.html with a picture of each."""
    folder.mkdir(parents=True, exist_ok=True)
    facts, report = folder / "doubts.json", folder / "doubts.html"
    rows = [vars(d) for d in found]
    facts.write_text(json.dumps({"schema": SCHEMA, "doubts": rows}, indent=2) + "\n", encoding="utf-8")
    report.write_text(
        "".join(page("Labels to look at again", _body(found, dataset), meta={"generator": "comedo"})), encoding="utf-8"
    )
    return facts, report


def _body(found: Sequence[Doubtful], dataset: Dataset) -> Iterator[str]:
    yield f"<header><h1>Labels to look at again</h1>\n<p>{len(found)} grades, the most doubtful first</p></header>\n"
    yield (
        "<main>\n<p>A small model that has seen neither the photo nor the person says another grade than the label, "
        "and is surer of it than usual. It is no better judge than a person: look again, do not take its word.</p>\n"
    )
    yield '<div class="beside">\n'
    for doubt in found[:_MOST_PICTURES]:
        words = f"{doubt.photo}: labelled {doubt.grade}, rather {doubt.suggested}"
        yield picture(as_jpeg(thumbnail(dataset.folder / doubt.photo)), escape(words), words)
    yield "</div>\n"
    rows = ((d.photo, d.grade, d.suggested, d.self_confidence, d.margin) for d in found)
    head = ("Photo", "Label", "Suggested", "Probability of the label", "Margin")
    yield table("Every doubtful grade", head, rows, numbers=range(1, 5)) + "</main>\n"
