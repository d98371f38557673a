"""YOLO: data.yaml with class names, one text file of labels for each photo, lists of photos by split.

A line is `class cx cy width height` or `class x1 y1 x2 y2 x3 y3 ...`, all as shares of the photo.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import yaml

from comedo.training.data.dataset import Dataset, Label, Polygon, Rectangle, Sample
from comedo.training.data.files import (
    BadAnnotations,
    CannotCarry,
    check_labels,
    photo_size,
    photos_below,
    read_bytes,
    read_lines,
    row,
    safe_name,
)
from comedo.training.data.formats.base import Format, Origin

LIST, PHOTOS, LABELS = "data.yaml", "images", "labels"
_NOT_SPLITS = ("path", "names", "nc", "download")
_NO_SPLIT = "unsplit"


def read_yolo(origin: Origin) -> Dataset:
    """Read a folder with data.yaml, labels/ and the photos in images/.

    Raises:
        BadAnnotations: data.yaml or a label file breaks a rule, or a photo's size cannot be read.
    """
    root = origin.path
    home = origin.photos or root / PHOTOS
    table = _read_yaml(root / LIST)
    names = _names(table.get("names"), root / LIST)
    photos = _photos(table, root, home)
    samples = [_read(root, home, photo, split, names, origin.sizes) for photo, split in photos.items()]
    with row(str(root)):
        return Dataset(tuple(samples), tuple(names.values()), home)


def _read_yaml(path: Path) -> Mapping[str, object]:
    try:
        found = yaml.safe_load(read_bytes(path))
    except (yaml.YAMLError, RecursionError) as error:
        raise BadAnnotations(f"{path} is no YAML: {error}") from error
    if not isinstance(found, dict):
        raise BadAnnotations(f"{path} must hold keys such as names and train")
    return found


def _names(found: object, path: Path) -> dict[int, str]:
    pairs = dict(enumerate(found)) if isinstance(found, list) else found
    if not isinstance(pairs, dict) or not all(isinstance(k, int) for k in pairs):
        raise BadAnnotations(f"{path}: names must list the classes, got {found!r:.80}")
    return {key: str(pairs[key]) for key in sorted(pairs)}


def _photos(table: Mapping[str, object], root: Path, home: Path) -> dict[str, str | None]:
    """Photos below images/ with their split, from lists and folders; every photo where none is named."""
    photos: dict[str, str | None] = {}
    for split, place in table.items():
        if split in _NOT_SPLITS or not isinstance(place, str):
            continue
        name = safe_name(place, f"{root / LIST}: {split}")
        if name.endswith(".txt"):
            lines = [line.strip() for line in read_lines(root / name)]
            found = [_below(line, f"{root / name}: line {n}") for n, line in enumerate(lines, 1) if line]
        else:
            inside = "" if name == PHOTOS else f"{_below(name + '/x', str(root / LIST))[:-2]}/"
            if not (home / inside).is_dir():
                raise BadAnnotations(f"{root / LIST}: {split}: there is no folder {home / inside} with photos")
            found = [f"{inside}{p}" for p in photos_below(home / inside)]
        photos |= dict.fromkeys(found, None if split == _NO_SPLIT else split)
    return photos or dict.fromkeys(photos_below(home))


def _below(line: str, where: str) -> str:
    parts = PurePosixPath(safe_name(line.removeprefix("./"), where)).parts
    return "/".join(parts[1:] if parts[0] == PHOTOS and len(parts) > 1 else parts)


def _read(
    root: Path,
    home: Path,
    photo: str,
    split: str | None,
    names: Mapping[int, str],
    sizes: Mapping[str, tuple[int, int]],
) -> Sample:
    width, height = sizes.get(photo) or photo_size(home / photo)
    path = root / LABELS / Path(photo).with_suffix(".txt")
    labels = []
    for number, line in enumerate(read_lines(path) if path.exists() else [], 1):
        where = f"{path}: line {number}"
        if not line.strip():
            continue
        with row(where):
            labels.append(_label(line.split(), names, width, height))
    return Sample(photo, check_labels(labels, str(path)), width, height, split=split)


def _label(words: list[str], names: Mapping[int, str], width: int, height: int) -> Label:
    number, numbers = int(words[0]), [float(w) for w in words[1:]]
    if number not in names:
        raise ValueError(f"class {number} has no name in {LIST}")
    if len(numbers) == 4:
        x, y, w, h = numbers
        left, top = (x - w / 2) * width, (y - h / 2) * height
        return Label(names[number], Rectangle((left, top, left + w * width, top + h * height)))
    if len(numbers) < 6 or len(numbers) % 2:
        raise ValueError(f"a line holds a class and 4 numbers, or the corners of a polygon; got {len(words)} words")
    points = zip(numbers[::2], numbers[1::2], strict=True)
    return Label(names[number], Polygon(tuple((x * width, y * height) for x, y in points)))


def write_yolo(dataset: Dataset, path: Path) -> None:
    """Write data.yaml, lists of photos by split and labels/; the photos belong into images/.

    Raises:
        CannotCarry: A photo's size is unknown, or two photos differ in their ending only.
    """
    numbers = {name: n for n, name in enumerate(dataset.categories)}
    lists: dict[str, list[str]] = {}
    written: set[Path] = set()
    path.mkdir(parents=True, exist_ok=True)
    for sample in dataset.samples:
        target = path / LABELS / Path(sample.photo).with_suffix(".txt")
        if target in written:
            raise CannotCarry(f"YOLO names label files without their ending: two photos are called {sample.photo!r}")
        written.add(target)
        lists.setdefault(_split_name(sample), []).append(f"./{PHOTOS}/{sample.photo}\n")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text("".join(_line(label, numbers, sample) for label in sample.marks), encoding="utf-8")
    for split, lines in lists.items():
        (path / f"{split}.txt").write_text("".join(lines), encoding="utf-8")
    table = {"path": ".", **{split: f"{split}.txt" for split in lists}, "names": dict(enumerate(dataset.categories))}
    (path / LIST).write_text(yaml.safe_dump(table, sort_keys=False, allow_unicode=True), encoding="utf-8")


def _split_name(sample: Sample) -> str:
    split = sample.split or _NO_SPLIT
    if split in _NOT_SPLITS or not split.isidentifier() or (sample.split == _NO_SPLIT):
        raise CannotCarry(f"YOLO keeps a split as a key and a file of its name, which {split!r} cannot be; rename it")
    return split


def _line(label: Label, numbers: Mapping[str, int], sample: Sample) -> str:
    if sample.width is None or sample.height is None:
        raise CannotCarry(f"YOLO wants shares of the photo's size, that of {sample.photo} is unknown")
    w, h = sample.width, sample.height
    if isinstance(label.shape, Polygon):
        values = [v for x, y in label.shape.points_xy for v in (x / w, y / h)]
    else:
        x0, y0, x1, y1 = label.shape.bounds_xyxy
        values = [(x0 + x1) / 2 / w, (y0 + y1) / 2 / h, (x1 - x0) / w, (y1 - y0) / h]
    return " ".join([str(numbers[label.category]), *(f"{v:.12f}" for v in values)]) + "\n"


YOLO = Format(
    "yolo",
    "a folder with data.yaml, labels/NAME.txt and lists of photos by split; boxes and polygons",
    (Rectangle, Polygon),
    frozenset({"split", "categories"}),
    folder=True,
    read=read_yolo,
    write=write_yolo,
)
