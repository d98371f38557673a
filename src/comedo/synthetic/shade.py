"""Light: where it comes from, its colour, and what skin, eyes and hair send back. Linear RGB throughout."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from comedo.synthetic.noise import F32, f32
from comedo.synthetic.spec import Light


@dataclass(frozen=True, eq=False)
class Lamps:
    """The light of a scene in the view frame (x right, y up, z to the camera)."""

    key: NDArray[np.float64]  # unit vector to the key light
    fill: NDArray[np.float64]
    key_rgb: F32
    fill_rgb: F32
    ambient_rgb: F32


def lamps(light: Light) -> Lamps:
    """Directions and linear colours of key, fill and ambient light."""
    az, el = np.radians(light.azimuth_deg), np.radians(light.elevation_deg)
    key = np.array([np.sin(az) * np.cos(el), np.sin(el), np.cos(az) * np.cos(el)])
    fill = np.array([-0.7 * np.sign(key[0] or 1), 0.15, 0.7])
    colour = _kelvin_rgb(light.kelvin)
    soft = light.ambient
    # the surroundings reflect the light with less colour
    around = 0.5 * colour + 0.5
    return Lamps(
        key=key,
        fill=fill / np.linalg.norm(fill),
        key_rgb=(colour * (1.12 - 0.85 * soft)).astype(np.float32),
        fill_rgb=(around * (0.08 + 0.22 * soft)).astype(np.float32),
        ambient_rgb=(around * (0.08 + 0.55 * soft)).astype(np.float32),
    )


def _kelvin_rgb(kelvin: float) -> NDArray[np.float64]:
    """Relative linear RGB of a black body against 5500 K, by Wien's law at 610, 545 and 465 nm."""
    wavelengths = np.array([610e-9, 545e-9, 465e-9])
    ratio = np.exp(-0.01439 / wavelengths * (1 / kelvin - 1 / 5500.0))
    return np.asarray(ratio / ratio[1])


# How far light creeps round into the shade inside skin: red furthest.
_SKIN_WRAP = (0.30, 0.14, 0.08)


def light_skin(albedo: F32, normal: F32, shadow: F32, hollow: F32, gloss: F32, lit: Lamps) -> F32:
    """(h, w, 3) linear light from skin.

    Args:
        albedo: (h, w, 3) reflectance.
        normal: (h, w, 3) unit, view frame.
        shadow: (h, w) share of key light that arrives.
        hollow: (h, w) share of ambient light that arrives.
        gloss: (h, w) oil, about [0, 1].
        lit: The lamps.
    """
    toward_key, toward_fill = normal @ lit.key.astype(np.float32), normal @ lit.fill.astype(np.float32)
    sky = (0.72 + 0.28 * normal[..., 1]) * hollow
    out = np.empty_like(albedo)
    for c, wrap in enumerate(_SKIN_WRAP):
        key = np.clip((toward_key + wrap) / (1 + wrap), 0, 1) * (shadow ** (1.0 - 0.5 * wrap))
        fill = np.clip((toward_fill + wrap) / (1 + wrap), 0, 1)
        out[..., c] = albedo[..., c] * (
            lit.key_rgb[c] * key + lit.fill_rgb[c] * fill * hollow + lit.ambient_rgb[c] * sky
        )
    shine = highlight(normal, lit.key, 14) * 0.055 + highlight(normal, lit.key, 60) * 0.12
    shine = gloss * shadow * shine + gloss * 0.02 * highlight(normal, lit.fill, 18)
    rim = 0.05 * (1 - np.clip(normal[..., 2], 0, 1)) ** 4 * hollow
    return f32(out + (shine + rim)[..., None] * lit.key_rgb)


def highlight(normal: F32, to_light: NDArray[np.float64], power: float) -> F32:
    """Blinn's highlight seen from the camera, (h, w) in [0, 1]."""
    half = to_light + np.array([0, 0, 1.0])
    half /= np.linalg.norm(half)
    return f32(np.clip(normal @ half.astype(np.float32), 0, 1) ** np.float32(power))


def light_flat(albedo: F32, normal: F32, shadow: F32, lit: Lamps) -> F32:
    """(h, w, 3) linear light from cloth, eyes or frames: no shine, no light inside."""
    key = np.clip(normal @ lit.key.astype(np.float32), 0, 1) * shadow
    fill = np.clip(normal @ lit.fill.astype(np.float32), 0, 1)
    sky = 0.72 + 0.28 * normal[..., 1]
    return f32(
        albedo * (key[..., None] * lit.key_rgb + fill[..., None] * lit.fill_rgb + sky[..., None] * lit.ambient_rgb)
    )
