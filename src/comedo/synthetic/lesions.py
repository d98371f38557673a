"""Lesions as changes of the skin: blood, melanin, pus, relief, at their size in millimetres.

A lesion is a ball around a point of the skin: what the ball cuts from the surface is the lesion. So its
size is right on every slope, and it stays on its place when the head turns.

What tells kinds apart on a photo, and here: inflamed lesions are domes of blood without pigment of their own, whose
redness is strongest in the middle and fades into the skin around; marks are flat, of even colour. Measured as log
ratios of sRGB values to the skin around, red : green : blue are -0.02 : -0.14 : -0.10 in the middle of 19 pimples and
-0.05 : -0.11 : -0.12 in that of 230 flat marks that were annotated on FFHQ portraits; 87 lesions of about 3.5 to 5 mm
on ACNE04 photos have -0.12 in green (a tenth -0.30), half of it at 0.9 radii and a twentieth at 1.6. Blood and melanin
here are chosen to match.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from comedo.synthetic.features import brow, lids, lips, skin_parts
from comedo.synthetic.head import Head
from comedo.synthetic.noise import F32, sample_tile, smoothstep
from comedo.synthetic.spec import DIAMETER_MM, LesionSpec
from comedo.types import Kind, Region


@dataclass(frozen=True)
class Look:
    """What one kind does to the skin at strength 1."""

    blood: float  # units of absorption in the middle
    melanin: float
    height: float  # relief over the radius
    halo: float  # share of the blood that reaches 1.7 radii
    pus: float = 0.0  # cover of the middle by yellow-white
    plug: float = 0.0  # cover of the middle by the dark plug
    gloss: float = 0.0
    edge: float = 0.35  # softness of the border, share of the radius


LOOKS: dict[Kind, Look] = {
    Kind.OPEN_COMEDONE: Look(blood=0.06, melanin=0.08, height=0.18, halo=0.2, plug=0.80, edge=0.5),
    Kind.CLOSED_COMEDONE: Look(blood=0.06, melanin=-0.05, height=0.42, halo=0.2, pus=0.16, gloss=0.7, edge=0.5),
    Kind.PAPULE: Look(blood=0.40, melanin=0.0, height=0.32, halo=0.35, gloss=0.6, edge=0.55),
    Kind.PUSTULE: Look(blood=0.48, melanin=0.0, height=0.34, halo=0.5, pus=0.75, gloss=0.8, edge=0.5),
    Kind.NODULE: Look(blood=0.50, melanin=0.04, height=0.24, halo=0.6, gloss=0.5, edge=0.75),
    Kind.MARK: Look(blood=0.03, melanin=0.28, height=0.0, halo=0.05, edge=0.6),
}
_PINK_MARK = Look(blood=0.30, melanin=0.03, height=0.0, halo=0.15, edge=0.7)
_UNEVEN = 0.22  # of the colour within a lesion
_LOBED = 0.06  # of the outline


@dataclass(frozen=True)
class Placed:
    """A lesion with everything drawn: where on the head, how large, how it looks."""

    spec: LesionSpec
    region: Region
    center: tuple[float, float, float]  # head frame, mm
    diameter_mm: float
    look: Look
    wobble: tuple[float, float, float, float]  # amplitudes of the outline's second and third wave


@dataclass(frozen=True, eq=False)
class Skin:
    """Changes of the skin, each (h, w) float32; `paint` adds to them in place."""

    blood: F32
    melanin: F32
    height_mm: F32
    gloss: F32
    pus: F32
    plug: F32

    def copy(self) -> Skin:
        """The same skin, to be painted on."""
        return self.take(lambda layer: layer.copy())

    def take(self, choose: Callable[[F32], F32]) -> Skin:
        """What is chosen from every layer."""
        return Skin(*(choose(getattr(self, f.name)) for f in fields(self)))

    def differs(self, other: Skin) -> NDArray[np.bool_]:
        """(h, w): where any layer is another."""
        return np.asarray(
            np.any([getattr(self, f.name) != getattr(other, f.name) for f in fields(self)], axis=0), np.bool_
        )


class NotOnSkin(ValueError):
    """The place of a lesion is hair, eye, brow, lip, ear or neck."""


def region_at(head: Head, point: F32) -> Region | None:
    """The region of a point of the skin; None where no acne is counted."""
    build = head.build
    x, y = (np.full((1, 1), point[k], np.float32) for k in (0, 1))
    eye = max(float(lids(build, s, x, y, closed=False).inside[0, 0]) for s in (-1, 1))
    if eye > -2.5 or lips(build, x, y)[0][0, 0] > -1 or brow(build, x, y, 1.0, 0)[1][0, 0] > -1.5:
        return None
    lon, lat = (
        np.degrees(np.arctan2(point[0], point[2])),
        np.degrees(np.arctan2(point[1], np.hypot(point[0], point[2]))),
    )
    col, row = (round(v) for v in head.direction_to_texel(float(lon), float(lat)))
    if head.hairline[row, col] > -4 or head.neck[row, col] > 0.2 or abs(lon) > 68 or point[1] < -105:
        return None
    part = int(skin_parts(build, x, y)[0, 0])
    return next(r for r in Region if r.part == part)


def place(spec: LesionSpec, head: Head) -> Placed:
    """Draw what the spec leaves open.

    Raises:
        NotOnSkin: If a place given in degrees is not on skin that acne affects.
    """
    rng = np.random.default_rng([spec.seed, 41])
    low, high = DIAMETER_MM[spec.kind]
    drawn = float(rng.uniform(low, high))
    wobble = tuple(float(v) for v in rng.uniform(-1, 1, 4))
    pink = rng.random() < 0.4
    look = _PINK_MARK if spec.kind is Kind.MARK and pink else LOOKS[spec.kind]
    lon_lat = draw_direction(spec.place, head, rng) if isinstance(spec.place, Region) else spec.place
    if lon_lat is None:
        raise NotOnSkin(f"no free skin found in region {spec.place}: hair covers it; choose another region")
    point = head.skin_point(*lon_lat)
    region = region_at(head, point)
    if region is None:
        raise NotOnSkin(f"LesionSpec.place must be on the skin of a region, got {spec.place}; give a Region instead")
    center = (float(point[0]), float(point[1]), float(point[2]))
    diameter = spec.diameter_mm if spec.diameter_mm is not None else drawn
    return Placed(spec, region, center, diameter, look, wobble)  # type: ignore[arg-type]


def draw_direction(region: Region, head: Head, rng: np.random.Generator) -> tuple[float, float] | None:
    """Longitude and latitude (degrees) of a spot of free skin in a region; None where hair covers all of it."""
    boxes = {
        Region.FOREHEAD: (-45, 45, 12, 42),
        Region.NOSE: (-9, 9, -23, 2),
        Region.LEFT_CHEEK: (14, 58, -46, -6),
        Region.RIGHT_CHEEK: (-58, -14, -46, -6),
        Region.CHIN: (-24, 24, -52, -28),
    }
    lon0, lon1, lat0, lat1 = boxes[region]
    for _ in range(120):
        lon, lat = float(rng.uniform(lon0, lon1)), float(rng.uniform(lat0, lat1))
        if region_at(head, head.skin_point(lon, lat)) is region:
            return lon, lat
    return None


def reach_mm(lesion: Placed) -> float:
    """Beyond this distance from its centre a lesion changes nothing."""
    return lesion.diameter_mm * 0.5 * 2.1 + 0.3


def paint(lesion: Placed, p: tuple[F32, F32, F32], skin: Skin, *, tone: float) -> NDArray[np.bool_]:
    """Add one lesion to the skin of a `tone` at the places `p` (head frame, mm) and answer with its mask.

    Darker skin leaves darker marks, and inflamed lesions darken there early (Davis & Callender 2010, J Clin Aesthet
    Dermatol 3(7):20-31).
    """
    d = [p[k] - np.float32(lesion.center[k]) for k in range(3)]
    distance = np.sqrt(d[0] ** 2 + d[1] ** 2 + d[2] ** 2)
    angle = np.arctan2(d[1], d[0])
    a, b, c, e = lesion.wobble
    outline = 1 + _LOBED * (
        a * np.cos(2 * angle) + b * np.sin(2 * angle) + c * np.cos(3 * angle) + e * np.sin(3 * angle)
    )
    r = (distance / (lesion.diameter_mm / 2 * outline)).astype(np.float32)  # 1 at the border
    look, strength = lesion.look, np.float32(lesion.spec.strength)
    core = smoothstep(1 + look.edge * 0.6, 1 - look.edge, r)
    grain = sample_tile((17, 256, 2.5, 2.5), p[0] + np.float32(7.3 * a), p[1] + np.float32(9.1 * b), 0.2)
    core = core * (1 + _UNEVEN * grain)  # inflamed skin is uneven
    halo = np.clip(1 - r / 2.0, 0, 1) ** 1.5
    skin.blood[...] += strength * look.blood * (core * (1 - look.halo) + 1.6 * look.halo * halo)
    pigment = look.melanin * (1 + 1.3 * tone) + 0.8 * look.blood * max(tone - 0.5, 0)
    skin.melanin[...] += strength * np.float32(pigment) * core
    dome = np.clip(1 - (r / 1.3) ** 2, 0, 1) ** 2  # without an edge at its foot
    skin.height_mm[...] += strength * look.height * lesion.diameter_mm / 2 * dome
    skin.gloss[...] += look.gloss * dome
    pus_edge = 0.55 if lesion.spec.kind is Kind.PUSTULE else 0.8
    skin.pus[...] = np.maximum(skin.pus, look.pus * smoothstep(pus_edge + 0.16, pus_edge - 0.32, r))
    skin.plug[...] = np.maximum(skin.plug, look.plug * smoothstep(1.0, 0.3, r))
    return np.asarray(r <= 1)
