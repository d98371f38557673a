"""Mask folders: masks/NAME.png for each photo in images/; every connected patch of one value is one lesion.

With one category any value from 128 on is lesion; with several, classes.txt names the values 1, 2, ...
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from comedo.training.data.bitmap import Bitmap, bitmap_of
from comedo.training.data.dataset import Dataset, Label, Sample
from comedo.training.data.files import (
    UNREADABLE,
    BadAnnotations,
    CannotCarry,
    check_labels,
    check_size,
    photos_below,
    read_lines,
    row,
    safe_name,
)
from comedo.training.data.formats.base import Format, Origin

PHOTOS, MASKS, CLASSES = "images", "masks", "classes.txt"
_LESION, _THRESHOLD = 255, 128
_TOUCHING = 8  # pixels that share a corner are one patch


def read_masks(origin: Origin) -> Dataset:
    """Read a folder of masks; photos without one are those on which nobody looked.

    Raises:
        BadAnnotations: There is no mask, or one cannot be read or holds an unnamed value.
    """
    root = origin.path
    home = origin.photos or root / PHOTOS
    classes = root / CLASSES
    names = [n.strip() for n in read_lines(classes) if n.strip()] if classes.exists() else ["acne"]
    stems = {safe_name(n, str(root))[:-4]: n for n in photos_below(root / MASKS) if n.endswith(".png")}
    if not stems:
        raise BadAnnotations(f"{root} holds no masks {MASKS}/NAME.png")
    photos = {n.rsplit(".", 1)[0]: n for n in photos_below(home)} if home.is_dir() else {}
    samples = []
    for stem in sorted(stems | photos):
        photo = photos.get(stem, f"{stem}.png")
        if stem not in stems:
            samples.append(Sample(photo, None))
            continue
        path = root / MASKS / stems[stem]
        with row(str(path)):
            values = _read(path)
            labels = check_labels(_labels(values, names), str(path))
        samples.append(Sample(photo, labels, values.shape[1], values.shape[0]))
    with row(str(root)):
        return Dataset(tuple(samples), tuple(names), home)


def _read(path: Path) -> NDArray[np.uint8]:
    """The stored values (H, W), also of palette pictures."""
    try:
        with PillowImage.open(path, formats=("PNG",)) as picture:
            check_size(*picture.size, str(path))
            values = np.asarray(picture if picture.mode in ("P", "L", "1") else picture.convert("L"))
    except UNREADABLE as error:
        raise ValueError(f"the mask cannot be read: {error}") from error
    return values.astype(np.uint8) * np.uint8(255 if values.dtype == np.bool_ else 1)


def _labels(values: NDArray[np.uint8], names: Sequence[str]) -> list[Label]:
    if len(names) == 1:
        values = np.where(values >= _THRESHOLD, 1, 0).astype(np.uint8)
    if values.max() > len(names):
        raise ValueError(f"value {values.max()} has no name in {CLASSES}, which names {len(names)}")
    found = []
    for number, name in enumerate(names, 1):
        count, patches = cv2.connectedComponents((values == number).astype(np.uint8), connectivity=_TOUCHING)
        found += [Label(name, bitmap_of(np.asarray(patches == patch))) for patch in range(1, count)]
    return found


def write_masks(dataset: Dataset, path: Path) -> None:
    """Write masks/NAME.png, and classes.txt where there are several categories.

    Raises:
        CannotCarry: Masks of one photo overlap, touch or lie in pieces, so that they would not be
            told apart again; a size is unknown; or two photos differ in their ending only.
    """
    (path / MASKS).mkdir(parents=True, exist_ok=True)
    (path / CLASSES).write_text("".join(f"{name}\n" for name in dataset.categories), encoding="utf-8")
    written: set[Path] = set()
    for sample in dataset.samples:
        if sample.labels is None:
            continue
        target = path / MASKS / Path(sample.photo).with_suffix(".png")
        if target in written:
            raise CannotCarry(f"masks are named without the photo's ending: two photos are called {sample.photo!r}")
        written.add(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        done, data = cv2.imencode(".png", _paint(sample, dataset.categories))
        assert done
        target.write_bytes(data.tobytes())


def _paint(sample: Sample, categories: Sequence[str]) -> NDArray[np.uint8]:
    if sample.width is None or sample.height is None:
        raise CannotCarry(f"a mask has the size of its photo, that of {sample.photo} is unknown")
    values = np.zeros((sample.height, sample.width), np.uint8)
    for label in sample.marks:
        assert isinstance(label.shape, Bitmap)
        inside = label.shape.full(sample.height, sample.width)
        number = _LESION if len(categories) == 1 else categories.index(label.category) + 1
        if values[inside].any():
            raise CannotCarry(f"{sample.photo}: two masks overlap, one picture cannot hold both; use COCO or CVAT")
        values[inside] = number
    if len(_labels(values, categories)) != len(sample.marks):
        raise CannotCarry(f"{sample.photo}: masks that touch, or lie in pieces, cannot be told apart; use COCO or CVAT")
    return values


MASK_FOLDER = Format(
    "masks",
    "a folder with masks/NAME.png, one value a category; masks",
    (Bitmap,),
    frozenset({"size", "categories"}),
    folder=True,
    read=read_masks,
    write=write_masks,
)
