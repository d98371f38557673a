"""Eyes, brows, lips and the regions of the face, drawn over the skin's (x, y) of the head frame.

Each function takes places on the surface and answers with an amount in [0, 1] or a signed distance in
mm, so that edges are as sharp as the picture, whatever its scale.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from comedo.synthetic.head import Build
from comedo.synthetic.noise import F32, f32, sample_tile, smoothstep
from comedo.types import Part

EYE_HALF_MM = 15.0
_CLOSED_MM = 2.2  # the lash line and lid edge that count as eye when the eye is closed


@dataclass(frozen=True, eq=False)
class Lids:
    """The opening of one eye: distances in mm, positive inside."""

    out: F32  # to the temple from the middle of the eye
    up: F32  # above the line through the corners
    upper: F32  # below the upper lid's edge
    lower: F32  # above the lower lid's edge
    inside: F32  # the smaller of both; negative outside the corners


def lids(build: Build, side: int, x: F32, y: F32, *, closed: bool) -> Lids:
    """Lids of the eye on the person's left (`side` 1) or right (-1)."""
    out = side * x - np.float32(build.eye_x)
    up = y - np.float32(build.eye_tilt_mm / EYE_HALF_MM) * out
    t = np.clip(out / EYE_HALF_MM, -1, 1)
    high, low = (0.60, 0.40) if not closed else (-0.28, 0.30)
    upper_edge = build.eye_open_mm * high * np.clip(1 - np.abs(t + 0.08) ** 2.3, 0, 1) ** 0.9
    lower_edge = -build.eye_open_mm * low * np.clip(1 - np.abs(t - 0.10) ** 2.2, 0, 1)
    if closed:
        upper_edge = lower_edge + _CLOSED_MM * np.clip(1 - t**4, 0, 1)
    upper, lower = upper_edge - up, up - lower_edge
    inside = np.minimum(np.minimum(upper, lower), EYE_HALF_MM - np.abs(out))
    return Lids(out, up, upper.astype(np.float32), lower.astype(np.float32), inside.astype(np.float32))


def brow(build: Build, x: F32, y: F32, px_mm: float, seed: int) -> tuple[F32, F32]:
    """Cover by brow hairs in [0, 1], and the brow's outline as a signed distance in mm (positive inside)."""
    out = np.abs(x) - np.float32(build.eye_x)
    t = np.clip((out + 14.5) / 35, 0, 1)
    middle = build.brow_y_mm + build.brow_arch_mm * np.sin(np.pi * np.clip(t, 0, 1) ** 1.2) - 3.5 * t**3
    half = build.brow_height_mm / 2 * np.interp(t, [0, 0.12, 0.5, 0.8, 1], [0.5, 0.95, 0.95, 0.6, 0.12])
    ends = np.minimum(out + 14.5, 20.5 - out)
    within = np.minimum(half - np.abs(y - middle), ends).astype(np.float32)
    rise = np.radians(68 - 72 * t)  # hairs stand up at the nose and lie flat at the temple
    dy = y - middle
    across, along = out * np.sin(rise) - dy * np.cos(rise), out * np.cos(rise) + dy * np.sin(rise)
    strokes = sample_tile((seed + 31, 512, 1.3, 16.0), f32(across), f32(along), 0.12, px_mm=px_mm)
    cover = smoothstep(-0.9, 1.7, within + 0.45 * strokes) * np.clip(0.80 + 0.2 * strokes, 0.35, 1)
    return cover.astype(np.float32), within


def lips(build: Build, x: F32, y: F32, *, smile: float = 0.0) -> tuple[F32, F32]:
    """Signed distance into the lips and height above their parting line, mm; a smile lifts the corners."""
    half = 25.0 * build.mouth_width + 2.0 * smile
    t = np.clip(np.abs(x) / half, 0, 1)
    bow = 1 - 0.16 * np.exp(-((x / 3.0) ** 2))
    upper = 7.2 * build.lip_height * (1 - t**1.7) * bow
    lower = -9.2 * build.lip_height * (1 - t**2.3)
    parting = 0.7 * np.cos(t * np.pi * 2.2) * (1 - t) - 0.6 * t
    above = (y - build.mouth_y - 6.0 * smile * (t**2 - 0.25)).astype(np.float32)
    within = np.minimum(np.minimum(upper - above, above - lower), half - np.abs(x))
    return within.astype(np.float32), (above - parting).astype(np.float32)


def nostrils(build: Build, x: F32, y: F32) -> F32:
    """How deep in a nostril, [0, 1]."""
    d = ((np.abs(x) - 6.6 * build.nose_width) / (3.9 * build.nose_width)) ** 2 + (
        (y - build.nose_base_y + 6.0) / 2.1
    ) ** 2
    return smoothstep(1.5, 0.45, d.astype(np.float32))


def skin_parts(build: Build, x: F32, y: F32) -> NDArray[np.uint8]:
    """(h, w) uint8 of `Part`: forehead above the eye line, nose, chin with upper lip, cheeks."""
    base = build.nose_base_y - 7.5
    half_mouth = 25.0 * build.mouth_width
    parts = np.where(x > 0, np.uint8(Part.LEFT_CHEEK), np.uint8(Part.RIGHT_CHEEK))
    parts[y > 0] = Part.FOREHEAD
    chin = (y <= base) & (np.abs(x) < half_mouth * np.where(y < build.mouth_y, 1.35, 1.1))
    parts[chin] = Part.CHIN
    half_nose = np.interp(y, [base, base + 13, base + 20, -5, 8], np.array([17, 18.5, 16.5, 10, 6]) * build.nose_width)
    parts[(np.abs(x) < half_nose) & (y > base) & (y < 8)] = Part.NOSE
    return parts
