"""Figures of a face map on labelled faces that are laid into a picture near and far."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from comedo.training.evaluation.map_figures import CODINGS
from comedo.training.face_map.crops import Placing, place
from comedo.training.face_map.data import FacePhoto, Labels
from comedo.training.face_map.sources import Face
from comedo.training.figures import Measure
from comedo.training.metrics.maps import label_tally
from comedo.training.metrics.tally import Tally
from comedo.types import Image, Part

VIEWS: Mapping[str, float] = {"near": 0.75, "far": 0.3}  # longer side of the face over the picture's side
_CLASSES = CODINGS["comedo"]
_USUAL_FROM = 200  # faces from which the baseline takes the commonest part

Tallies = Mapping[str, Tally]  # pixels of skin, and of each part, by name


@dataclass(frozen=True, eq=False)
class PartsRow:
    """One face: the pixels of each part in each view."""

    person: str
    views: Mapping[str, Tallies]

    def only(self, view: str) -> PartsRow:
        """The row of one view."""
        return PartsRow(self.person, {view: self.views[view]})


def view(photo: FacePhoto, share: float, size: int) -> tuple[Image, Labels]:
    """The face upright in the middle of a picture (size, size, 3), and its labels (size / 2, size / 2)."""
    around = np.random.default_rng(0)
    return place(photo.image, photo.labels, photo.box_xyxy, Placing(share), size, around)


def tallies_of(said: Labels, true: Labels) -> Tallies:
    """Compare parts (h, w) with labels (h, w); what nobody knows is left out."""
    return {judged.name: label_tally(said, true, judged) for judged in _CLASSES}


def usual_parts(faces: Sequence[Face], size: int) -> dict[str, Labels]:
    """The commonest part of each place (size / 2, size / 2), by view; background where none is known."""
    every = max(1, len(faces) // _USUAL_FROM)
    photos = [face.labelled() for face in faces[::every]]
    return {name: _commonest(view(p, share, size)[1] for p in photos) for name, share in VIEWS.items()}


def _commonest(labels: Iterable[Labels]) -> Labels:
    counts = sum(np.stack([one == part for part in Part]).astype(np.int32) for one in labels)
    return np.asarray(np.argmax(counts, axis=0), np.uint8)


def _pooled(rows: Sequence[PartsRow], name: str) -> Tally:
    return sum((tallies[name] for row in rows for tallies in row.views.values()), Tally())


def _iou(rows: Sequence[PartsRow], name: str) -> float | None:
    return _pooled(rows, name).iou


def _mean_iou(rows: Sequence[PartsRow]) -> float | None:
    known = [iou for iou in (_iou(rows, part.name.lower()) for part in Part) if iou is not None]
    return float(np.mean(known)) if known else None


MEASURES: tuple[Measure[PartsRow], ...] = (
    Measure("mean IoU", "unweighted mean over the parts, all pixels of all faces as one", _mean_iou),
    *(
        Measure(f"IoU {judged.name}", "all pixels of all faces as one", partial(_iou, name=judged.name))
        for judged in _CLASSES
    ),
)
