"""Figures of lesion masks, face maps and photos without labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from comedo.training.evaluation.predictors import Prediction
from comedo.training.figures import Measure
from comedo.training.metrics.maps import IGNORE, LabelClass, label_tally, mask_tally
from comedo.training.metrics.tally import Tally, ratio
from comedo.types import Group, Part, Region

NOT_FACE = 254  # background or other, nobody knows which
_SKIN = tuple(int(region.part) for region in Region)
_OUTSIDE = (int(Part.BACKGROUND), int(Part.OTHER))


def _of_part(part: Part) -> LabelClass:
    unknown = (IGNORE, NOT_FACE) if part in _OUTSIDE else (IGNORE,)
    return LabelClass(part.name.lower(), (int(part),), (int(part),), unknown)


# How the labels of known sets read in our classes.
CODINGS: dict[str, tuple[LabelClass, ...]] = {
    "comedo": (LabelClass("skin", _SKIN, _SKIN), *(_of_part(part) for part in Part)),
    "celebamask": (
        LabelClass("skin", _SKIN, (1, 2)),
        LabelClass("nose", (int(Part.NOSE),), (2,)),
        LabelClass("eyes", (int(Part.EYES),), (4, 5)),
        LabelClass("brows", (int(Part.BROWS),), (6, 7)),
        LabelClass("lips", (int(Part.LIPS),), (10, 11, 12)),
    ),
    "fasseg": (
        LabelClass("skin", _SKIN, (1, 4)),
        LabelClass("nose", (int(Part.NOSE),), (4,)),
        LabelClass("eyes", (int(Part.EYES),), (3,)),
        LabelClass("lips", (int(Part.LIPS),), (5,)),
    ),
}
_CHIN_BELOW_MOUTH = 0.75  # of the distance from the eyes to the mouth


def without_neck(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """FASSEG calls the neck skin: leave everything under the chin out, where eyes and mouth show it.

    Args:
        labels: (H, W) uint8 of FASSEG: 3 eyes, 5 mouth.
    """
    eyes, mouth = np.nonzero(labels == 3)[0], np.nonzero(labels == 5)[0]
    if len(eyes) == 0 or len(mouth) == 0:
        return labels
    chin = mouth.mean() + _CHIN_BELOW_MOUTH * (mouth.mean() - eyes.mean())
    below = np.arange(labels.shape[0])[:, None] > chin
    return np.where(below & (labels != 0), np.uint8(IGNORE), labels)


@dataclass(frozen=True, eq=False)
class MapRow:
    """Pixels of each judged class on one photo."""

    face: bool
    tallies: dict[str, Tally]


def mask_row(prediction: Prediction | None, true: NDArray[np.bool_]) -> MapRow | None:
    """Compare a lesion mask (H, W); `None` when the predictor gives no masks."""
    if prediction is None:
        return MapRow(False, {"mask": mask_tally(np.zeros_like(true), true)})
    if prediction.mask is None:
        return None
    return MapRow(True, {"mask": mask_tally(prediction.mask, true)})


def label_row(prediction: Prediction | None, true: NDArray[np.uint8], coding: str) -> MapRow | None:
    """Compare a face map (H, W) with labels in one of CODINGS; `None` without a face map."""
    found = np.full(true.shape, Part.BACKGROUND, np.uint8) if prediction is None else prediction.parts
    if found is None:
        return None
    if coding == "fasseg":
        true = without_neck(true)
    return MapRow(prediction is not None, {c.name: label_tally(found, true, c) for c in CODINGS[coding]})


def fit_to(labels: NDArray[np.uint8], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Bring labels to the photo's (H, W), keeping their values."""
    if labels.shape == shape[:2]:
        return labels
    return np.asarray(cv2.resize(labels, (shape[1], shape[0]), interpolation=cv2.INTER_NEAREST), np.uint8)


def _pooled(rows: Sequence[MapRow], name: str) -> Tally:
    return sum((r.tallies[name] for r in rows), Tally())


def _pooled_iou(rows: Sequence[MapRow], name: str) -> float | None:
    return _pooled(rows, name).iou


def _mean_iou(rows: Sequence[MapRow], name: str) -> float | None:
    known = [iou for iou in (r.tallies[name].iou for r in rows) if iou is not None]
    return float(np.mean(known)) if known else None


def _mean_dice(rows: Sequence[MapRow]) -> float | None:
    known = [dice for dice in (r.tallies["mask"].f1 for r in rows) if dice is not None]
    return float(np.mean(known)) if known else None


def _faces(rows: Sequence[MapRow]) -> float | None:
    return ratio(sum(r.face for r in rows), len(rows))


_FACES = Measure[MapRow]("faces found", "share of photos in which a face was found", _faces)
MASKS: tuple[Measure[MapRow], ...] = (
    _FACES,
    Measure("mask Dice", "mean over photos that have or get a mask", _mean_dice),
    Measure("mask Dice, pooled", "all pixels of all photos as one", lambda rows: _pooled(rows, "mask").f1),
    Measure("mask IoU, pooled", "all pixels of all photos as one", lambda rows: _pooled(rows, "mask").iou),
)


def label_measures(coding: str) -> tuple[Measure[MapRow], ...]:
    """Figures of a face map in one of CODINGS."""
    classes = (
        Measure[MapRow](f"IoU {c.name}", "all pixels of all photos as one", partial(_pooled_iou, name=c.name))
        for c in CODINGS[coding]
    )
    skin = Measure[MapRow]("skin IoU, mean", "mean over photos", partial(_mean_iou, name="skin"))
    return (_FACES, skin, *classes)


@dataclass(frozen=True)
class PlainRow:
    """What is said about a photo of which nothing is known."""

    face: bool
    count: float | None  # None without a face: not assessed
    affected: bool | None


def plain_row(prediction: Prediction | None) -> PlainRow:
    """The answers for one photo without labels."""
    if prediction is None:
        return PlainRow(False, None, None)
    active = sum(g is not Group.MARK for g in prediction.groups)
    return PlainRow(True, float(active) if prediction.count is None else prediction.count, prediction.affected)


def _known_counts(rows: Sequence[PlainRow]) -> list[float]:
    return [r.count for r in rows if r.count is not None]


def _median_count(rows: Sequence[PlainRow]) -> float | None:
    counts = _known_counts(rows)
    return float(np.median(counts)) if counts else None


def _mean_count(rows: Sequence[PlainRow]) -> float | None:
    counts = _known_counts(rows)
    return float(np.mean(counts)) if counts else None


def _few(rows: Sequence[PlainRow]) -> float | None:
    counts = _known_counts(rows)
    return ratio(sum(c <= 2 for c in counts), len(counts))


def _affected(rows: Sequence[PlainRow]) -> float | None:
    known = [r.affected for r in rows if r.affected is not None]
    return ratio(sum(known), len(known))


PLAIN: tuple[Measure[PlainRow], ...] = (
    Measure(
        "faces found",
        "share of photos in which a face was found",
        lambda rows: ratio(sum(r.face for r in rows), len(rows)),
    ),
    Measure("lesions, median", "active lesions a photo with a face", _median_count),
    Measure("lesions, mean", "active lesions a photo with a face", _mean_count),
    Measure("at most 2 lesions", "share of photos with a face", _few),
    Measure("acne affected", "share of photos with a face that are called affected", _affected),
)
