"""Where the face is, which skin belongs to which region, how it is turned, how large it is."""

from comedo.face.mapper import FaceMapper

__all__ = ["FaceMapper"]
