"""An analyzer that needs no network: it sees the drawn face in every photo."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from builders import make_analysis
from change_builders import PLACES, moved_face, spots
from comedo.errors import NoFaceFound, PoorPhoto
from comedo.types import Coverage, FaceAnalysis, Photo


@dataclass
class AnyFace:
    """Finds the drawn face in 480 x 640 pixels, with as many lesions as asked; a black photo has no face."""

    lesions: int = 4
    poor: bool = False

    def analyze(self, photo: Photo, *, allow_poor: bool = False, convention: str = "visible") -> FaceAnalysis:
        if not photo.image.any():
            raise NoFaceFound("no face was found in the photo")
        if self.poor and not allow_poor:
            raise PoorPhoto("the photo is too poor to be measured: Come closer.")
        face, lesions = moved_face(), spots(PLACES[: self.lesions])
        mask = np.zeros((photo.height, photo.width), np.uint8)
        for lesion in lesions:
            x, y = (round(v) for v in lesion.center_xy)
            cv2.circle(mask, (x, y), round(lesion.diameter_px / 2), 1, -1)
        plain = make_analysis()
        return replace(
            plain,
            photo_name=photo.name,
            photo_sha256=photo.sha256,
            width=photo.width,
            height=photo.height,
            face=face,
            lesions=lesions,
            lesion_mask=mask.astype(bool),
            counts=replace(plain.counts, convention=convention, total=len(lesions)),
            coverage=Coverage(int(mask.sum()), face.skin_area_px),
        )
