"""What the shipped networks say of labelled photos, kept raw, so that cut-offs can be fitted to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from comedo.errors import NoFaceFound
from comedo.geometry import apply, scale_of
from comedo.lesions.finder import measure_peaks
from comedo.lesions.network import Canvas
from comedo.lesions.peaks import Peaks, find_peaks
from comedo.pipeline import Analyzer
from comedo.training.lesion_map.data import LesionPhoto
from comedo.types import FaceMap, Photo

_FLOOR = 0.05  # centre probability below which a candidate is not kept


@dataclass(frozen=True, eq=False)
class Reading:
    """One labelled photo and every candidate found on it, best first."""

    truth: LesionPhoto
    width: int  # of the photo, pixels
    face: FaceMap
    circles: NDArray[np.float32]  # (N, 3) x, y, radius in photo pixels
    peaks: Peaks
    redness: NDArray[np.float64]  # (N,), NaN where there is no skin around to compare with
    canvas: Canvas | None  # kept for photos with hand-made masks


def read_all(analyzer: Analyzer, photos: Sequence[LesionPhoto]) -> tuple[list[Reading], list[LesionPhoto]]:
    """Run both networks over labelled photos.

    Returns:
        The readings, and the photos on which no face was found.
    """
    readings, faceless = [], []
    for truth in track(photos, description="reading photos"):
        photo = Photo(truth.read(), truth.name, "", "jpeg")
        try:
            face = analyzer.mapper.find(photo)
        except NoFaceFound:
            faceless.append(truth)
            continue
        readings.append(read_one(analyzer, truth, photo, face))
    return readings, faceless


def read_one(analyzer: Analyzer, truth: LesionPhoto, photo: Photo, face: FaceMap) -> Reading:
    """Candidates of one photo whose face is mapped."""
    canvas = analyzer.finder.look(photo, face)
    peaks = find_peaks(canvas.maps, canvas.face, floor=_FLOOR)
    evidence = measure_peaks(canvas, peaks, None)
    centres = apply(canvas.to_photo, peaks.xy.astype(np.float64))
    radius = peaks.radius * scale_of(canvas.to_photo)
    return Reading(
        truth=truth,
        width=photo.width,
        face=face,
        circles=np.concatenate([centres, radius[:, None]], 1).astype(np.float32),
        peaks=peaks,
        redness=np.array([np.nan if e.redness is None else e.redness for e in evidence], np.float64),
        canvas=None if truth.mask_path is None else canvas,
    )
