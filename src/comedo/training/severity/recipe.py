"""What a severity recipe says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from comedo.errors import UnusableInput
from comedo.training.backbones import BackboneName
from comedo.training.runner.augment import Augment
from comedo.training.runner.labelled import LabelledSet
from comedo.training.runner.plan import RunRecipe

HeadName = Literal["regression", "coral", "corn", "distribution"]


@dataclass(frozen=True, kw_only=True)
class Net:
    """Features of a picture network, then a few dense layers."""

    backbone: BackboneName = "mobilenet-v2"
    weights: str | None = None  # see `build_backbone`
    frozen: bool = False  # the backbone stays as it starts: pure transfer learning
    hidden: tuple[int, ...] = (1024, 512, 256)
    dropout: float = 0.2
    head: HeadName = "regression"  # coral and corn are ordinal, distribution has one probability a grade


@dataclass(frozen=True, kw_only=True)
class Patches:
    """Region patches."""

    side: int = 128  # pixels, a multiple of 32
    rolls: bool = True  # rolled copies, more of rarer grades
    jitter: float = 0.08  # how far edges of a patch move while learning, share of its size

    def __post_init__(self) -> None:
        if self.side % 32 or self.side < 32:
            raise UnusableInput(f"patches.side must be a multiple of 32, got {self.side}")


@dataclass(frozen=True, kw_only=True)
class SeverityRecipe(RunRecipe):
    """Grades of whole faces from patches of their regions."""

    task: ClassVar[str] = "severity"
    sets: tuple[LabelledSet, ...]
    grades: tuple[str, ...]  # names of the grades 0, 1, ...
    smoothing: float = 0.0  # of labels: standard deviation in grades; 0 for certainty
    votes: bool = True  # learn from several raters' votes where there are any
    net: Net = field(default_factory=Net)
    patches: Patches = field(default_factory=Patches)
    augment: Augment = field(default_factory=lambda: Augment(light=0.6, white_balance=0.5))

    def __post_init__(self) -> None:
        if len(self.grades) < 2:
            raise UnusableInput(f"severity needs two grades or more, got {list(self.grades)}")
        if self.augment.wants_faces:
            raise UnusableInput(
                "severity reads patches of skin: set augment.paste to 0 and augment.background to false"
            )
