"""The one thing read from EXIF: which way is up."""

from __future__ import annotations

import struct

import cv2
import numpy as np

from comedo.types import Image

_ORIENTATION_TAG = 0x0112
_SHORT = 3


def orientation(tiff: bytes) -> int:
    """Return the orientation (1 to 8) from an EXIF block that starts with its TIFF header.

    A block that is damaged or silent means 1: a photo is never refused for its metadata.
    Source: EXIF 2.32, 4.5.2 (TIFF header and IFD0).
    """
    tiff = tiff.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None or len(tiff) < 8:
        return 1
    (start,) = struct.unpack_from(order + "I", tiff, 4)
    if start + 2 > len(tiff):
        return 1
    (entries,) = struct.unpack_from(order + "H", tiff, start)
    for at in range(start + 2, min(start + 2 + 12 * entries, len(tiff) - 11), 12):
        tag, kind, count, value = struct.unpack_from(order + "HHIH", tiff, at)
        if tag == _ORIENTATION_TAG:
            return int(value) if kind == _SHORT and count == 1 and 1 <= value <= 8 else 1
    return 1


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
