"""The photos of a recipe: a data set in any format that `comedo data convert` reads, each photo with its split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np

from comedo.errors import UnusableInput
from comedo.photo import read_photo
from comedo.training.data.convert import read_dataset
from comedo.training.data.dataset import Dataset, Sample
from comedo.training.data.files import photo_size
from comedo.training.data.split import Shares, split_people
from comedo.training.leaks import Member
from comedo.training.runner.augment import Pictured
from comedo.training.runner.faces import face_parts, map_faces
from comedo.types import Image

TRAIN, VAL = "train", "val"


@dataclass(frozen=True, kw_only=True)
class LabelledSet:
    """One data set below the data folder."""

    labels: str  # file or folder, as its format wants it
    photos: str | None = None  # folder where the photos' names start; by default the format's own place
    only: tuple[str, ...] = ()  # photos whose name starts so; none for all
    held_back: tuple[str, ...] = ()  # names, without folder and ending, of the val photos; the others become train
    val_share: float = 0.25  # of the people, where neither a split nor held_back is named
    split_seed: int = 0  # draws these people; not the schedule's seed, so that every seed is measured on the same ones
    at_most: int | None = None  # photos of train and val each, drawn by split_seed: a rehearsal
    prefix: str = ""  # before the names of people, so that those of two sets stay two


@dataclass(frozen=True, eq=False)
class LabelledPhoto:
    """One photo of a set."""

    sample: Sample
    path: Path
    person: str
    faces: Path | None = None  # folder of face maps, where they were asked for

    @property
    def name(self) -> str:
        """Its name in the set."""
        return self.sample.photo

    @property
    def split(self) -> str:
        """`train`, `val`, or another that is left out."""
        return self.sample.split or TRAIN

    def read(self) -> Image:
        """Its pixels, upright, (H, W, 3) uint8 RGB."""
        return read_photo(self.path).image

    def pictured(self) -> Pictured:
        """Its pixels with its labels and, where it was asked for and a face was found, its face map."""
        parts = None if self.faces is None else face_parts(self.path, self.faces)
        return Pictured(self.read(), self.sample, parts)


@dataclass(frozen=True, eq=False)
class OfPhoto:
    """An item of a recipe that is made of one photo: what the runner asks of it."""

    photo: LabelledPhoto

    @property
    def name(self) -> str:
        """The photo's."""
        return self.photo.name

    @property
    def person(self) -> str:
        """Whom it shows."""
        return self.photo.person

    @property
    def split(self) -> str:
        """`train` or `val`."""
        return self.photo.split

    def read(self) -> Image:
        """The photo, (H, W, 3) uint8 RGB."""
        return self.photo.read()


def open_sets(sets: Sequence[LabelledSet], root: Path, *, faces: Path | None = None) -> list[LabelledPhoto]:
    """The train and val photos of some sets with their sizes.

    Where a set names no split, the photos of `held_back` are val, else whole people drawn by its `split_seed`.

    Args:
        sets: Below `root`.
        root: The data folder.
        faces: Folder for face maps; `None` makes none.

    Raises:
        UnusableInput: Labels are absent or wrong, or no photo is left.
    """
    photos = [photo for one in sets for photo in _open(one, root)]
    if not photos:
        raise UnusableInput(f"there are no labelled photos in {root}; give the folder of the sets with --data")
    if faces is not None:
        map_faces([p.path for p in photos], faces)
        photos = [replace(p, faces=faces) for p in photos]
    return photos


def set_aside(sets: Sequence[LabelledSet], root: Path) -> list[Member]:
    """Photos of any other split than train and val, such as `test`: all of them, for the leak check alone.

    Raises:
        UnusableInput: Labels are absent or wrong.
    """
    return [member for one in sets for member in _others(one, root)]


def _others(one: LabelledSet, root: Path) -> list[Member]:
    dataset = _read(one, root)
    others = [s for s in dataset.samples if s.split not in (TRAIN, VAL, None)]
    photos = [LabelledPhoto(s, dataset.path_of(s), _person(s, one)) for s in others]
    return [Member(p.name, p.person, p.split, p.read) for p in photos]


def _open(one: LabelledSet, root: Path) -> list[LabelledPhoto]:
    dataset = _split(_read(one, root), one)
    kept = [s for split in (TRAIN, VAL) for s in _some([s for s in dataset.samples if s.split == split], one)]
    return [LabelledPhoto(_sized(s, dataset), dataset.path_of(s), _person(s, one)) for s in kept]


def _read(one: LabelledSet, root: Path) -> Dataset:
    dataset = read_dataset(root / one.labels, photos=None if one.photos is None else root / one.photos)
    chosen = [s for s in dataset.samples if not one.only or s.photo.startswith(one.only)]
    return replace(dataset, samples=tuple(chosen))


def _person(sample: Sample, one: LabelledSet) -> str:
    return f"{one.prefix}{sample.identity}"


def _split(dataset: Dataset, one: LabelledSet) -> Dataset:
    if one.held_back:
        return replace(dataset, samples=tuple(replace(s, split=_side(s, one)) for s in dataset.samples))
    if dataset.splits or not dataset.samples:
        return dataset
    if one.val_share <= 0:
        return replace(dataset, samples=tuple(replace(s, split=TRAIN) for s in dataset.samples))
    return split_people(dataset, Shares({TRAIN: 1 - one.val_share, VAL: one.val_share}), seed=one.split_seed)


def _side(sample: Sample, one: LabelledSet) -> str:
    """By the names of `held_back`, whatever the labels say, but never into training what they keep out of it."""
    if sample.split is not None and sample.split not in (TRAIN, VAL):
        return sample.split
    return VAL if PurePosixPath(sample.photo).stem in one.held_back else TRAIN


def _some(samples: Sequence[Sample], one: LabelledSet) -> list[Sample]:
    """At most so many of the samples as the set allows; files are often in the order of their grades."""
    drawn = np.random.default_rng(one.split_seed).permutation(len(samples))[: one.at_most]
    return [samples[k] for k in sorted(drawn.tolist())]


def _sized(sample: Sample, dataset: Dataset) -> Sample:
    if sample.width is not None:
        return sample
    width, height = photo_size(dataset.path_of(sample))
    return replace(sample, width=width, height=height)
