"""What a lesion segmentation recipe says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from comedo.errors import UnusableInput
from comedo.training.backbones import BackboneName
from comedo.training.runner.augment import Augment
from comedo.training.runner.labelled import LabelledSet
from comedo.training.runner.plan import RunRecipe


@dataclass(frozen=True, kw_only=True)
class Net:
    """The U-Net."""

    backbone: BackboneName = "efficientnet-b1"
    weights: str | None = None  # see `build_backbone`
    widths: tuple[int, int, int, int] = (128, 64, 32, 16)  # decoder channels at strides 16, 8, 4, 2


@dataclass(frozen=True, kw_only=True)
class Crops:
    """What of a photo is learnt from at a time."""

    photo_side: int = 512  # longer side that every photo is brought to, in training and use
    size: int = 512  # side of a crop, a multiple of 32
    zoom: tuple[float, float] = (0.8, 1.25)  # log-uniform
    rotate_deg: float = 20.0
    on_lesion: float = 0.5  # share of crops centred near a lesion; the others lie anywhere

    def __post_init__(self) -> None:
        if self.size % 32 or self.size < 32:
            raise UnusableInput(f"crops.size must be a multiple of 32, got {self.size}")


@dataclass(frozen=True, kw_only=True)
class SegmentationRecipe(RunRecipe):
    """Lesion masks of one class."""

    task: ClassVar[str] = "lesion-segmentation"
    sets: tuple[LabelledSet, ...]
    categories: tuple[str, ...] = ()  # that are lesions; none for all
    net: Net = field(default_factory=Net)
    crops: Crops = field(default_factory=Crops)
    augment: Augment = field(default_factory=Augment)
    dice: float = 1.0  # weight of the Dice loss
    cross_entropy: float = 0.0  # weight of pixelwise cross entropy
    threshold: float = 0.5  # probability from which a pixel is lesion
    least_area: float = 8.0  # pixels, at photo_side, of the smallest patch that is counted as a lesion

    def __post_init__(self) -> None:
        if self.dice <= 0 and self.cross_entropy <= 0:
            raise UnusableInput("a segmentation recipe needs a loss: set dice or cross_entropy above 0")
