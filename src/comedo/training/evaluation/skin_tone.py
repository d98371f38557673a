"""How light the skin of a photo is, to report figures by it: never shown to users, never used to find or grade.

The individual typology angle of Chardon, Cretois & Hourseau 1991 puts lightness and yellowness of
skin, in CIELAB, into one angle. From a photo without a colour chart it moves with the light, so
that the bands are broad and say "as photographed".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from comedo.training.evaluation.predictors import Prediction
from comedo.training.evaluation.truth import LabelledPhoto
from comedo.types import Image, skin_of

# Lower bounds in degrees; the classes of the source, two of them joined in each band.
BANDS = ((41.0, "lighter skin, ITA over 41"), (10.0, "intermediate skin, ITA 10 to 41"))
DARKEST = "darker skin, ITA under 10"
UNKNOWN = "no skin found"
_LEAST_PX = 200


def ita_deg(image: Image, parts: NDArray[np.uint8]) -> float | None:
    """Individual typology angle of the face's skin in degrees; `None` with too little skin.

    Args:
        image: (H, W, 3) uint8 sRGB.
        parts: (H, W) uint8 of `Part`.

    Source: Chardon et al. 1991, arctan((L* - 50) / b*); here of the medians over the skin.
    """
    skin = skin_of(parts)
    if int(skin.sum()) < _LEAST_PX:
        return None
    lab = cv2.cvtColor((image[skin][:, None] / np.float32(255)).astype(np.float32), cv2.COLOR_RGB2LAB)
    lightness, _, yellow = (float(v) for v in np.median(lab[:, 0], axis=0))
    return float(np.degrees(np.arctan2(lightness - 50, max(yellow, 1e-3))))


def tone_band(angle_deg: float | None) -> str:
    """The band of an angle, in words."""
    if angle_deg is None:
        return UNKNOWN
    return next((name for least, name in BANDS if angle_deg > least), DARKEST)


def by_tone(photos: Sequence[LabelledPhoto], predictions: Sequence[Prediction | None]) -> tuple[LabelledPhoto, ...]:
    """The photos with their band in place of their scale, so that each band gets its own figures."""
    return tuple(
        replace(photo, scale=f"{photo.scale}, {_band(photo, found)}")
        for photo, found in zip(photos, predictions, strict=True)
    )


def _band(photo: LabelledPhoto, found: Prediction | None) -> str:
    parts = None if found is None else found.parts
    return tone_band(None if parts is None else ita_deg(photo.read(), parts))
