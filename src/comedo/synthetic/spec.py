"""What a rendered face is made of: the person, the pose, the light, the camera, the lesions."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from comedo.types import Group, Kind, Region

# Diameters in mm, smallest and largest of each kind. A papule is under 5 mm and a nodule over it:
# the limit of the usual clinical definitions (AAD guideline, Reynolds et al. 2024, and others).
DIAMETER_MM: dict[Kind, tuple[float, float]] = {
    Kind.OPEN_COMEDONE: (1.0, 2.0),
    Kind.CLOSED_COMEDONE: (1.0, 2.2),
    Kind.PAPULE: (2.0, 4.8),
    Kind.PUSTULE: (2.0, 4.8),
    Kind.NODULE: (5.5, 11.0),
    Kind.MARK: (1.5, 6.0),
}

GROUP_OF_KIND: dict[Kind, Group] = {
    Kind.OPEN_COMEDONE: Group.NON_INFLAMMATORY,
    Kind.CLOSED_COMEDONE: Group.NON_INFLAMMATORY,
    Kind.PAPULE: Group.INFLAMMATORY,
    Kind.PUSTULE: Group.INFLAMMATORY,
    Kind.NODULE: Group.INFLAMMATORY,
    Kind.MARK: Group.MARK,
}


class HairStyle(StrEnum):
    """How much hair there is and where it falls."""

    NONE = "none"
    SHORT = "short"
    LONG = "long"


@dataclass(frozen=True)
class Person:
    """What stays the same from photo to photo."""

    tone: float = 0.3
    """Skin tone from 0 (very light) to 1 (very dark); `monk / 9` for Monk tone 1 to 10 counted from 0."""
    shape_seed: int = 0
    """Draws the proportions of the face: widths, nose, lips, eyes, brows."""
    hair: HairStyle = HairStyle.SHORT
    hair_darkness: float = 0.85
    """0 is light blond, 1 is black."""
    hair_warmth: float = 0.4
    """0 is ash, 1 is copper."""
    fringe: float = 0.0
    """How far hair covers the forehead, 0 (none) to 1 (down to the brows)."""
    iris_darkness: float = 0.8
    """0 is light blue-grey, 1 is dark brown."""
    ruddiness: float = 0.4
    """How red cheeks and nose are, 0 to 1."""
    oil: float = 0.4
    """How much the skin shines, 0 to 1."""


@dataclass(frozen=True)
class Pose:
    """How the head is held, degrees; the body follows only partly."""

    yaw_deg: float = 0.0
    """Positive: the person's left cheek is turned to the camera. -80 to 80."""
    pitch_deg: float = 0.0
    """Positive: the person looks up. -30 to 30."""
    roll_deg: float = 0.0
    """Positive: the head is turned clockwise in the picture."""
    eyes_closed: bool = False
    smile: float = 0.2
    """0 is serious, 1 lifts the corners of the mouth by 3 mm."""


@dataclass(frozen=True)
class Light:
    """One key light with soft fill from around."""

    azimuth_deg: float = -30.0
    """Where the key light stands: 0 is at the camera, positive is to the right in the picture."""
    elevation_deg: float = 35.0
    """Its height above the camera."""
    strength: float = 1.0
    """Exposure: 1 is well lit, 0.2 is dim."""
    ambient: float = 0.36
    """Share of the light that comes from everywhere, 0 (hard light) to 1 (overcast)."""
    kelvin: float = 5500.0
    """Colour temperature that the camera did not correct; 5500 is neutral, lower is warmer."""
    softness: float = 0.5
    """0 casts sharp shadows, 1 very soft ones."""


@dataclass(frozen=True)
class Camera:
    """The picture: its size, how large the face is in it, and what the sensor does."""

    width: int = 768
    height: int = 1024
    face_share: float = 0.6
    """Height of the face (185 mm, hairline to chin) over the picture's `min(height, 1.3 * width)`, 0.05 to 2."""
    center_xy: tuple[float, float] = (0.5, 0.5)
    """Where the middle of the face lies, as a share of width and height."""
    blur_px: float = 0.55
    """Standard deviation of the lens blur in pixels; below 0.3 edges show their steps."""
    noise: float = 0.006
    """Standard deviation of the sensor's noise at mid grey, as a share of full scale."""
    mirrored: bool = False
    """Flipped left to right, as selfies are; the truth flips with it."""

    def __post_init__(self) -> None:
        if self.width < 16 or self.height < 16 or not 0 < self.face_share <= 4:
            raise ValueError(f"Camera wants at least 16 x 16 pixels and a face_share in (0, 4], got {self}")

    @property
    def mm_per_px(self) -> float:
        """Scale of the picture, the same everywhere: the camera is far away."""
        return FACE_HEIGHT_MM / (self.face_share * min(self.height, 1.3 * self.width))


FACE_HEIGHT_MM = 185.0


@dataclass(frozen=True)
class LesionSpec:
    """One lesion at a place on the skin."""

    kind: Kind
    place: Region | tuple[float, float]
    """A region (the seed then draws a spot in it), or degrees seen from the middle of the head: longitude
    (0 is the nose, positive the person's left) and latitude (0 is the eye line, positive is up)."""
    diameter_mm: float | None = None
    """None draws from the kind's range, `DIAMETER_MM`."""
    seed: int = 0
    strength: float = 1.0
    """Colour and relief, 0.3 (faint) to 1.5 (angry); more is no longer like a photo."""

    @property
    def group(self) -> Group:
        """What the kind is, coarsely."""
        return GROUP_OF_KIND[self.kind]


@dataclass(frozen=True)
class FaceSpec:
    """Everything that decides the pixels; the same value gives the same bytes."""

    person: Person = field(default_factory=Person)
    pose: Pose = field(default_factory=Pose)
    light: Light = field(default_factory=Light)
    camera: Camera = field(default_factory=Camera)
    lesions: tuple[LesionSpec, ...] = ()
    glasses: bool = False
    background_seed: int = 0
    noise_seed: int = 0
