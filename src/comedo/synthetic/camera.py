"""From linear light to the picture: exposure, lens, sensor."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from comedo.synthetic.noise import F32
from comedo.types import Image

_TABLE = 4096


def exposure(base_rgb: NDArray[np.float64], strength: float) -> float:
    """Factor on linear light: the camera brightens dark skin part of the way, as real ones do."""
    luma = float(base_rgb @ np.array([0.2126, 0.7152, 0.0722]))
    return float(strength * (0.42 / luma) ** 0.30)


def tone_table() -> NDArray[np.uint8]:
    """Values in sRGB of linear light 0 to 2 in 4,096 steps of its square root, with a shoulder instead of clipping."""
    linear = (np.arange(_TABLE) / (_TABLE - 1)) ** 2 * 2
    knee = 0.62
    bent = np.where(linear < knee, linear, knee + (1 - knee) * (1 - np.exp(-(linear - knee) / (1 - knee))))
    srgb = np.where(bent <= 0.0031308, 12.92 * bent, 1.055 * bent ** (1 / 2.4) - 0.055)
    return np.round(255 * np.clip(srgb, 0, 1)).astype(np.uint8)


def develop(linear: F32, blur_px: float, noise: float, seed: int) -> Image:
    """Lens blur, shot and read noise, tone curve.

    Args:
        linear: (h, w, 3) linear light, 1 is white; overwritten.
        blur_px: Standard deviation of the blur.
        noise: Standard deviation at mid grey as a share of full scale.
        seed: Draws the noise.
    """
    if blur_px > 0.05:
        cv2.GaussianBlur(linear, (0, 0), blur_px, dst=linear)
    table = tone_table()
    rng = np.random.default_rng([seed, 13])
    out = np.empty(linear.shape, np.uint8)
    step = 256
    for top in range(0, linear.shape[0], step):
        # a square root makes shot noise even; half of the noise is shared by neighbours, as after demosaicing
        part = np.sqrt(np.clip(linear[top : top + step], 0, 2) * np.float32(0.5))
        if noise > 0:
            grain = rng.standard_normal(part.shape, dtype=np.float32)
            grain = 0.6 * grain + 1.1 * cv2.GaussianBlur(grain, (0, 0), 0.8)
            part = part + grain * np.float32(noise * 0.75)
        index = np.clip(part * (_TABLE - 1), 0, _TABLE - 1).astype(np.uint16)
        out[top : top + step] = table[index]
    return out
