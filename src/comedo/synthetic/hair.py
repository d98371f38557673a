"""Head hair: where it covers, its strands, colour and light."""

from __future__ import annotations

import numpy as np

from comedo.synthetic.frame import Frame
from comedo.synthetic.head import COLUMNS
from comedo.synthetic.noise import F32, f32, sample_tile, smoothstep
from comedo.synthetic.shade import light_flat
from comedo.synthetic.trace import Surface, look


def hair_cover(frame: Frame, surface: Surface, hairline: F32) -> F32:
    """Cover by head hair in [0, 1]; strands fray the line."""
    if hairline.max() < -20:
        return np.zeros_like(hairline)
    locks, hairs = _strands(frame, surface)
    cover = smoothstep(-1.2, 2.6, hairline + 1.6 * locks + 2.2 * hairs - 2)
    # what stands off the skin is hair, also on the inner side of long hair
    distance = np.sqrt(sum(p * p for p in surface.p))
    return np.maximum(cover, smoothstep(1.8, 3.5, distance - look(frame.head.skin_radius, surface.col, surface.row)))


def _strands(frame: Frame, surface: Surface) -> tuple[F32, F32]:
    """Noise along the hair, coarse locks and single hairs; it falls to both sides of a parting."""
    seed = frame.spec.person.shape_seed
    u, v = (surface.col - np.float32(COLUMNS / 2)) * np.float32(0.58), surface.row * np.float32(0.6)
    parting = 22.0 * ((seed * 7) % 5 - 2) / 2
    # small enough against its width that strands never fold over
    sweep = 0.32 * np.tanh((u - parting) / 60) * np.minimum(v, 120)
    wave = sample_tile((seed + 73, 256, 14.0, 14.0), u, v, 1.0)
    across = u - sweep + 2.2 * wave
    locks = sample_tile((seed + 71, 512, 3.0, 60.0), across, v, 0.3, px_mm=frame.px_mm)
    hairs = sample_tile((seed + 72, 1024, 1.0, 70.0), across, v, 0.12, px_mm=frame.px_mm)
    return locks, hairs


def hair_colour(frame: Frame) -> F32:
    """Linear RGB of the hair."""
    p = frame.spec.person
    light, dark = np.array([0.46, 0.33, 0.17]), np.array([0.012, 0.009, 0.008])
    colour = np.exp(np.log(light) * (1 - p.hair_darkness) + np.log(dark) * p.hair_darkness)
    return f32(colour * np.array([1 + 0.7 * p.hair_warmth, 1.0, 1 - 0.45 * p.hair_warmth]))


def hair_light(frame: Frame, surface: Surface, normal: F32, shadow: F32, hairline: F32) -> F32:
    """Light from hair: strands of uneven tone with a stretched highlight."""
    locks, hairs = _strands(frame, surface)
    tone = np.exp(0.30 * locks + 0.32 * hairs) * (0.55 + 0.45 * smoothstep(0, 14, hairline))
    base = light_flat(hair_colour(frame) * tone[..., None], normal, shadow, frame.lit)
    # Kajiya's highlight: strands run downwards, so it depends on the vertical part of the half vector only
    half = frame.lit.key + np.array([0, 0, 1.0])
    half /= np.linalg.norm(half)
    down = frame.rot @ np.array([0, -1.0, 0])
    along = down.astype(np.float32) - normal * (normal @ down.astype(np.float32))[..., None]
    along /= np.linalg.norm(along, axis=-1, keepdims=True) + 1e-6
    sine = np.sqrt(np.clip(1 - (along @ half.astype(np.float32) + 0.06 * locks) ** 2, 0, 1))
    facing = np.clip(normal @ half.astype(np.float32), 0, 1)
    shine = sine**40 * facing * shadow * np.clip(0.6 + 0.5 * hairs, 0, 2) * 0.06
    return f32(base + shine[..., None] * (0.5 * frame.lit.key_rgb + 2.0 * hair_colour(frame)))
