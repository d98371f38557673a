"""The skin of a face map in the photo's pixels."""

from __future__ import annotations

import cv2
import numpy as np

from comedo.types import FaceMap, Mask, skin_of


def skin_mask(face: FaceMap, width: int, height: int) -> Mask:
    """The skin that acne can affect, (height, width), in the photo's pixels."""
    skin = skin_of(face.parts).astype(np.uint8)
    return np.asarray(cv2.warpAffine(skin, face.to_photo, (width, height), flags=cv2.INTER_LINEAR), bool)
