"""Photos of a detector's recipe, and the crops that it learns from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from comedo.errors import UnusableInput
from comedo.geometry import sample_crop
from comedo.training.augmentation.paste import Patch
from comedo.training.augmentation.regions import FACE_PARTS, draw_fill, mask_of_parts
from comedo.training.data.dataset import Sample
from comedo.training.detection.parts import PixelBox, cut_part, cut_sample, move_part, part_boxes
from comedo.training.detection.recipe import CropPlan, DetectorRecipe
from comedo.training.runner.augment import Pictured, change_light, change_places, patches_of
from comedo.training.runner.contract import Arrays, Examples
from comedo.training.runner.faces import face_parts
from comedo.training.runner.labelled import LabelledPhoto, OfPhoto
from comedo.types import Image, Region

_DONORS = 150  # photos that lesions to paste are cut from


@dataclass(frozen=True, eq=False)
class BoxPhoto(OfPhoto):
    """One photo, or the picture of one part of its face, with boxes of the recipe's types."""

    types: tuple[str, ...]
    part: Region | None = None
    box: PixelBox | None = None  # of the part in the photo

    @property
    def name(self) -> str:
        """The photo's, and the part's where it is one."""
        return self.photo.name if self.part is None else f"{self.photo.name} {self.part}"

    def picture(self) -> Pictured:
        """Its pixels with its labels and, where the recipe wants it, its face map."""
        picture = self.photo.pictured()
        return picture if self.box is None else cut_part(picture, self.box)

    def jittered(self, rng: np.random.Generator, jitter: float) -> Pictured:
        """The same to learn from: the edges of a part lie elsewhere each time, as face maps err."""
        if self.box is None:
            return self.picture()
        picture = self.photo.pictured()
        height, width = picture.image.shape[:2]
        return cut_part(picture, move_part(rng, self.box, jitter, (width, height)))

    def read(self) -> Image:
        """Its pixels, (H, W, 3) uint8 RGB."""
        return self.photo.read() if self.box is None else self.picture().image

    def truth(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Its boxes (G, 4) and their types (G,)."""
        sample = self.photo.sample
        return boxes_of(sample if self.box is None else cut_sample(sample, self.box), self.types)


def open_boxes(photos: Sequence[LabelledPhoto], types: tuple[str, ...], parts: Sequence[Region]) -> list[BoxPhoto]:
    """The pictures of photos on which somebody looked for lesions."""
    looked = [photo for photo in photos if photo.sample.labels is not None]
    return [picture for photo in looked for picture in pictures_of(photo, types, parts)]


def pictures_of(photo: LabelledPhoto, types: tuple[str, ...], parts: Sequence[Region]) -> list[BoxPhoto]:
    """The photo; where parts are named, one picture of each that is seen, and none without a face."""
    if not parts:
        return [BoxPhoto(photo, types)]
    assert photo.faces is not None
    boxes = part_boxes(face_parts(photo.path, photo.faces), parts)
    return [BoxPhoto(photo, types, part, box) for part, box in boxes.items()]


def boxes_of(sample: Sample, types: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Boxes (G, 4) in the photo's pixels and types (G,) of the labels whose category is one of `types`."""
    known = [(label.bounds_xyxy, types.index(label.category)) for label in sample.marks if label.category in types]
    known = [(box, number) for box, number in known if box[0] < box[2] and box[1] < box[3]]  # not those of radius 0
    boxes = np.array([box for box, _ in known], np.float64).reshape(-1, 4)
    return boxes, np.array([number for _, number in known], np.int64)


def check_types(photos: Sequence[LabelledPhoto], types: Sequence[str]) -> None:
    """Refuse types that no training photo shows.

    Raises:
        UnusableInput: A type never occurs, or is named twice.
    """
    seen = {label.category for p in photos if p.split == "train" for label in p.sample.marks}
    absent = [t for t in types if t not in seen]
    if absent or not types or len(set(types)) != len(types):
        raise UnusableInput(
            "types must be categories that are marked on training photos, each once; "
            f"got {', '.join(types) or 'none'}, the photos have {', '.join(sorted(seen)) or 'none'}"
        )


def without_background(picture: Pictured, rng: np.random.Generator) -> Image:
    """The photo with grey outside the face; as it is where no face is known."""
    if picture.parts is None:
        return picture.image
    return draw_fill(rng, grey=True).apply(picture.image, mask_of_parts(picture.parts, FACE_PARTS))


@dataclass(frozen=True)
class CropDraw:
    """Where a training picture is cut from: a square of whole pixels of the photo, brought to `size` pixels."""

    left: int
    top: int
    side: int
    size: int

    def image(self, photo: Image) -> Image:
        """The crop; black outside the photo."""
        square = (self.left, self.top, self.left + self.side, self.top + self.side)
        return sample_crop(photo, square, (self.size, self.size))

    def boxes(self, boxes: NDArray[np.float64], least_seen: float) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Boxes in the crop's pixels, cut at its edges; and which of all they are."""
        moved = (boxes - np.array([self.left, self.top] * 2)) * (self.size / self.side)
        cut = np.clip(moved, 0, self.size)
        seen, whole = ((b[:, 2:] - b[:, :2]).prod(1) for b in (cut, moved))
        kept = (seen > 0) & (seen >= least_seen * whole)
        return cut[kept].astype(np.float32), kept


def draw_crop(
    rng: np.random.Generator, plan: CropPlan, size_wh: tuple[int, int], boxes: NDArray[np.float64], longest: int
) -> CropDraw:
    """Draw a scale around the serving one and a place: near a lesion, or anywhere on the photo."""
    width, height = size_wh
    zoom = longest / max(width, height) * float(np.exp(rng.uniform(*np.log(plan.zoom))))
    side = max(1, round(plan.size / zoom))
    if len(boxes) and rng.random() < plan.on_lesion:
        x0, y0, x1, y1 = boxes[int(rng.integers(len(boxes)))]
        x, y = (x0 + x1) / 2 + rng.uniform(-0.4, 0.4) * side, (y0 + y1) / 2 + rng.uniform(-0.4, 0.4) * side
    else:
        x, y = rng.uniform(0, width), rng.uniform(0, height)
    return CropDraw(_start(x, side, width), _start(y, side, height), side, plan.size)


def _start(middle: float, side: int, length: int) -> int:
    """Where a crop begins along one axis: inside the photo, or around a photo that is smaller."""
    return round(float(np.clip(middle - side / 2, min(0, length - side), max(0, length - side))))


@dataclass(frozen=True, eq=False)
class Crops:
    """Draws training pictures; what each is depends on the random numbers it is given alone."""

    recipe: DetectorRecipe
    photos: Sequence[BoxPhoto]
    patches: Sequence[Patch]
    learning: bool

    def draw(self, index: int, rng: np.random.Generator) -> Arrays:
        """`image` (size, size, 3) uint8, `boxes` (G, 4) float32 and `types` (G,)."""
        recipe, photo = self.recipe, self.photos[index % len(self.photos)]
        picture = photo.jittered(rng, recipe.crops.part_jitter) if self.learning else photo.picture()
        if self.learning:
            picture = change_places(recipe.augment, picture, rng, patches=self.patches)
        elif recipe.augment.background:
            picture = Pictured(without_background(picture, rng), picture.sample)
        boxes, types = boxes_of(picture.sample, photo.types)
        size_wh = (picture.image.shape[1], picture.image.shape[0])
        crop = draw_crop(rng, recipe.crops, size_wh, boxes, recipe.serve.longest)
        image = crop.image(picture.image)
        cut, kept = crop.boxes(boxes, recipe.crops.least_seen)
        image = change_light(recipe.augment, image, rng) if self.learning else image
        return {"image": image, "boxes": cut, "types": types[kept]}


def crops_of(recipe: DetectorRecipe, photos: Sequence[BoxPhoto], *, learning: bool) -> Examples:
    """Crops of photos, `recipe.repeats` of each an epoch."""
    patches: Sequence[Patch] = ()
    if learning and recipe.augment.paste > 0:
        donors = list({p.photo.path: p.photo for p in photos}.values())
        order = np.random.default_rng(recipe.schedule.seed).permutation(len(donors))[:_DONORS]
        patches = patches_of([donors[i].pictured() for i in order])
    return Examples(len(photos) * recipe.repeats, Crops(recipe, photos, patches, learning).draw)


def pad(examples: Sequence[Mapping[str, NDArray[np.generic]]]) -> dict[str, NDArray[np.generic]]:
    """Examples as one batch; rows without a box have type -1."""
    most = max((len(e["types"]) for e in examples), default=0)
    boxes = np.zeros((len(examples), most, 4), np.float32)
    types = np.full((len(examples), most), -1, np.int64)
    for row, example in enumerate(examples):
        boxes[row, : len(example["types"])] = example["boxes"]
        types[row, : len(example["types"])] = example["types"]
    return {"image": np.stack([e["image"] for e in examples]), "boxes": boxes, "types": types}
