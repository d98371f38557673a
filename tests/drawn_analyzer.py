"""An analyzer for tests that needs no network: it knows the drawn face."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from builders import make_analysis
from change_builders import PLACES, moved_face, spots
from comedo.errors import NoFaceFound
from comedo.types import FaceAnalysis, Photo


@dataclass
class DrawnAnalyzer:
    """Sees the drawn face in every photo that is not black, with as many lesions as its name says."""

    def analyze(self, photo: Photo, **_: Any) -> FaceAnalysis:
        if not photo.image.any():
            raise NoFaceFound("no face was found in the photo")
        lesions = spots(PLACES[: int(photo.name.split("-")[0])])
        return make_analysis(
            photo_name=photo.name, photo_sha256=photo.sha256, width=480, height=640, face=moved_face(), lesions=lesions
        )
