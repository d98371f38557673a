"""The face map inside an analysis document: packed to about two kilobytes, and back."""

from __future__ import annotations

import base64
import binascii
import zlib

import numpy as np

from comedo.report.document import FacePart, MapPart
from comedo.types import FaceMap, Part

_SMALLEST_CELL = 1e-6  # photo pixels


def pack_map(face: FaceMap) -> MapPart:
    """The written form of a face map."""
    height, width = face.parts.shape
    first, second = ((float(a), float(b), float(c)) for a, b, c in face.to_photo)
    return MapPart(
        width=width,
        height=height,
        parts=base64.b64encode(zlib.compress(face.parts.tobytes(), 7)).decode(),
        to_photo=(first, second),
        face_px=face.face_px,
        score=face.score,
    )


def unpack_map(face: FacePart) -> FaceMap:
    """The face map of a document.

    Raises:
        ValueError: The document holds none, or one that is damaged.
    """
    packed = face.map
    if packed is None:
        raise ValueError("face.map is absent: the analysis was written by an earlier comedo; analyse the photo again")
    cells = packed.width * packed.height
    try:
        stream = zlib.decompressobj()
        data = stream.decompress(base64.b64decode(packed.parts, validate=True), cells + 1)
    except (binascii.Error, zlib.error, ValueError) as error:
        raise ValueError(f"face.map.parts is not base64 of packed rows: {error}; analyse the photo again") from error
    if len(data) != cells or max(data) >= len(Part):
        raise ValueError(
            f"face.map.parts must hold {cells} cells from 0 to {len(Part) - 1}, got {len(data)}; "
            "analyse the photo again"
        )
    to_photo = np.array(packed.to_photo)
    if abs(float(np.linalg.det(to_photo[:, :2]))) < _SMALLEST_CELL:
        raise ValueError("face.map.to_photo must give each cell an area in the photo; analyse the photo again")
    return FaceMap(
        parts=np.frombuffer(data, np.uint8).reshape(packed.height, packed.width),
        to_photo=to_photo,
        box_xyxy=face.box_xyxy,
        eyes_xy=face.eyes_xy,
        roll_deg=face.roll_deg,
        yaw_deg=face.yaw_deg,
        mm_per_px=face.mm_per_px,
        mm_per_px_error=face.mm_per_px_error,
        face_px=packed.face_px,
        score=packed.score,
    )
