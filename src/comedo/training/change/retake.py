"""The same skin photographed again, made from one photo: other place, turn, scale, light, sharpness and compression.

Repeat photos of one session are rare in public data. These stand in for them: the skin is the same for certain, and
what differs is known. They lack what only a second exposure has: relief under another light, another expression.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from comedo.types import Image

F64 = NDArray[np.float64]
# Repeat photos of a clinic have light (see `Comparison.light`) of up to 0.10 and zooms within 0.09; people who hold a
# phone differ by more. `strength` 1 spans about the former, 2 the latter.
_TURN_DEG, _ZOOM, _SHIFT, _BEND = 3.0, 0.06, 0.02, 0.008
_SLOPE, _WAVE, _GAIN, _COLOUR = 0.10, 0.05, 0.10, 0.03
_BLUR_PX, _GRAIN, _QUALITY = 0.25, 1.5, (80, 96)


@dataclass(frozen=True)
class Retake:
    """How the second photo differs; lengths are shares of the picture's width."""

    turn_deg: float
    zoom: float  # log2
    shift: tuple[float, float]
    bend: tuple[float, float, float, float]  # quadratic: what a slightly turned head leaves
    slope: tuple[float, float]  # of log brightness across the picture
    wave: tuple[float, float, float]  # amplitude, direction, phase of slow changes of light
    gain_rgb: tuple[float, float, float]
    blur_px: float
    grain: float
    quality: int
    seed: int

    def places(self, points_xy: F64, size_wh: tuple[int, int]) -> F64:
        """Where (N, 2) points of the second photo lie in the first."""
        width, height = size_wh
        x, y = ((points_xy - np.array([width, height]) / 2) / width).T
        angle, scale = np.deg2rad(self.turn_deg), 2.0**-self.zoom
        u = scale * (np.cos(angle) * x - np.sin(angle) * y) + self.shift[0]
        v = scale * (np.sin(angle) * x + np.cos(angle) * y) + self.shift[1]
        a, b, c, d = self.bend
        bent = np.stack([u + 4 * (a * u * u + b * u * v), v + 4 * (c * v * v + d * u * v)], 1)
        return np.asarray(bent * width + np.array([width, height]) / 2)

    def apply(self, image: Image) -> Image:
        """The second photo, of the same size; (H, W, 3) uint8."""
        height, width = image.shape[:2]
        y, x = np.mgrid[0:height, 0:width].astype(np.float64)
        flat = np.stack([x.ravel(), y.ravel()], 1)
        where = self.places(flat, (width, height)).astype(np.float32).reshape(height, width, 2)
        moved = cv2.remap(image, where[..., 0], where[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        lit = moved.astype(np.float32) * self._light(width, height)[..., None] * np.array(self.gain_rgb, np.float32)
        if self.blur_px > 0.2:
            lit = np.asarray(cv2.GaussianBlur(lit, (0, 0), self.blur_px), np.float32)
        lit += self.grain * np.random.default_rng(self.seed).standard_normal(lit.shape).astype(np.float32)
        second = np.clip(lit + 0.5, 0, 255).astype(np.uint8)
        _, data = cv2.imencode(".jpg", second[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, self.quality])
        return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR_RGB), np.uint8)

    def _light(self, width: int, height: int) -> NDArray[np.float32]:
        x = (np.arange(width) / width - 0.5)[None]
        y = (np.arange(height) / width - 0.5)[:, None]
        amplitude, direction, phase = self.wave
        along = np.cos(direction) * x + np.sin(direction) * y
        log = self.slope[0] * x + self.slope[1] * y + amplitude * np.sin(2 * np.pi * 1.5 * along + phase)
        return np.asarray(np.exp(log), np.float32)


def draw_retake(rng: np.random.Generator, *, strength: float = 1.0) -> Retake:
    """Draw one retake; differences grow with `strength`."""

    def normal(spread: float) -> float:
        return float(np.clip(rng.normal(0, spread * strength), -3 * spread * strength, 3 * spread * strength))

    gain = normal(_GAIN)
    return Retake(
        turn_deg=normal(_TURN_DEG),
        zoom=normal(_ZOOM),
        shift=(normal(_SHIFT), normal(_SHIFT)),
        bend=(normal(_BEND), normal(_BEND), normal(_BEND), normal(_BEND)),
        slope=(normal(2 * _SLOPE), normal(2 * _SLOPE)),
        wave=(abs(normal(_WAVE)), float(rng.uniform(0, 2 * np.pi)), float(rng.uniform(0, 2 * np.pi))),
        gain_rgb=tuple(float(np.exp(gain + normal(_COLOUR))) for _ in range(3)),  # type: ignore[arg-type]
        blur_px=abs(normal(_BLUR_PX)),
        grain=abs(normal(_GRAIN)),
        quality=int(rng.integers(*_QUALITY)),
        seed=int(rng.integers(2**31)),
    )
