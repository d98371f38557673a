"""The two things read from EXIF: which way is up and, for a series of photos, when it was taken."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from datetime import datetime

import cv2
import numpy as np

from comedo.types import Image

_ORIENTATION_TAG = 0x0112
_DATE_TAG, _EXIF_FOLDER_TAG, _TAKEN_TAG = 0x0132, 0x8769, 0x9003
_SHORT, _LONG, _ASCII = 3, 4, 2
# Where an EXIF block starts in a JPEG, a PNG, a WebP or a HEIC.
_BLOCK = re.compile(rb"(?:Exif\0\0|eXIf|EXIF.{4})(?:Exif\0\0)?(?=II\*\0|MM\0\*)", re.S)


def orientation(tiff: bytes) -> int:
    """Return the orientation (1 to 8) from an EXIF block that starts with its TIFF header.

    A block that is damaged or silent means 1: a photo is never refused for its metadata.
    Source: EXIF 2.32, 4.5.2 (TIFF header and IFD0).
    """
    tiff = tiff.removeprefix(b"Exif\0\0")
    order = _byte_order(tiff)
    if order is None:
        return 1
    for tag, kind, count, at in _entries(tiff, order, struct.unpack_from(order + "I", tiff, 4)[0]):
        if tag == _ORIENTATION_TAG:
            (value,) = struct.unpack_from(order + "H", tiff, at)
            return int(value) if kind == _SHORT and count == 1 and 1 <= value <= 8 else 1
    return 1


def taken(data: bytes) -> datetime | None:
    """When a photo was taken by its file, local time; None where the file does not say or says nonsense.

    DateTimeOriginal before DateTime: programs that save a photo again may change the second.
    """
    block = _BLOCK.search(data)
    tiff = b"" if block is None else data[block.end() : block.end() + (1 << 16)]
    order = _byte_order(tiff)
    if order is None:
        return None
    found: dict[int, str] = {}
    folders = [int(struct.unpack_from(order + "I", tiff, 4)[0])]
    while folders:
        for tag, kind, count, at in _entries(tiff, order, folders.pop()):
            if tag == _EXIF_FOLDER_TAG and kind == _LONG and not found.get(tag):
                found[tag] = "once"  # a file must not lead us in circles
                folders.append(int(struct.unpack_from(order + "I", tiff, at)[0]))
            elif tag in (_DATE_TAG, _TAKEN_TAG) and kind == _ASCII and count >= 19:
                start = int(struct.unpack_from(order + "I", tiff, at)[0])
                found[tag] = tiff[start : start + 19].decode("ascii", "replace")
    for tag in (_TAKEN_TAG, _DATE_TAG):
        try:
            return datetime.strptime(found.get(tag, ""), "%Y:%m:%d %H:%M:%S")  # noqa: DTZ007 - cameras know no zone
        except ValueError:
            continue
    return None


def _byte_order(tiff: bytes) -> str | None:
    return None if len(tiff) < 8 else {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])


def _entries(tiff: bytes, order: str, start: int) -> Iterator[tuple[int, int, int, int]]:
    """Tag, type, count and the place of the value of each entry of the folder at `start`."""
    if start + 2 > len(tiff):
        return
    (entries,) = struct.unpack_from(order + "H", tiff, start)
    for at in range(start + 2, min(start + 2 + 12 * entries, len(tiff) - 11), 12):
        tag, kind, count = struct.unpack_from(order + "HHI", tiff, at)
        yield int(tag), int(kind), int(count), at + 8


def upright(image: Image, orientation: int) -> Image:
    """Turn stored pixels upright; flips happen in place, quarter turns make a new array."""
    match orientation:
        case 2:
            turned = cv2.flip(image, 1, dst=image)
        case 3:
            turned = cv2.flip(image, -1, dst=image)
        case 4:
            turned = cv2.flip(image, 0, dst=image)
        case 5:
            turned = cv2.transpose(image)
        case 6:
            turned = cv2.rotate(image, cv2.ROTATE_90_CLOCKWISE)
        case 7:
            turned = cv2.transpose(image)
            turned = cv2.flip(turned, -1, dst=turned)
        case 8:
            turned = cv2.rotate(image, cv2.ROTATE_90_COUNTERCLOCKWISE)
        case _:
            return image
    return np.asarray(turned, np.uint8)
