"""OpenCV's PNG and WebP decoders, which give either the whole picture or none."""

from __future__ import annotations

import cv2
import numpy as np

from comedo.errors import DamagedPhoto
from comedo.photo.decoded import ALPHA_NOTICE, flatten
from comedo.types import Image

_ANIMATION_NOTICE = "the photo is an animation; its first picture was used"


def decode_with_opencv(
    data: bytes, *, kind: str, size_wh: tuple[int, int], has_alpha: bool, animated: bool
) -> tuple[Image, tuple[str, ...]]:
    """Decode a checked file into (H, W, 3) uint8 RGB, alpha laid on white, with what there is to say about it.

    OpenCV is chosen over Pillow because it refuses a PNG whose compressed data end early, where
    Pillow leaves the rest black, and needs less than half of Pillow's memory for a WebP.
    """
    mode = cv2.IMREAD_UNCHANGED if has_alpha else cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), mode)
    except cv2.error as error:
        raise DamagedPhoto(f"a {kind} must decode, but the decoder says: {error.err}; export it again") from error
    if pixels is None or pixels.shape != (size_wh[1], size_wh[0], 4 if has_alpha else 3):
        raise DamagedPhoto(f"a {kind} must be complete and intact, but its picture does not decode; export it again")
    notices = (_ANIMATION_NOTICE,) if animated else ()
    if not has_alpha:
        return np.asarray(pixels, np.uint8), notices
    image, transparent = flatten(pixels, blue_first=True)
    return image, notices + ((ALPHA_NOTICE,) if transparent else ())
