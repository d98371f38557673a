"""What a recipe of the acne-affected classifier says."""

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
    """Features of a picture network and one logit."""

    backbone: BackboneName = "mobilenet-v2"
    weights: str | None = None  # see `build_backbone`
    dropout: float = 0.3


@dataclass(frozen=True, kw_only=True)
class View:
    """What of a photo the network sees."""

    side: int = 448  # pixels of the square around the face, a multiple of 32
    grow: float = 1.05  # of the square over the face's box
    masked: bool = True  # everything but skin that acne affects becomes grey; wants a face map either way

    def __post_init__(self) -> None:
        if self.side % 32 or self.side < 32:
            raise UnusableInput(f"view.side must be a multiple of 32, got {self.side}")


@dataclass(frozen=True, kw_only=True)
class AffectedRecipe(RunRecipe):
    """Affected or not, from lesions that somebody marked."""

    task: ClassVar[str] = "affected"
    sets: tuple[LabelledSet, ...]
    categories: tuple[str, ...] = ()  # of lesions that are acne; none for all
    least: int = 1  # such lesions from which a photo counts as affected
    net: Net = field(default_factory=Net)
    view: View = field(default_factory=View)
    augment: Augment = field(default_factory=lambda: Augment(light=0.7, white_balance=0.7))
    rotate_deg: float = 8.0
    zoom: tuple[float, float] = (0.92, 1.08)
    threshold: float = 0.5  # probability, as if half of the photos were affected, from which one is called affected

    def __post_init__(self) -> None:
        if self.augment.wants_faces:
            raise UnusableInput(
                "the classifier masks photos itself: set augment.paste to 0 and augment.background to false"
            )
