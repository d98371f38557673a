"""A series of faces as the training keeps it: small pictures in one file, and what is known of them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from comedo.report.whole_file import write_whole
from comedo.training.sequence.framing import COLOURS
from comedo.types import Image

_LEAST_SEEN = 3  # lesions in sight by which a changed series must differ
_STEADY, _STEADY_SHARE = 2, 0.2  # and by which a steady one may

Frames = NDArray[np.uint8]  # (T, side, side, 3 or 4) RGB and, if they are drawn, lesions


class Course(IntEnum):
    """How the skin went from the first photo to the last."""

    WORSE = 0
    SAME = 1
    BETTER = 2

    @property
    def backwards(self) -> Course:
        """The course of the series read from its end."""
        return Course(2 - self)


class Sort(StrEnum):
    """What a series is for: itself, or one that nothing may be concluded from."""

    SERIES = "series"
    NOISE = "noise"
    STRANGER = "stranger"
    SHUFFLED = "shuffled"


@dataclass(frozen=True)
class Series:
    """One series; `loads` are the active lesions in sight in each photo, where they are known."""

    name: str
    person: str
    split: str
    source: str
    course: Course
    path: Path
    loads: tuple[int, ...] | None = None
    sort: Sort = Sort.SERIES

    def frames(self) -> Frames:
        """The faces in their order."""
        found: Frames = np.load(self.path)
        return found

    def read(self) -> Image:
        """The first face."""
        return self.face(0)

    def face(self, index: int) -> Image:
        """The colours of one face, (side, side, 3)."""
        return np.asarray(self.frames()[index][..., :COLOURS], np.uint8)


def shows(course: Course, loads: Sequence[int]) -> bool:
    """Whether the lesions in sight went that way: a turned head hides some, other days bring others."""
    more = loads[-1] - loads[0]
    if course is Course.SAME:
        return abs(more) <= max(_STEADY, _STEADY_SHARE * max(loads))
    return more >= _LEAST_SEEN if course is Course.WORSE else -more >= _LEAST_SEEN


def fingerprint(paths: Sequence[Path]) -> str:
    """Names what was made of some files, by their content in order; whoever reads them says which is absent."""
    mark = hashlib.sha256()
    for path in paths:
        mark.update(hashlib.sha256(path.read_bytes() if path.is_file() else b"").digest())
    return mark.hexdigest()[:12]


def save_frames(path: Path, frames: Sequence[Image]) -> Path:
    """Write the faces of a series, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = BytesIO()
    np.save(content, np.stack(frames))
    return write_whole(path, [content.getvalue()])


def write_note(path: Path, text: str) -> None:
    """Keep what was found beside the faces."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, [text.encode()])
