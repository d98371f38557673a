"""The recipe of a detector."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from comedo.errors import UnusableInput
from comedo.training.detection.plan import DetectorPlan
from comedo.training.detection.serve import MULTIPLE, ServePlan
from comedo.training.detection.ways import Way
from comedo.training.runner.augment import Augment
from comedo.training.runner.labelled import LabelledSet
from comedo.training.runner.plan import RunRecipe
from comedo.types import Region

_MOST_JITTER = 0.3  # of a part's size: beyond, two edges could leave little between them


@dataclass(frozen=True, kw_only=True)
class CropPlan:
    """How training pictures are cut out of photos that were brought to `serve.longest`."""

    size: int = 256  # side in pixels, a multiple of 32
    zoom: tuple[float, float] = (0.8, 1.25)  # log-uniform around the serving scale
    on_lesion: float = 0.7  # share of crops near a lesion; the others lie anywhere
    least_seen: float = 0.5  # share of a box that must be in the crop; boxes cut further are left out
    part_jitter: float = 0.0  # how far edges of a part move while learning, share of its size; wants `parts`

    def __post_init__(self) -> None:
        if not 0 <= self.part_jitter <= _MOST_JITTER:
            raise UnusableInput(f"crops.part_jitter must lie in 0 to {_MOST_JITTER}, got {self.part_jitter}")
        if self.size < MULTIPLE or self.size % MULTIPLE:
            raise UnusableInput(f"crops.size must be a multiple of {MULTIPLE}, got {self.size}")


@dataclass(frozen=True, kw_only=True)
class DetectorRecipe(RunRecipe):
    """A detector of any number of types."""

    task: ClassVar[str] = "detector"
    sets: tuple[LabelledSet, ...]
    types: tuple[str, ...]  # categories of the labels that are learnt; others are left out
    detector: DetectorPlan = field(default_factory=DetectorPlan)
    parts: tuple[Region, ...] = ()  # of the face, each a picture of its own; none for whole photos; wants face maps
    pretrained: str | None = None  # ImageNet weights of the backbone below the data folder
    crops: CropPlan = field(default_factory=CropPlan)
    augment: Augment = field(default_factory=Augment)
    serve: ServePlan = field(default_factory=ServePlan)
    ways: tuple[Way, ...] = (Way.WHOLE,)  # measured one beside the other
    repeats: int = 1  # crops of each photo in one epoch

    @property
    def wants_faces(self) -> bool:
        """Whether face maps are needed."""
        return bool(self.parts) or self.augment.wants_faces
