"""Repeating noise for textures, drawn from a seed."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]


def f32(values: object) -> F32:
    """The same numbers as float32, without a copy where they are."""
    return np.asarray(values, np.float32)


@lru_cache(maxsize=64)
def tile(seed: int, size: int, sigma_x: float, sigma_y: float) -> F32:
    """Smooth noise with mean 0 and standard deviation 1 that repeats at its borders.

    Args:
        seed: Draws the noise.
        size: Side in texels.
        sigma_x: Gaussian smoothing in texels along x; very different from `sigma_y` gives strands.
        sigma_y: The same along y.

    Returns:
        (size, size) float32, shared: do not write into it.
    """
    white = np.random.default_rng([seed, size]).standard_normal((size, size), dtype=np.float32)
    margin = min(size, int(4 * max(sigma_x, sigma_y)) + 1)
    wrapped = cv2.copyMakeBorder(white, margin, margin, margin, margin, cv2.BORDER_WRAP)
    smooth = cv2.GaussianBlur(wrapped, (0, 0), sigmaX=max(sigma_x, 0.01), sigmaY=max(sigma_y, 0.01))
    smooth = smooth[margin:-margin, margin:-margin]
    out = ((smooth - smooth.mean()) / smooth.std()).astype(np.float32)
    out.setflags(write=False)
    return f32(out)


@lru_cache(maxsize=64)
def _shrunk(seed: int, size: int, sigma_x: float, sigma_y: float, factor: int) -> F32:
    small = size // factor
    return f32(cv2.resize(tile(seed, size, sigma_x, sigma_y), (small, small), interpolation=cv2.INTER_AREA))


def sample_tile(
    key: tuple[int, int, float, float], u_mm: F32, v_mm: F32, texel_mm: float, *, px_mm: float = 0.0
) -> F32:
    """Look a `tile(*key)` up at places in mm, shrunk beforehand where pixels of `px_mm` are coarser than texels."""
    factor = 1
    while factor * 2 * texel_mm <= px_mm and factor < key[1] // 4:
        factor *= 2
    texture = tile(*key) if factor == 1 else _shrunk(*key, factor)
    scale = 1.0 / (texel_mm * factor)
    # BORDER_WRAP in cv2.remap repeats the texture without a seam
    u, v = ((a * np.float32(scale)).astype(np.float32, copy=False) for a in (u_mm, v_mm))
    return f32(cv2.remap(texture, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP))


def smoothstep(low: float | F32, high: float | F32, x: F32) -> F32:
    """0 below `low`, 1 above `high`, smooth between."""
    t = np.clip((x - f32(low)) * f32(1.0 / (high - low)), 0, 1)
    return f32(t * t * (3 - 2 * t))
