"""Pictures to lay over a photo: transparent PNG of the size of the screen, not of the photo."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from comedo.report.document import Document
from comedo.report.face_map import unpack_map
from comedo.report.pictures import LESION, skin_pixels

_SIDE_PX = 900
_LESIONS_BGRA = (183, 58, 234, 170)
_LEAST, _MOST = 3.0, 16.0  # CIELAB a* above the skin's own; a lesion has 5 to 15
_BLUR_MM_SHARE = 0.012  # of the face's size: about 1 mm
_RED_BGR = np.array((60, 40, 235), np.uint8)
_OPACITY = 200


def paint_coverage(mask_png: bytes) -> bytes:
    """The pixels of active lesions of a mask as comedo writes it."""
    labels = _decoded(mask_png, cv2.IMREAD_GRAYSCALE)
    small = _resized((labels == LESION).astype(np.uint8) * 255, _scale(labels.shape))
    picture = np.zeros((*small.shape, 4), np.uint8)
    picture[small > 127] = _LESIONS_BGRA
    return _png(picture)


def paint_redness(photo: bytes, document: Document) -> bytes:
    """How much redder than the face's median each place of the skin is; nothing beside the skin."""
    image = _decoded(photo, cv2.IMREAD_COLOR)
    image = _resized(image, _scale(image.shape))
    height, width = image.shape[:2]
    face = unpack_map(document.face)
    to_here = width / document.photo.width
    whole = skin_pixels(face, (document.photo.width, document.photo.height))
    skin = _resized(whole.astype(np.uint8), to_here, (width, height)) > 0
    picture = np.zeros((height, width, 4), np.uint8)
    if skin.any():
        lab = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_BGR2Lab)
        red = cv2.GaussianBlur(lab[..., 1], (0, 0), max(1.0, _BLUR_MM_SHARE * face.face_px * to_here))
        above = np.clip((red - np.median(red[skin]) - _LEAST) / (_MOST - _LEAST), 0, 1)
        picture[..., :3] = _RED_BGR
        picture[..., 3] = np.where(skin, above * _OPACITY, 0).astype(np.uint8)
    return _png(picture)


def _scale(shape: tuple[int, ...]) -> float:
    return min(1.0, _SIDE_PX / max(shape[:2]))


def _resized(picture: NDArray[np.uint8], scale: float, size_wh: tuple[int, int] | None = None) -> NDArray[np.uint8]:
    """Smaller by a scale, or to a size."""
    found = cv2.resize(picture, size_wh, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(found, np.uint8)


def _decoded(data: bytes, flags: int) -> NDArray[np.uint8]:
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    assert picture is not None  # comedo wrote it
    return np.asarray(picture, np.uint8)


def _png(picture: NDArray[np.uint8]) -> bytes:
    done, data = cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 3])
    assert done
    return bytes(data.tobytes())
