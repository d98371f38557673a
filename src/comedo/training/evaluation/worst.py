"""Pictures of the photos on which most lesions were missed or falsely found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from comedo.training.evaluation.lesion_figures import ACTIVE
from comedo.training.evaluation.predictors import Prediction
from comedo.training.evaluation.truth import LabelledPhoto
from comedo.training.metrics.matching import match_centres
from comedo.types import Image

_HIT, _FALSE, _MISSED = (60, 200, 90), (250, 210, 40), (240, 50, 50)
_LEAST_SIDE = 1024  # small photos are enlarged, so that circles can be told apart


@dataclass(frozen=True, eq=False)
class Mistakes:
    """One photo's active lesions: found rightly, found falsely, missed; circles (N, 3)."""

    hits: NDArray[np.float32]
    false: NDArray[np.float32]
    missed: NDArray[np.float32]

    @property
    def number(self) -> int:
        """False and missed ones together."""
        return len(self.false) + len(self.missed)


def mistakes(photo: LabelledPhoto, prediction: Prediction | None, width: int, threshold: float | None) -> Mistakes:
    """Tell right from wrong on a photo whose lesions are known."""
    said = prediction or Prediction()
    wanted = np.array([g in ACTIVE for g in said.groups], np.bool_) & (said.scores >= (threshold or 0.0))
    found = said.circles[wanted]
    assert photo.lesions is not None
    true = photo.lesions.choose(ACTIVE).circles
    matched = match_centres(found, said.scores[wanted], true, width)
    missed = np.setdiff1d(np.arange(len(true)), matched)
    return Mistakes(found[matched >= 0], found[matched < 0], true[missed])


def draw_mistakes(image: Image, wrong: Mistakes) -> Image:
    """The photo with circles: green found, yellow falsely found, red missed."""
    zoom = max(1.0, _LEAST_SIDE / max(image.shape[:2]))
    size = (round(image.shape[1] * zoom), round(image.shape[0] * zoom))
    canvas = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_CUBIC), np.uint8)
    for circles, colour in ((wrong.hits, _HIT), (wrong.false, _FALSE), (wrong.missed, _MISSED)):
        for x, y, r in circles * np.float32(zoom):
            cv2.circle(canvas, (round(float(x)), round(float(y))), max(3, round(float(r))), colour, 2, cv2.LINE_AA)
    words = f"found {len(wrong.hits)} (green), false {len(wrong.false)} (yellow), missed {len(wrong.missed)} (red)"
    for colour, thickness in (((0, 0, 0), 4), ((255, 255, 255), 1)):
        cv2.putText(canvas, words, (12, 28), cv2.FONT_HERSHEY_SIMPLEX, 0.7, colour, thickness, cv2.LINE_AA)
    return canvas


def draw_worst(
    photos: Sequence[LabelledPhoto],
    predictions: Sequence[Prediction | None],
    folder: Path,
    *,
    number: int = 12,
    threshold: float | None = None,
) -> list[Path]:
    """Write the photos with most mistakes as JPEG, worst first.

    Args:
        photos: Photos; those whose lesions nobody marked are left out.
        predictions: One for each photo.
        folder: Where the pictures go; made when absent.
        number: How many to draw.
        threshold: Count only lesions of at least this score.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wrong = []
    for photo, prediction in zip(photos, predictions, strict=True):
        if photo.lesions is not None:
            wrong.append((photo, mistakes(photo, prediction, photo.read().shape[1], threshold)))
    wrong.sort(key=lambda pair: (-pair[1].number, pair[0].name))
    written = []
    for rank, (photo, found) in enumerate(wrong[:number], 1):
        path = folder / f"{rank:02d}_{photo.name.replace('/', '_').rsplit('.', 1)[0]}.jpg"
        picture = cv2.cvtColor(draw_mistakes(photo.read(), found), cv2.COLOR_RGB2BGR)
        if not cv2.imwrite(str(path), picture, [cv2.IMWRITE_JPEG_QUALITY, 90]):
            raise OSError(f"cannot write {path}")
        written.append(path)
    return written
