"""What every recipe of the runner says: how long and how fast to learn, what to watch, what to export."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """How long and how fast to learn."""

    epochs: int
    per_step: int  # examples of one optimiser step, over all devices and machines
    steps: int | None = None  # of one epoch; null takes every example once
    optimizer: Literal["adamw", "adam", "sgd"] = "adamw"
    rate: float = 1e-3  # peak learning rate; falls by a cosine
    encoder_share: float = 1.0  # parameters named encoder.* learn at this share of it
    last_share: float = 0.02  # of the peak that is left in the end
    warmup: int = 20  # steps of rising learning rate
    weight_decay: float = 1e-2
    momentum: float = 0.9  # sgd only
    clip: float = 5.0  # largest norm of the gradient; 0 for any
    average: float = 0.0  # of a moving average of the weights, which is watched and shipped; 0 for none
    precision: Literal["bf16", "float32"] = "bf16"  # bf16: mixed precision
    seed: int = 17


@dataclass(frozen=True, kw_only=True)
class Watch:
    """Early stopping, on training people whom the network never learns from; the val split stays untouched."""

    share: float = 0.15  # of the training people; 0 learns from everybody and keeps the last epoch
    patience: int = 0  # epochs without a better loss after which the run ends; 0 for never


@dataclass(frozen=True, kw_only=True)
class Ship:
    """What the exported file looks like."""

    opset: int = 17
    largest_difference: float = 1e-3  # to torch: relative where an output exceeds 1
    terms: str = ""


@dataclass(frozen=True, kw_only=True)
class RunRecipe:
    """What every recipe needs to say; a task's own dataclass adds its keys.

    `task` opens the YAML and is the name in the registry.
    """

    task: ClassVar[str]
    description: str
    schedule: Schedule
    watch: Watch = field(default_factory=Watch)
    ship: Ship = field(default_factory=Ship)

    @property
    def exported(self) -> str:
        """Name of the exported network: of its file and in the manifest."""
        return self.task
