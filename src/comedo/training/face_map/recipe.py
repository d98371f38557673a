"""What a face-map recipe says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from comedo.training.face_map.crops import FacePlan
from comedo.training.unet_task import UNetRecipe


@dataclass(frozen=True)
class FaceData:
    """Where the landmarks lie, below the data folder; they name the photos."""

    landmarks: str = "landmarks.npz"


@dataclass(frozen=True, kw_only=True)
class FaceRecipe(UNetRecipe):
    """The parts of faces."""

    task: ClassVar[str] = "face-map"
    data: FaceData = field(default_factory=FaceData)
    crops: FacePlan = field(default_factory=FacePlan)
