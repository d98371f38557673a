"""Changes of light, colour and sharpness: parameters are drawn first, then applied."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Look:
    """Photometric parameters of one augmented picture."""

    gain_rgb: tuple[float, float, float]
    gamma: float
    contrast: float
    blur_sigma: float
    shrink: float  # resolution lost on the way, 1 = none
    noise: float
    jpeg_quality: int | None
    grey: float  # share of colour removed

    def apply(self, image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
        """Return the changed (H, W, 3) uint8 picture; noise comes from `rng`."""
        if self.shrink < 1:
            h, w = image.shape[:2]
            small = cv2.resize(
                image, (max(8, round(w * self.shrink)), max(8, round(h * self.shrink))), interpolation=cv2.INTER_AREA
            )
            image = np.asarray(cv2.resize(small, (w, h), interpolation=cv2.INTER_LINEAR), np.uint8)
        if self.blur_sigma > 0:
            image = np.asarray(cv2.GaussianBlur(image, (0, 0), self.blur_sigma), np.uint8)
        ramp = np.arange(256) / 255.0
        mean = float(image[::8, ::8].mean()) / 255
        tables = []
        for gain in self.gain_rgb:
            curve = np.clip(ramp * gain, 0, None) ** self.gamma
            curve = (curve - mean) * self.contrast + mean
            tables.append(np.clip(curve * 255 + 0.5, 0, 255))
        lut = np.stack(tables, 1).astype(np.uint8)[None]
        image = np.asarray(cv2.LUT(image, lut), np.uint8)
        if self.grey > 0:
            grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
            image = np.asarray(cv2.addWeighted(image, 1 - self.grey, grey, self.grey, 0), np.uint8)
        if self.noise > 0:
            h, w = image.shape[:2]
            grain = rng.standard_normal((h, w, 1), np.float32) * self.noise
            image = np.clip(image + grain, 0, 255).astype(np.uint8)
        if self.jpeg_quality is not None:
            _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, self.jpeg_quality])
            image = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
        return image


def draw_look(rng: np.random.Generator, *, strength: float = 1.0) -> Look:
    """Draw one look; `strength` 1 suits skin detail, 2 the coarse face map."""
    s = strength
    gain = np.exp(rng.normal(0, 0.14 * s))
    cast = np.exp(rng.normal(0, 0.06 * s, 3))
    return Look(
        gain_rgb=(float(gain * cast[0]), float(gain * cast[1]), float(gain * cast[2])),
        gamma=float(np.exp(rng.normal(0, 0.15 * s))),
        contrast=float(np.exp(rng.normal(0, 0.1 * s))),
        blur_sigma=float(rng.uniform(0.4, max(0.4, 1.2 * s))) if rng.random() < 0.15 * s else 0.0,
        shrink=float(rng.uniform(0.4, 0.95)) if rng.random() < 0.2 * s else 1.0,
        noise=float(rng.uniform(1, max(1.0, 6 * s))) if rng.random() < 0.15 * s else 0.0,
        jpeg_quality=int(rng.integers(45, 92)) if rng.random() < 0.2 else None,
        grey=float(rng.uniform(0.3, 1.0)) if rng.random() < 0.05 * s * s else 0.0,
    )


@dataclass(frozen=True)
class WhiteBalance:
    """A camera's other idea of white: gains in linear light, brightness kept."""

    warm: float  # natural log of red over blue
    tint: float  # natural log of green over magenta

    def apply(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The (H, W, 3) uint8 sRGB picture under the other white."""
        gains = np.exp([self.warm / 2 - self.tint / 3, self.tint * 2 / 3, -self.warm / 2 - self.tint / 3])
        gains /= gains @ _LUMINANCE
        table = _to_srgb(np.clip(_LINEAR[:, None] * gains, 0, 1))
        return np.asarray(cv2.LUT(image, table[None]), np.uint8)


_LUMINANCE = np.array([0.2126, 0.7152, 0.0722])  # IEC 61966-2-1
_RAMP = np.arange(256) / 255.0
_LINEAR = np.where(_RAMP <= 0.04045, _RAMP / 12.92, ((_RAMP + 0.055) / 1.055) ** 2.4)


def _to_srgb(linear: NDArray[np.float64]) -> NDArray[np.uint8]:
    values = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return (values * 255 + 0.5).astype(np.uint8)


def draw_white_balance(rng: np.random.Generator, *, strength: float = 1.0) -> WhiteBalance:
    """Draw another white; strength 1 spans about 4,300 to 7,000 K around 5,500 K (two standard deviations)."""
    return WhiteBalance(warm=float(rng.normal(0, 0.16 * strength)), tint=float(rng.normal(0, 0.05 * strength)))
