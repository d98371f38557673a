"""Rendered faces with lesions and the exact truth about them."""

from comedo.synthetic.lesions import NotOnSkin
from comedo.synthetic.render import RenderedFace, RenderedLesion, render
from comedo.synthetic.sample import random_spec, same_person, sample_face, sample_spec, scatter_lesions
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
    "random_spec",
    "render",
    "same_person",
    "sample_face",
    "sample_spec",
    "scatter_lesions",
]
