"""What a format is: which shapes and facts it holds, how it is read and written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from comedo.training.data.dataset import Dataset, Shape


@dataclass(frozen=True)
class Origin:
    """Where annotations are read from."""

    path: Path
    photos: Path | None = None  # where the photos' names start; by default the format's own place
    sizes: Mapping[str, tuple[int, int]] = field(default_factory=dict)  # known width and height of photos


@dataclass(frozen=True)
class Format:
    """One annotation format.

    `carries` names the facts that it holds by itself, of `FACTS`; all others go to the sidecar.
    """

    name: str
    about: str
    shapes: tuple[type[Shape], ...]
    carries: frozenset[str]
    folder: bool  # a folder of files, else one file
    read: Callable[[Origin], Dataset]
    write: Callable[[Dataset, Path], None]


FACTS = frozenset(
    {"person", "split", "grade", "votes", "source", "size", "unseen", "score", "rater", "box", "categories"}
)
