"""Labelled photos as one value, whatever tool wrote them.

Places are in pixels of the upright photo: 0 is the outer edge of the first pixel. They are kept
to a thousandth of a pixel, so that no format's arithmetic (percent, width instead of right edge)
can change them on the way there and back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from comedo.training.data.bitmap import Bitmap
from comedo.types import Box, Xy

_FARTHEST = 1e6  # pixels from the corner: beyond it a number is no place on a photo


def place(value: float) -> float:
    """A coordinate as it is kept."""
    if not abs(value) < _FARTHEST:
        raise ValueError(f"a coordinate must be a number of pixels, got {value}")
    return round(float(value), 3) + 0.0  # no minus zero


def check_text(what: str, *texts: str | None) -> None:
    """Refuse names that a text file, XML or JSON would not give back as they are.

    Raises:
        ValueError: A text is empty, has spaces at its ends or characters that cannot be printed.
    """
    for text in texts:
        if text is not None and (not text or text != text.strip() or not text.isprintable()):
            raise ValueError(f"{what} must be printable text without spaces at its ends, got {text!r:.80}")


@dataclass(frozen=True)
class Rectangle:
    """An upright box; x1 and y1 are exclusive."""

    box_xyxy: Box

    def __post_init__(self) -> None:
        x0, y0, x1, y1 = (place(v) for v in self.box_xyxy)
        if not (x0 < x1 and y0 < y1):
            raise ValueError(f"a box must have x0 < x1 and y0 < y1, got {self.box_xyxy}")
        object.__setattr__(self, "box_xyxy", (x0, y0, x1, y1))

    @property
    def bounds_xyxy(self) -> Box:
        """The box itself."""
        return self.box_xyxy


@dataclass(frozen=True)
class Circle:
    """A disc; of radius 0 where only the centre was marked, as 148 lesions of ACNE04-v2 are."""

    center_xy: Xy
    radius_px: float

    def __post_init__(self) -> None:
        if not place(self.radius_px) >= 0:
            raise ValueError(f"a circle must have a radius of at least 0, got {self.radius_px}")
        object.__setattr__(self, "center_xy", (place(self.center_xy[0]), place(self.center_xy[1])))
        object.__setattr__(self, "radius_px", place(self.radius_px))

    @property
    def bounds_xyxy(self) -> Box:
        """The square around it."""
        (x, y), r = self.center_xy, self.radius_px
        return (place(x - r), place(y - r), place(x + r), place(y + r))


@dataclass(frozen=True)
class Polygon:
    """An outline of at least three corners, closed by itself."""

    points_xy: tuple[Xy, ...]

    def __post_init__(self) -> None:
        points = tuple((place(x), place(y)) for x, y in self.points_xy)
        x0, y0, x1, y1 = _around(points) if len(points) >= 3 else (0, 0, 0, 0)
        if not (x0 < x1 and y0 < y1):
            raise ValueError(f"a polygon must have three corners or more that span an area, got {points[:4]}")
        object.__setattr__(self, "points_xy", points)

    @property
    def bounds_xyxy(self) -> Box:
        """The box around the corners."""
        return _around(self.points_xy)


def _around(points: tuple[Xy, ...]) -> Box:
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    return (min(xs), min(ys), max(xs), max(ys))


Shape = Rectangle | Circle | Polygon | Bitmap
SHAPE_NAMES: Mapping[type, str] = {Rectangle: "box", Circle: "circle", Polygon: "polygon", Bitmap: "mask"}


@dataclass(frozen=True)
class Label:
    """One thing that somebody, or a model, marked on a photo."""

    category: str
    shape: Shape
    score: float | None = None  # of a model
    rater: str | None = None
    box_xyxy: Box | None = None  # a box drawn beside the shape, where it is not the one around it

    def __post_init__(self) -> None:
        check_text("a rater", self.rater)
        if self.box_xyxy is not None:
            box = Rectangle(self.box_xyxy).box_xyxy
            object.__setattr__(self, "box_xyxy", None if box == self.shape.bounds_xyxy else box)

    @property
    def bounds_xyxy(self) -> Box:
        """The box that was drawn, else the one around the shape."""
        return self.box_xyxy or self.shape.bounds_xyxy


@dataclass(frozen=True)
class Vote:
    """What one rater said of a whole photo; without a grade: looked at it, and gave none."""

    rater: str
    grade: int | None = None

    def __post_init__(self) -> None:
        check_text("a rater", self.rater)


@dataclass(frozen=True)
class Sample:
    """One photo and what is known of it.

    `labels` of `None` says that nobody looked; an empty tuple that somebody looked and found
    nothing. Labels are kept in the order of their raters, those of nobody first. Whoever marked a
    label has a vote, if one without a grade.
    """

    photo: str  # below the data set's folder, with / between folders
    labels: tuple[Label, ...] | None = ()
    width: int | None = None
    height: int | None = None
    person: str | None = None
    split: str | None = None
    grade: int | None = None
    votes: tuple[Vote, ...] = ()
    source: str | None = None  # name of the photo that this one is a version of

    def __post_init__(self) -> None:
        if (self.width is None) != (self.height is None):
            raise ValueError(f"{self.photo}: width and height are known together or not at all")
        if self.width is not None and self.height is not None and min(self.width, self.height) < 1:
            raise ValueError(f"{self.photo}: a photo has at least one pixel, got {self.width} x {self.height}")
        check_text(f"{self.photo}: a person, split or source", self.person, self.split, self.source)
        if self.labels is not None:
            object.__setattr__(self, "labels", tuple(sorted(self.labels, key=lambda label: label.rater or "")))
        raters = {label.rater: Vote(label.rater) for label in self.marks if label.rater is not None}
        votes = raters | {vote.rater: vote for vote in self.votes}
        object.__setattr__(self, "votes", tuple(votes[rater] for rater in sorted(votes)))
        beyond = next((m for m in self.marks if isinstance(m.shape, Bitmap) and not self._holds(m.shape)), None)
        if beyond is not None:
            raise ValueError(f"{self.photo}: a mask of {beyond.category!r} reaches beyond the photo")

    def _holds(self, bitmap: Bitmap) -> bool:
        x0, y0, x1, y1 = bitmap.bounds_xyxy
        return (
            min(x0, y0) >= 0 and (self.width is None or x1 <= self.width) and (self.height is None or y1 <= self.height)
        )

    @property
    def marks(self) -> tuple[Label, ...]:
        """The labels; none where nobody looked."""
        return self.labels or ()

    @property
    def identity(self) -> str:
        """Whom the photo shows: the person, else the photo that it is a version of, else itself."""
        return self.person or self.source or self.photo


@dataclass(frozen=True)
class Dataset:
    """Labelled photos below one folder."""

    samples: tuple[Sample, ...]
    categories: tuple[str, ...]
    folder: Path

    def __post_init__(self) -> None:
        check_text("a category", *self.categories)
        twice = [name for name, n in Counter(s.photo for s in self.samples).items() if n > 1]
        if twice:
            raise ValueError(f"each photo may be named once, {twice[0]} is named more often")
        unknown = {label.category for s in self.samples for label in s.marks} - set(self.categories)
        if unknown or len(set(self.categories)) != len(self.categories):
            raise ValueError(f"categories must be named once each; {self.categories} lack {sorted(unknown)}")

    def path_of(self, sample: Sample) -> Path:
        """Where the photo lies."""
        return self.folder / sample.photo

    @property
    def splits(self) -> tuple[str, ...]:
        """Names of the splits that occur."""
        return tuple(sorted({s.split for s in self.samples if s.split is not None}))
