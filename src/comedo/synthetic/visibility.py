"""Whether a lesion can be seen: against the same picture without it, and against the sensor's noise."""

from __future__ import annotations

import cv2
import numpy as np

from comedo.types import Image, Mask

# CIELAB distance that is just noticed between even fields side by side: Mahy, Van Eycken & Oosterlinck 1994,
# Color Research & Application 19:105-121.
JUST_NOTICEABLE = 2.3
# Signal over noise from which a disc is surely seen in a noisy picture: Rose 1948, J Opt Soc Am 38:196-208.
SURE_SIGNAL = 5.0


def contrast_of(image: Image, without: Image, mask: Mask) -> float:
    """Mean CIELAB distance (1976) of a lesion's pixels from the same pixels without it.

    Args:
        image: (H, W, 3) uint8 RGB, after lens blur.
        without: The same picture without the lesion: what noise they have must be the same.
        mask: (H, W), the lesion's pixels, at least one.
    """
    with_it, bare = (cv2.cvtColor(p[mask][None].astype(np.float32) / 255, cv2.COLOR_RGB2LAB) for p in (image, without))
    return float(np.linalg.norm(with_it - bare, axis=-1).mean())


def can_be_seen(contrast: float, area_px: int, noise: float) -> bool:
    """Whether a contrast is just noticeable and, summed over its pixels, stands out of the noise.

    Args:
        contrast: As `contrast_of` has it.
        area_px: Pixels of the lesion.
        noise: Standard deviation of one pixel, as a share of full scale; about 100 times it in CIELAB lightness.
    """
    return contrast >= JUST_NOTICEABLE and contrast * area_px**0.5 >= SURE_SIGNAL * 100 * noise
