"""Eyes: lashes and lid edges on the skin, the ball behind them."""

from __future__ import annotations

import numpy as np

from comedo.synthetic import features
from comedo.synthetic.frame import Frame
from comedo.synthetic.noise import F32, f32, sample_tile, smoothstep
from comedo.synthetic.shade import highlight, light_flat
from comedo.synthetic.trace import Surface

_SCLERA = np.array([0.50, 0.45, 0.42])


def lid_lines(frame: Frame, eye: features.Lids) -> F32:
    """Darkness of lashes, lid edges and crease."""
    across = smoothstep(features.EYE_HALF_MM + 2, features.EYE_HALF_MM - 1.5, np.abs(eye.out))
    outer = np.clip((eye.out + 15) / 30, 0, 1)
    edge = eye.upper if not frame.spec.pose.eyes_closed else eye.lower
    fan = -eye.upper if not frame.spec.pose.eyes_closed else eye.lower - 0.6
    line = (0.78 + 0.2 * outer) * np.exp(-((edge / (0.85 + 0.5 * outer)) ** 2))
    seed = frame.spec.person.shape_seed
    strands = sample_tile((seed + 61, 256, 1.2, 9.0), eye.out * (1 - 0.06 * fan), fan, 0.16, px_mm=frame.px_mm)
    reach = f32(2.2 + 2.0 * outer)
    lash = np.clip(strands * 0.7 + 0.35, 0, 1) * smoothstep(reach * 1.3, 0.2, fan) * (fan > 0) * 0.8
    if frame.spec.pose.eyes_closed:
        lash = np.clip(strands + 0.3, 0, 1) * smoothstep(2.8, 0.2, -eye.lower) * (eye.lower < 0) * 0.7
    crease = 0.42 * np.exp(-(((eye.upper + 3.6) / 0.8) ** 2)) + 0.16 * smoothstep(-4.5, -0.5, eye.upper) * (
        eye.upper < 0
    )
    below = 0.25 * np.exp(-(((eye.lower + 0.2) / 0.7) ** 2))
    return f32(across * np.maximum(np.maximum(line, lash), np.maximum(crease, below)))


def add_eye(
    frame: Frame, side: int, eye: features.Lids, surface: Surface, xy: tuple[F32, F32], shadow: F32, light: F32
) -> None:
    """Put the eyeball behind the lids: sclera, iris, pupil, wet shine. Changes `light` in place."""
    inside = (eye.inside > -0.3) & (surface.p[2] > 40) & surface.hit
    if not inside.any():
        return
    rows, cols = (np.flatnonzero(inside.any(k)) for k in (1, 0))
    box = slice(int(rows[0]), int(rows[-1]) + 1), slice(int(cols[0]), int(cols[-1]) + 1)
    radius = 12.3
    build, person = frame.head.build, frame.spec.person
    front = frame.head.skin_point(float(np.degrees(np.arctan2(side * build.eye_x, 82))), 0.5)[2]
    center = frame.rot @ np.array([side * build.eye_x, 0.8, front - radius - 0.6])
    dx, dy = (xy[k][box] - np.float32(center[k]) for k in (0, 1))
    n = np.stack([dx, dy, np.sqrt(np.maximum(radius**2 - dx * dx - dy * dy, 4.0))], axis=-1)
    n = (n / np.linalg.norm(n, axis=-1, keepdims=True)).astype(np.float32)
    gaze = 0.65 * np.array([0, 0, 1.0]) + 0.35 * frame.rot[:, 2]  # mostly at the camera
    gaze /= np.linalg.norm(gaze)
    off = np.arccos(np.clip(n @ gaze.astype(np.float32), -1, 1)) * radius  # mm from the pupil's middle
    d = person.iris_darkness
    iris_rgb = np.array([0.20, 0.27, 0.33]) * (1 - d) ** 2 + np.array([0.060, 0.024, 0.009]) * (0.35 + 0.65 * d)
    spokes = sample_tile((7, 256, 2.0, 2.0), np.arctan2(dy, dx) * 9, off, 0.25, px_mm=frame.px_mm)
    albedo = _SCLERA * (1 - 0.35 * person.tone) * (1 - 0.12 * (eye.out[box] / 15) ** 2)[..., None]
    iris = smoothstep(6.3, 5.7, off)[..., None]
    ring = 1 - 0.55 * smoothstep(4.6, 5.7, off)
    albedo = albedo * (1 - iris) + iris * iris_rgb * (ring * (1 + 0.25 * spokes))[..., None]
    albedo *= (1 - 0.97 * smoothstep(2.5, 2.0, off))[..., None]
    lid_shade = 0.30 + 0.70 * smoothstep(-0.3, 4.2, eye.upper[box])
    seen = light_flat(albedo.astype(np.float32), n, shadow[box], frame.lit) * lid_shade[..., None]
    seen += (highlight(n, frame.lit.key, 700) * 1.1 + 0.10 * highlight(n, frame.lit.fill, 120))[..., None]
    cover = (smoothstep(-0.25, 0.25, eye.inside[box]) * inside[box])[..., None]
    light[box] = light[box] * (1 - cover) + cover * seen
