"""Reading files that others wrote: sizes, paths, JSON and XML are checked before they are believed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TypeVar
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring
from PIL import Image as PillowImage
from pydantic import BaseModel, ValidationError

from comedo.errors import UnusableInput
from comedo.photo.limits import DEFAULT_LIMITS
from comedo.training.data.dataset import Label

MAX_BYTES = 512 * 2**20  # of one annotation file
MAX_LABELS = 20_000  # on one photo
MAX_PIXELS = DEFAULT_LIMITS.max_pixels
PICTURES = (".jpg", ".jpeg", ".png", ".webp")
_PILLOW_FORMATS = ("JPEG", "PNG", "WEBP")
UNREADABLE = (OSError, ValueError, SyntaxError, PillowImage.DecompressionBombError)  # what Pillow raises on bad files
_TURNED = (5, 6, 7, 8)  # EXIF orientations that swap width and height
_ORIENTATION_TAG = 0x0112
_ODD = re.compile(r"[\x00-\x1f\x7f]|^[A-Za-z]:")

Model = TypeVar("Model", bound=BaseModel)


class BadAnnotations(UnusableInput):
    """An annotation file breaks a rule; the message names the file and the row."""

    code = "bad_annotations"


class CannotCarry(UnusableInput):
    """The format has no place for something that the data set holds."""

    code = "cannot_carry"


def read_bytes(path: Path) -> bytes:
    """A whole annotation file.

    Raises:
        BadAnnotations: It is absent, no regular file, or too large.
    """
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise BadAnnotations(f"{path} must be a file, it is a folder or a device")
        if size > MAX_BYTES:
            raise BadAnnotations(f"{path} has {size:,} bytes, at most {MAX_BYTES:,} are read; split it")
        return path.read_bytes()
    except OSError as error:
        raise BadAnnotations(f"{path} cannot be read: {error.strerror or error}") from error


def read_json(path: Path, model: type[Model], what: str) -> Model:
    """A JSON file as a checked value; `what` says what it should have been."""
    try:
        return model.model_validate_json(read_bytes(path))
    except ValidationError as error:
        first = error.errors()[0]
        row = ".".join(str(part) for part in first["loc"]) or "the document"
        raise BadAnnotations(f"{path} is not {what}: {row}: {first['msg']}") from error


def read_xml(path: Path) -> Element:
    """The root of an XML file; entities, external references and document types are refused."""
    try:
        root: Element = fromstring(read_bytes(path).decode("utf-8-sig"), forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise BadAnnotations(f"{path} is no XML that can be read safely: {error}") from error
    return root


def read_lines(path: Path) -> list[str]:
    """Lines of a text file."""
    try:
        return read_bytes(path).decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise BadAnnotations(f"{path} must be UTF-8 text: {error.reason} at byte {error.start}") from error


def safe_name(name: str, where: str) -> str:
    """A photo's name as it is kept: relative, with / between folders, never leaving its folder."""
    if not name or len(name) > 1000 or _ODD.search(name) or "\\" in name:
        raise BadAnnotations(f"{where}: a photo's name must be a plain relative path, got {name[:80]!r}")
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.name:
        raise BadAnnotations(f"{where}: a photo's name must stay inside its folder, got {name[:80]!r}")
    return str(path)


@contextmanager
def row(where: str) -> Iterator[None]:
    """Say in which file and row a value was wrong."""
    try:
        yield
    except BadAnnotations as error:
        if where in str(error):
            raise
        raise BadAnnotations(f"{where}: {error}") from error
    except (ValueError, KeyError, OverflowError) as error:
        what = f"lacks {error}" if isinstance(error, KeyError) else str(error)
        raise BadAnnotations(f"{where}: {what}") from error


def check_labels(labels: list[Label], where: str) -> tuple[Label, ...]:
    """The labels of one photo; refused where they are more than anybody marks."""
    if len(labels) > MAX_LABELS:
        raise BadAnnotations(f"{where}: {len(labels):,} labels on one photo, at most {MAX_LABELS:,} are read")
    return tuple(labels)


def check_size(width: int, height: int, where: str) -> None:
    """Refuse a photo's stated size that no photo has, before anything is allocated by it."""
    if width < 1 or height < 1 or width * height > MAX_PIXELS:
        raise BadAnnotations(f"{where}: a photo of {width} x {height} pixels; at most {MAX_PIXELS:,} in all are read")


def photo_size(path: Path) -> tuple[int, int]:
    """Width and height of a photo once upright, from its header alone.

    Raises:
        BadAnnotations: There is no such photo, or it is none.
    """
    try:
        with PillowImage.open(path, formats=_PILLOW_FORMATS) as picture:
            width, height = picture.size
            turned = picture.getexif().get(_ORIENTATION_TAG) in _TURNED
    except UNREADABLE as error:
        raise BadAnnotations(f"{path}: the photo's size is needed and it cannot be read: {error}") from error
    check_size(width, height, str(path))
    return (height, width) if turned else (width, height)


def photos_below(folder: Path) -> list[str]:
    """Names of the photos in a folder and the folders inside it, in order; links are not followed."""
    found = (p for p in folder.rglob("*") if p.suffix.lower() in PICTURES and p.is_file() and not p.is_symlink())
    return sorted(p.relative_to(folder).as_posix() for p in found)


def check_there(paths: Iterable[Path]) -> None:
    """Say now which file is absent, rather than when it is drawn.

    Raises:
        FileNotFoundError: The first of them that is not there.
    """
    absent = next((path for path in paths if not path.exists()), None)
    if absent is not None:
        raise FileNotFoundError(f"there is no {absent}")
