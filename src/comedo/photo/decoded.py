"""What each format's decoder hands back, and the pixel arithmetic that they share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comedo.types import Image

STRIP_ROWS = 128  # rows worked on at once: temporaries stay in the cache and out of the memory peak
ALPHA_NOTICE = "transparent parts were laid on white"
DEEP_NOTICE = "16 bits a channel were reduced to 8"


@dataclass(frozen=True, eq=False)
class Decoded:
    """Pixels as stored: (H, W, 3) uint8 RGB, not yet turned upright, not yet in sRGB."""

    image: Image
    orientation: int = 1  # EXIF, 1 to 8
    icc: bytes | None = None
    notices: tuple[str, ...] = ()


def flatten(samples: NDArray[Any], *, blue_first: bool) -> tuple[Image, bool]:
    """Lay an (H, W, 4) uint8 or uint16 picture on white.

    Returns:
        The (H, W, 3) uint8 RGB picture, and whether any pixel was less than opaque.
    """
    height, width = samples.shape[:2]
    out = np.empty((height, width, 3), np.uint8)
    order = [2, 1, 0] if blue_first else [0, 1, 2]
    seen = False
    for top in range(0, height, STRIP_ROWS):
        strip = to_uint8(samples[top : top + STRIP_ROWS])
        alpha = strip[..., 3:]
        rgb = strip[..., order]
        if int(alpha.min()) < 255:
            seen = True
            share = alpha.astype(np.uint16)
            rgb = ((rgb * share + 255 * (255 - share) + 127) // 255).astype(np.uint8)
        out[top : top + STRIP_ROWS] = rgb
    return out, seen


def to_uint8(samples: NDArray[Any]) -> NDArray[np.uint8]:
    """Map the whole range of uint8, uint16 or of floats in [0, 1] to 0..255, rounding."""
    if samples.dtype == np.uint8:
        return samples
    if samples.dtype == np.uint16:
        return ((samples.astype(np.uint32) + 128) // 257).astype(np.uint8)
    return np.rint(samples * 255.0).astype(np.uint8)
