"""Pictures that are already in memory."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comedo.errors import UnusableInput
from comedo.photo.decoded import ALPHA_NOTICE, DEEP_NOTICE, STRIP_ROWS, flatten, to_uint8
from comedo.photo.limits import Limits
from comedo.types import Image, Photo


def photo_from_array(array: NDArray[Any], name: str, limits: Limits) -> Photo:
    """Take an upright sRGB picture.

    Args:
        array: (H, W), (H, W, 1), (H, W, 3) RGB or (H, W, 4) RGBA. uint8 from 0 to 255, uint16
            from 0 to 65535, or floating point from 0 to 1; the range is agreed, never guessed.
        name: What to call the photo.
        limits: Limits on its size.

    Returns:
        The photo. A uint8 RGB array is used as it is, without a copy: do not write into it afterwards.
    """
    channels = 1 if array.ndim == 2 else array.shape[-1] if array.ndim == 3 else 0
    if channels not in (1, 3, 4):
        raise UnusableInput(
            f"an array must be (H, W), (H, W, 1), (H, W, 3) RGB or (H, W, 4) RGBA, this one is {array.shape}; "
            "put the channels last"
        )
    limits.check_size(array.shape[1], array.shape[0])
    _check_range(array)
    notices: tuple[str, ...] = (DEEP_NOTICE,) if array.dtype == np.uint16 else ()
    if channels == 4:
        image, transparent = flatten(array, blue_first=False)
        notices += (ALPHA_NOTICE,) if transparent else ()
    else:
        image = _to_rgb(array)
    image = image.view()
    image.flags.writeable = False
    digest = hashlib.sha256(f"{image.shape}".encode())
    digest.update(image.data)
    return Photo(image, name, digest.hexdigest(), "array", notices)


def _check_range(array: NDArray[Any]) -> None:
    if array.dtype in (np.uint8, np.uint16):
        return
    if not np.issubdtype(array.dtype, np.floating):
        raise UnusableInput(
            f"an array must be uint8, uint16 or floating point in [0, 1], this one is {array.dtype}; convert it first"
        )
    low, high = float(array.min()), float(array.max())
    if not (low >= 0 and high <= 1):  # also catches NaN
        raise UnusableInput(
            f"a floating point array must lie in [0, 1], this one goes from {low:g} to {high:g}; divide it by its range"
        )


def _to_rgb(array: NDArray[Any]) -> Image:
    if array.dtype == np.uint8 and array.ndim == 3 and array.shape[2] == 3:
        return np.ascontiguousarray(array)
    out = np.empty((*array.shape[:2], 3), np.uint8)
    grey = array.reshape(*array.shape[:2], -1)
    for top in range(0, len(out), STRIP_ROWS):
        out[top : top + STRIP_ROWS] = to_uint8(grey[top : top + STRIP_ROWS])
    return out
