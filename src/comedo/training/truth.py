"""Labelled photos to evaluate on: a COCO file, or a folder of pictures with masks."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from pydantic import BaseModel, Field, ValidationError

from comedo.errors import UnusableInput
from comedo.types import Group, Image

DEFAULT_TYPES: Mapping[str, Group] = {
    "acne": Group.NON_INFLAMMATORY,
    "pimple": Group.INFLAMMATORY,
    "spot": Group.MARK,
}
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


class _CocoImage(BaseModel):
    id: int
    file_name: str
    split: str | None = None
    group: int | str | None = None
    photo: str | None = None
    grade: int | None = Field(default=None, ge=0, le=3)
    lesions_labelled: bool = True


class _CocoLesion(BaseModel):
    image_id: int
    category_id: int
    bbox: tuple[float, float, float, float]
    circle: tuple[float, float, float] | None = None


class _CocoCategory(BaseModel):
    id: int
    name: str


class _Coco(BaseModel):
    images: list[_CocoImage]
    annotations: list[_CocoLesion]
    categories: list[_CocoCategory]


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
        folder: Where `file_name` starts.
        split: Evaluate images of this split; `None` for all.
        only: Evaluate images whose `file_name` starts so.
        types: Category name to group, used where the file has several categories.

    Raises:
        UnusableInput: The file is no COCO file, a category has no group, nothing is chosen.
    """
    try:
        coco = _Coco.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise UnusableInput(f"{path} is not a COCO file of images, annotations and categories: {error}") from error
    groups = _groups_of(coco.categories, types, path)
    rows: dict[int, list[_CocoLesion]] = {}
    for lesion in coco.annotations:
        rows.setdefault(lesion.image_id, []).append(lesion)
    chosen: list[LabelledPhoto] = []
    elsewhere: list[LabelledPhoto] = []
    for image in coco.images:
        if not image.file_name.startswith(only):
            continue
        photo = LabelledPhoto(
            path=folder / image.file_name,
            name=image.file_name,
            scale=image.file_name.split("/")[0] if "/" in image.file_name else "photos",
            group=str(image.group if image.group is not None else image.photo or image.file_name),
            lesions=_lesions(rows.get(image.id, []), groups) if image.lesions_labelled else None,
            grade=image.grade,
        )
        (chosen if split is None or image.split == split else elsewhere).append(photo)
    if not chosen:
        raise UnusableInput(f"{path} has no images of split {split!r} that start with {only!r}")
    return Truth(tuple(chosen), tuple(elsewhere))


def _groups_of(categories: Sequence[_CocoCategory], types: Mapping[str, Group], path: Path) -> dict[int, Group] | None:
    if len(categories) < 2:
        return None
    unknown = [c.name for c in categories if c.name not in types]
    if unknown:
        raise UnusableInput(f"{path}: name the group of the categories {unknown} with --types, as in acne=inflammatory")
    return {c.id: types[c.name] for c in categories}


def _lesions(rows: Sequence[_CocoLesion], groups: Mapping[int, Group] | None) -> TrueLesions:
    boxes = np.asarray([r.bbox for r in rows], np.float64).reshape(-1, 4)
    circles = [r.circle or (x + w / 2, y + h / 2, (w + h) / 4) for r in rows for x, y, w, h in [r.bbox]]
    return TrueLesions(
        circles=np.asarray(circles, np.float32).reshape(-1, 3),
        boxes=np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], 1),
        groups=None if groups is None else tuple(groups[r.category_id] for r in rows),
    )


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
