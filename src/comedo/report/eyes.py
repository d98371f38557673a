"""Hiding the eyes of a photo, for pictures that leave the house. It makes a face harder to know, not anonymous."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from comedo.errors import UnusableInput
from comedo.geometry import apply, invert
from comedo.types import FaceMap, Image, Part

BAR = (60, 60, 60)
_BEYOND = 0.18  # of the face's size (eye line to lips), on every side: lids, lashes, the map's cells


def mask_eyes(image: Image, face: FaceMap) -> Image:
    """The photo with a bar over both eyes.

    Args:
        image: (H, W, 3) uint8 RGB.
        face: Its map; the bar covers all that it calls eyes or brows.

    Returns:
        A copy: what lies under the bar is gone.

    Raises:
        UnusableInput: The map shows no eyes, so that nothing says where to put the bar.
    """
    masked = image.copy()
    cv2.fillConvexPoly(masked, np.round(_bar(face)).astype(np.int32), BAR)
    return masked


def mask_map(face: FaceMap) -> FaceMap:
    """The map without what lies under the bar: what is drawn from it shows no outline of eyes and brows.

    Raises:
        UnusableInput: The map shows no eyes.
    """
    corners = apply(invert(face.to_photo), _bar(face).astype(np.float64))
    parts = face.parts.copy()
    cv2.fillConvexPoly(parts, np.round(corners).astype(np.int32), (int(Part.BACKGROUND),))
    parts[(parts == Part.EYES) | (parts == Part.BROWS)] = Part.BACKGROUND
    return replace(face, parts=parts, eyes_xy=(None, None))


def _bar(face: FaceMap) -> NDArray[np.float32]:
    """The four corners of the bar, in pixels of the photo."""
    rows, columns = np.nonzero(face.parts == Part.EYES)
    known = [xy for xy in face.eyes_xy if xy is not None]
    if not len(rows) and not known:
        raise UnusableInput("the face map shows no eyes to mask; leave the photo out instead (--without-photo)")
    rows, columns = np.nonzero((face.parts == Part.EYES) | (face.parts == Part.BROWS))
    cells = np.stack([columns, rows, np.ones_like(rows)]).astype(np.float64)
    points = np.vstack([(face.to_photo @ cells).T, np.array(known).reshape(-1, 2)]).astype(np.float32)
    center, (width, height), angle = cv2.minAreaRect(points)
    beyond = 2 * _BEYOND * face.face_px
    return np.asarray(cv2.boxPoints((center, (width + beyond, height + beyond), angle)), np.float32)
