"""Rendered faces with lesions and the exact truth about them."""

from comedo.synthetic.lesions import NotOnSkin
from comedo.synthetic.render import RenderedFace, RenderedLesion, render
from comedo.synthetic.spec import (
    DIAMETER_MM,
    Camera,
    FaceSpec,
    HairStyle,
    LesionSpec,
    Light,
    Person,
    Pose,
)

__all__ = [
    "DIAMETER_MM",
    "Camera",
    "FaceSpec",
    "HairStyle",
    "LesionSpec",
    "Light",
    "NotOnSkin",
    "Person",
    "Pose",
    "RenderedFace",
    "RenderedLesion",
    "render",
]
