"""From whatever holds a photo to a `Photo`: bytes, type by the first of them, pixels, upright, sRGB."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from comedo.errors import UnsupportedFormat, UnusableInput
from comedo.photo import exif, heic, jpeg, png, webp
from comedo.photo.arrays import photo_from_array
from comedo.photo.colour import to_srgb
from comedo.photo.decoded import Decoded
from comedo.photo.limits import DEFAULT_LIMITS, Limits
from comedo.types import Photo

Source = str | os.PathLike[str] | bytes | BinaryIO | NDArray[np.generic]

_DECODERS: dict[str, Callable[[bytes, Limits], Decoded]] = {
    "jpeg": jpeg.decode,
    "png": png.decode,
    "webp": webp.decode,
    "heic": heic.decode,
}
# First bytes of what people send instead of a photo, to say what came.
_KNOWN_OTHERS = (
    (b"GIF8", "a GIF"),
    (b"II*\0", "a TIFF or a raw photo"),
    (b"MM\0*", "a TIFF or a raw photo"),
    (b"BM", "a BMP"),
    (b"8BPS", "a Photoshop file"),
    (b"%PDF", "a PDF"),
    (b"PK\x03\x04", "a ZIP archive or an office document"),
    (b"\xff\x0a", "a JPEG XL"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL"),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000"),
    (b"<", "a web page, an SVG or another text"),
    (b"SIMPLE", "a FITS file"),
)


def sniff(data: bytes) -> str:
    """Return "jpeg", "png", "webp" or "heic" by the first bytes; names and declared types are never asked.

    Raises:
        UnsupportedFormat: If they are of nothing that comedo reads.
        UnusableInput: If there are none.
    """
    if not data:
        raise UnusableInput("a photo must hold bytes, this one is empty; transfer it again")
    if data.startswith(jpeg.SIGNATURE):
        return "jpeg"
    if data.startswith(png.SIGNATURE):
        return "png"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    what = next((name for start, name in _KNOWN_OTHERS if data.startswith(start)), "of an unknown type")
    if data[4:8] == b"ftyp":
        brands = {data[at : at + 4] for at in (8, *range(16, min(int.from_bytes(data[:4], "big"), 256), 4))}
        if brands & heic.BRANDS:
            return "heic"
        what = "an AVIF" if b"avif" in brands else "a video"
    elif data[128:132] == b"DICM":
        what = "a DICOM file"
    raise UnsupportedFormat(f"a photo must be JPEG, PNG, WebP or HEIC, this one is {what}; save it as JPEG or PNG")


def read_photo(source: Source, *, name: str | None = None, limits: Limits = DEFAULT_LIMITS) -> Photo:
    """Read one photo: upright, in sRGB, 8 bits a channel, each file decoded once.

    Args:
        source: A path, the file's bytes, a binary stream, or an array (see `photo_from_array`).
        name: What to call it; a path's or stream's file name otherwise.
        limits: What to refuse before anything is allocated.

    Returns:
        The photo; its `notices` say what was changed on the way. Its pixels are read-only.

    Raises:
        UnusableInput: Or one of its kinds, if it is no photo, damaged, too large or too small.
    """
    if isinstance(source, np.ndarray):
        return photo_from_array(source, name or "array", limits)
    if isinstance(source, (bytes, bytearray, memoryview)):
        data = bytes(source)
    elif isinstance(source, (str, os.PathLike)):
        name = name or Path(source).name
        data = _read_file(source, limits)
    elif hasattr(source, "read"):
        held = getattr(source, "name", None)
        name = name or (Path(held).name if isinstance(held, str) else None)
        data = _read_stream(source, limits)
    else:
        raise UnusableInput(f"a photo must be a path, bytes, a binary stream or an array, got {type(source).__name__}")
    limits.check_bytes(len(data))
    kind = sniff(data)
    decoded = _DECODERS[kind](data, limits)
    digest = hashlib.sha256(data).hexdigest()
    del data  # before a turned copy may be made
    notices = decoded.notices + to_srgb(decoded.image, decoded.icc)
    image = exif.upright(decoded.image, decoded.orientation)
    image.flags.writeable = False
    return Photo(image, name or "photo", digest, kind, notices)


def _read_file(path: str | os.PathLike[str], limits: Limits) -> bytes:
    shown = repr(os.fspath(path))
    try:
        # Not blocking: a named pipe must not hang us. Only a regular file has an end to wait for.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except FileNotFoundError as error:
        raise UnusableInput(f"there is no file {shown}; check the path (comedo reads local files)") from error
    except (OSError, ValueError) as error:
        raise UnusableInput(f"{shown} cannot be read: {error}; check its permissions and name") from error
    try:
        found = os.fstat(descriptor)
        if stat.S_ISDIR(found.st_mode):
            raise UnusableInput(f"a photo must be a file, {shown} is a folder; name a photo in it")
        if not stat.S_ISREG(found.st_mode):
            raise UnusableInput(f"a photo must be a regular file, {shown} is not; name the file itself")
        limits.check_bytes(found.st_size)
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return _read_stream(file, limits)
    finally:
        os.close(descriptor)


def _read_stream(stream: BinaryIO, limits: Limits) -> bytes:
    """Read to the end, but never more than one byte over the limit."""
    parts: list[bytes] = []
    left = limits.max_bytes + 1
    while left > 0:
        try:
            part = stream.read(left)
        except (OSError, ValueError) as error:
            raise UnusableInput(f"the stream cannot be read: {error}; open it again") from error
        if not part:
            break
        if not isinstance(part, bytes):
            raise UnusableInput(
                f"a stream must give bytes, this one gives {type(part).__name__}; open it in binary mode"
            )
        parts.append(part)
        left -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)
