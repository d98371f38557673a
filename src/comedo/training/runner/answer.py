"""What a run says of photos that nobody labelled, and what may be asked of it beside the photos."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from comedo.errors import UnusableInput
from comedo.training.data.dataset import Label, Shape
from comedo.training.runner.labelled import LabelledPhoto
from comedo.types import Mask

_MEANT_FOR = {
    "way": "detectors",
    "cut_off": "detectors, lesion masks and affected or not",
    "without_face": "severity and affected or not",
}


@dataclass(frozen=True)
class Use:
    """How the network of a run is put to use."""

    metrics: Mapping[str, Any]  # figures that the run measured, by section of its report
    input_words: str  # what it takes, as its manifest says
    way: str | None = None  # one of `Way`; by default the recipe's first
    cut_off: float | None = None  # instead of those of the run
    without_face: bool = False  # answer from the whole photo where no face is found, as in training

    def allow(self, task: str, *options: str) -> None:
        """Refuse what a task has no use for.

        Raises:
            UnusableInput: An option that is not among `options` was given.
        """
        for option, whom in _MEANT_FOR.items():
            given = getattr(self, option)
            if given is not None and given is not False and option not in options:
                raise UnusableInput(f"--{option.replace('_', '-')} is for {whom}; a run of {task} goes without it")


@dataclass(frozen=True, eq=False)
class Answer:
    """What a network says of one photo, or of one series."""

    sentence: str  # for people
    values: Mapping[str, Any]  # plain values by names with their units; None is unknown
    notices: tuple[str, ...] = ()
    labels: tuple[Label, ...] = ()  # of the lesions found, where the task marks them
    mask: Mask | None = None  # (H, W) of lesions, where the task makes one


@dataclass(frozen=True)
class Answering:
    """A run that is ready to answer.

    `ask` takes one photo or, of `series`, those of one person in order of time. It raises NoFaceFound where one is
    needed, and UnusableInput for photos that it cannot answer.
    """

    ask: Callable[[Sequence[LabelledPhoto]], Answer]
    series: bool = False
    categories: tuple[str, ...] = ()  # of its labels; none where it marks no lesions
    shape: type[Shape] | None = None  # and what they are drawn as
