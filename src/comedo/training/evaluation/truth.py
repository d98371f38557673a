"""Labelled photos to evaluate on: a COCO file, or a folder of pictures with masks."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from comedo.errors import UnusableInput
from comedo.training.data.dataset import Circle, Label
from comedo.training.data.formats.base import Origin
from comedo.training.data.formats.coco import read_coco as load_coco
from comedo.types import Group, Image

DEFAULT_TYPES: Mapping[str, Group] = {
    "acne": Group.NON_INFLAMMATORY,
    "pimple": Group.INFLAMMATORY,
    "spot": Group.MARK,
}
_GRADES = range(4)
_PICTURES = {".jpg", ".jpeg", ".png", ".webp"}


@dataclass(frozen=True, eq=False)
class TrueLesions:
    """Lesions marked by people: circles (N, 3) x, y, radius and boxes (N, 4) x0, y0, x1, y1.

    `groups` is `None` where the file has one category only: all active, of no known group.
    """

    circles: NDArray[np.float32]
    boxes: NDArray[np.float64]
    groups: tuple[Group, ...] | None = None

    def choose(self, wanted: Collection[Group]) -> TrueLesions:
        """The lesions of some groups; all of them where groups are unknown and active ones wanted."""
        if self.groups is None:
            keep = np.full(len(self.circles), Group.INFLAMMATORY in wanted)
            return TrueLesions(self.circles[keep], self.boxes[keep])
        keep = np.array([g in wanted for g in self.groups], np.bool_)
        return TrueLesions(self.circles[keep], self.boxes[keep], tuple(g for g in self.groups if g in wanted))


@dataclass(frozen=True, eq=False)
class LabelledPhoto:
    """One photo of an evaluation with what is known of it."""

    path: Path
    name: str
    scale: str  # the folder it came from: its scale of input
    group: str  # the person
    lesions: TrueLesions | None = None
    grade: int | None = None
    labels_path: Path | None = None
    split: str | None = None  # None where the file names none

    def read(self) -> Image:
        """The picture, (H, W, 3) uint8 RGB."""
        image = cv2.imread(str(self.path), cv2.IMREAD_COLOR_RGB)
        if image is None:
            raise UnusableInput(f"cannot read the photo {self.path}")
        return np.asarray(image, np.uint8)

    def read_labels(self) -> NDArray[np.uint8]:
        """The mask or label map, (H, W) uint8: the stored values, also of palette pictures."""
        if self.labels_path is None:
            raise UnusableInput(f"{self.name} has no mask")
        with PillowImage.open(self.labels_path) as picture:
            values = np.asarray(picture if picture.mode in ("P", "L", "1") else picture.convert("L"))
        return values.astype(np.uint8) * (255 if values.dtype == np.bool_ else 1)


@dataclass(frozen=True)
class Truth:
    """Photos to evaluate on, and what the other split says for the baselines."""

    photos: tuple[LabelledPhoto, ...]
    elsewhere: tuple[LabelledPhoto, ...] = ()  # of the same file, not evaluated: means and majorities


def read_coco(
    path: Path, folder: Path, *, split: str | None, only: str = "", types: Mapping[str, Group] = DEFAULT_TYPES
) -> Truth:
    """Read a COCO file of lesions.

    Args:
        path: The file; an image may carry `split`, `group`, `photo`, `grade` and
            `lesions_labelled`, an annotation a `circle` (else one is taken from its box).
            Everything that it may hold: `comedo.training.data.formats.coco`.
        folder: Where `file_name` starts.
        split: Evaluate images of this split; `None` for all.
        only: Evaluate images whose `file_name` starts so.
        types: Category name to group, used where the file has several categories.

    Raises:
        UnusableInput: The file is no COCO file, a category has no group, nothing is chosen.
    """
    dataset = load_coco(Origin(path, folder))
    groups = _groups_of(dataset.categories, types, path)
    chosen: list[LabelledPhoto] = []
    elsewhere: list[LabelledPhoto] = []
    for sample in dataset.samples:
        if not sample.photo.startswith(only):
            continue
        if sample.grade is not None and sample.grade not in _GRADES:
            raise UnusableInput(f"{path}, {sample.photo}: grade must be 0 to 3, as in ACNE04, got {sample.grade}")
        photo = LabelledPhoto(
            path=dataset.path_of(sample),
            name=sample.photo,
            scale=sample.photo.split("/")[0] if "/" in sample.photo else "photos",
            group=sample.identity,
            lesions=None if sample.labels is None else _lesions(sample.labels, groups),
            grade=sample.grade,
            split=sample.split,
        )
        (chosen if split is None or sample.split == split else elsewhere).append(photo)
    if not chosen:
        raise UnusableInput(f"{path} has no images of split {split!r} that start with {only!r}")
    return Truth(tuple(chosen), tuple(elsewhere))


def _groups_of(categories: Sequence[str], types: Mapping[str, Group], path: Path) -> Mapping[str, Group] | None:
    if len(categories) < 2:
        return None
    unknown = [name for name in categories if name not in types]
    if unknown:
        raise UnusableInput(f"{path}: name the group of the categories {unknown} with --types, as in acne=inflammatory")
    return types


def _lesions(labels: Sequence[Label], groups: Mapping[str, Group] | None) -> TrueLesions:
    return TrueLesions(
        circles=np.asarray([_circle(label) for label in labels], np.float32).reshape(-1, 3),
        boxes=np.asarray([label.bounds_xyxy for label in labels], np.float64).reshape(-1, 4),
        groups=None if groups is None else tuple(groups[label.category] for label in labels),
    )


def _circle(label: Label) -> tuple[float, float, float]:
    if isinstance(label.shape, Circle):
        return (*label.shape.center_xy, label.shape.radius_px)
    x0, y0, x1, y1 = label.bounds_xyxy
    return ((x0 + x1) / 2, (y0 + y1) / 2, (x1 - x0 + y1 - y0) / 4)


def pictures_in(folder: Path) -> list[Path]:
    """Pictures of a folder by name."""
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in _PICTURES)


def read_folder(folder: Path, *, names: Collection[str] = ()) -> Truth:
    """Read images/ with masks/ of the same names, or a folder of photos without labels.

    Args:
        folder: Holds `images` and `masks`, or the photos themselves.
        names: Evaluate these files only, named without their ending; empty for all.

    Raises:
        UnusableInput: A photo has no mask, a name has no photo, or there are no photos.
    """
    labelled = (folder / "masks").is_dir()
    paths = pictures_in(folder / "images" if labelled else folder)
    absent = set(names) - {p.stem for p in paths}
    if absent:
        raise UnusableInput(f"{folder} has no photos named {sorted(absent)}")
    paths = [p for p in paths if not names or p.stem in names]
    masks = {p.stem: p for p in pictures_in(folder / "masks")} if labelled else {}
    unlabelled = [p.name for p in paths if labelled and p.stem not in masks]
    if unlabelled:
        raise UnusableInput(f"{folder / 'masks'} has no mask for {unlabelled[0]} ({len(unlabelled)} in all)")
    if not paths:
        raise UnusableInput(f"{folder} has no JPEG, PNG or WebP photos")
    return Truth(tuple(LabelledPhoto(p, p.name, folder.name, p.stem, labels_path=masks.get(p.stem)) for p in paths))
