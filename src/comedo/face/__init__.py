"""Where the face is, which skin belongs to which region, how it is turned, how large it is."""

from comedo.face.mapper import FaceMapper
from comedo.face.skin import skin_mask

__all__ = ["FaceMapper", "skin_mask"]
