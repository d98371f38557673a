"""Everything that the audit and training want to know of the photos' pixels, each file read once."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from comedo.errors import UnusableInput
from comedo.photo import read_photo
from comedo.training.charts.bars import tracked
from comedo.training.data.fingerprints import Fingerprint, fingerprint
from comedo.types import Image

_MAKE, _MODEL = 0x010F, 0x0110  # EXIF tags of the camera
_RING = 0.12  # of each side: the frame that the background figures come from


@dataclass(frozen=True, eq=False)
class PhotoLook:
    """One photo's bytes, pixels and camera, as figures."""

    sha256: str
    fingerprint: Fingerprint
    file: NDArray[np.float64]  # FILE_FIGURES
    background: NDArray[np.float64]  # of the outer ring: mean and spread of each channel, and of each side


FILE_FIGURES = ("width", "height", "aspect", "bytes per pixel", "JPEG table sum", "camera", "progressive")


def look_at(path: Path) -> PhotoLook:
    """Read one photo.

    Raises:
        UnusableInput: It cannot be read.
    """
    photo = read_photo(path)
    return PhotoLook(
        sha256=photo.sha256,
        fingerprint=fingerprint(photo.image),
        file=_file_figures(path, photo.width, photo.height),
        background=_background(photo.image),
    )


def look_at_all(paths: Iterable[Path]) -> tuple[list[PhotoLook | None], list[str]]:
    """Read many photos; those that cannot be read are `None`, and named with the reason."""
    looks: list[PhotoLook | None] = []
    unread: list[str] = []
    for path in tracked(list(paths), "photos"):
        try:
            looks.append(look_at(path))
        except UnusableInput as error:
            looks.append(None)
            unread.append(f"{path.name}: {error}")
    return looks, unread


def _file_figures(path: Path, width: int, height: int) -> NDArray[np.float64]:
    tables, camera, progressive = _header(path)
    # The camera's name is hashed at once: it serves as a number and is never written anywhere.
    number = int(hashlib.sha256(camera.encode()).hexdigest()[:6], 16) / 2**24 if camera else -1.0
    size = path.stat().st_size / (width * height)
    table = float(sum(sum(values) for values in tables.values()))
    return np.array([width, height, width / height, size, table, number, float(progressive)])


def _header(path: Path) -> tuple[dict[int, list[int]], str, bool]:
    """Quantisation tables, camera and whether it is progressive; nothing where a header cannot be understood."""
    try:
        with PillowImage.open(path, formats=("JPEG", "PNG", "WEBP")) as picture:
            exif = picture.getexif()
            camera = f"{exif.get(_MAKE, '')} {exif.get(_MODEL, '')}".strip()
            return getattr(picture, "quantization", None) or {}, camera, bool(picture.info.get("progressive"))
    except (OSError, ValueError, SyntaxError, struct.error):
        return {}, "", False


def _background(image: Image) -> NDArray[np.float64]:
    small = cv2.resize(image, (96, 96), interpolation=cv2.INTER_AREA).astype(np.float64)
    edge = round(96 * _RING)
    sides = (small[:edge], small[:, :edge], small[:, -edge:], small[-edge:])
    return np.concatenate([np.concatenate([s.mean((0, 1)), s.std((0, 1))]) for s in sides])
