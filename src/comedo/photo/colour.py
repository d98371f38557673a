"""Colours into sRGB: at once where they already are, by curve and matrix, or by Little CMS."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from comedo.photo import icc
from comedo.photo.decoded import STRIP_ROWS
from comedo.types import Image

if TYPE_CHECKING:
    from PIL.ImageCms import ImageCmsTransform

Strip = NDArray[np.uint8]
Convert = Callable[[Strip], Strip]

# A profile that moves no colour further than this (in 8-bit levels) is sRGB under another name.
_SAME_LEVELS = 2
_UNREADABLE = "the colour profile could not be read; colours were taken as sRGB"


def to_srgb(image: Image, profile: bytes | None) -> tuple[str, ...]:
    """Convert an RGB picture to sRGB in place.

    Args:
        image: (H, W, 3) uint8 in the profile's colours; overwritten.
        profile: ICC profile; None means sRGB.

    Returns:
        What was done, for the photo's notices; empty if nothing was.
    """
    if profile is None:
        return ()
    convert = _conversion(profile)
    if convert is None:
        return (_UNREADABLE,)
    if convert is _keep:
        return ()
    for top in range(0, len(image), STRIP_ROWS):
        image[top : top + STRIP_ROWS] = convert(image[top : top + STRIP_ROWS])
    return ("the colour profile was converted to sRGB",)


def p3_to_srgb(image: Image) -> tuple[str, ...]:
    """Convert Display P3 that is named by a code instead of a profile, in place."""
    curve = icc.srgb_curve()
    convert = _by_matrix(icc.MatrixProfile((curve, curve, curve), icc.P3_TO_XYZ))
    for top in range(0, len(image), STRIP_ROWS):
        image[top : top + STRIP_ROWS] = convert(image[top : top + STRIP_ROWS])
    return ("Display P3 was converted to sRGB",)


def cmyk_to_rgb(inks: NDArray[np.uint8], profile: bytes | None) -> tuple[Image, str]:
    """Convert (H, W, 4) CMYK as JPEG files hold it (255: no ink, Adobe's convention) to sRGB."""
    out = np.empty((*inks.shape[:2], 3), np.uint8)
    convert = _by_little_cms(profile, "CMYK") if profile and icc.colour_space(profile) == "CMYK" else None
    for top in range(0, len(inks), STRIP_ROWS):
        strip = inks[top : top + STRIP_ROWS]
        if convert is not None:
            out[top : top + STRIP_ROWS] = convert(255 - strip)
        else:
            black = strip[..., 3:].astype(np.uint16)
            out[top : top + STRIP_ROWS] = (strip[..., :3] * black + 127) // 255
    how = "by its profile" if convert is not None else "without a profile: colours are rough"
    return out, f"CMYK was converted to sRGB {how}"


def _keep(strip: Strip) -> Strip:
    return strip


@lru_cache(maxsize=8)
def _conversion(profile: bytes) -> Convert | None:
    matrix = icc.read_matrix_profile(profile)
    if matrix is None:
        return _by_little_cms(profile, "RGB") if icc.colour_space(profile) == "RGB" else None
    convert = _by_matrix(matrix)
    steps = np.linspace(0, 255, 9).astype(np.uint8)
    cube = np.stack(np.meshgrid(steps, steps, steps), -1).reshape(1, -1, 3)
    moved = np.abs(convert(cube).astype(np.int16) - cube).max()
    return _keep if moved <= _SAME_LEVELS else convert


def _by_matrix(profile: icc.MatrixProfile) -> Convert:
    """Stored values to 16-bit linear light, matrix, back through the sRGB curve; beyond gamut is clipped."""
    linear = np.rint(np.stack(profile.curves, -1) * 65535).astype(np.uint16)[None]
    matrix = np.linalg.inv(icc.SRGB_TO_XYZ) @ profile.to_xyz
    encode = _srgb_encoding()

    def convert(strip: Strip) -> Strip:
        light = cv2.transform(cv2.LUT(strip, linear), matrix)
        return np.asarray(cv2.LUT(light, encode), np.uint8)

    return convert


@lru_cache(maxsize=1)
def _srgb_encoding() -> NDArray[np.uint8]:
    """(65536,) stored sRGB value of each 16-bit linear light."""
    light = np.arange(65536) / 65535.0
    return np.rint(255 * np.interp(light, icc.srgb_curve(), np.arange(256) / 255.0)).astype(np.uint8)


def _by_little_cms(profile: bytes, mode: str) -> Convert | None:
    from PIL import Image as Pil
    from PIL import ImageCms

    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        transform: ImageCmsTransform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None

    def convert(strip: Strip) -> Strip:
        size = (strip.shape[1], strip.shape[0])
        picture = Pil.frombuffer(mode, size, np.ascontiguousarray(strip), "raw", mode, 0, 1)
        return np.asarray(ImageCms.applyTransform(picture, transform))

    return convert
