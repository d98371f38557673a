"""The colour of skin: light that melanin and blood take away, in linear RGB.

Skin here is a base reflectance times exp(-absorption). The base follows photographs of the ten Monk
tones; blood takes green and blue (haemoglobin's bands near 540-575 nm and 420 nm), extra melanin takes
blue most. Because everything multiplies, an inflamed spot is bright red on light skin and a darker,
violet-brown one on dark skin.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from comedo.synthetic.noise import F32, f32

_TONES = np.linspace(0, 1, 6)
_SRGB = np.array(
    [(243, 214, 198), (233, 194, 169), (211, 163, 130), (168, 119, 87), (118, 79, 58), (78, 52, 41)], dtype=np.float64
)
# absorption per unit in R, G, B; blood under much melanin takes relatively more red
BLOOD_LIGHT = np.array([0.13, 1.0, 0.82])
BLOOD_DARK = np.array([0.42, 0.98, 0.72])
MELANIN = np.array([0.55, 0.85, 1.1])


def to_linear(srgb: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gamma-coded sRGB in [0, 255] to linear light in [0, 1]."""
    c = srgb / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def base_reflectance(tone: float) -> NDArray[np.float64]:
    """(3,) linear RGB of plain skin of a tone in [0, 1]."""
    logs = np.log(to_linear(_SRGB))
    return np.asarray(np.exp([np.interp(tone, _TONES, logs[:, c]) for c in range(3)]))


def blood_absorption(tone: float) -> NDArray[np.float64]:
    """(3,) absorption of one unit of blood seen through the melanin of a tone."""
    return np.asarray(BLOOD_LIGHT + (BLOOD_DARK - BLOOD_LIGHT) * np.clip((tone - 0.35) / 0.5, 0, 1))


def reflectance(tone: float, blood: F32, melanin: F32) -> F32:
    """(h, w, 3) linear RGB of skin with (h, w) extra blood and melanin, in units of absorption (0 is plain)."""
    absorbed = blood[..., None] * blood_absorption(tone).astype(np.float32) + melanin[..., None] * MELANIN.astype(
        np.float32
    )
    return f32(np.exp(-absorbed) * base_reflectance(tone).astype(np.float32))
