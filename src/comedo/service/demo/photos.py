"""Photos of a rendered person over twelve weeks of treatment. No photo of anyone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from comedo.report.pictures import to_jpeg
from comedo.service.actions.views import Side
from comedo.synthetic import Camera, FaceSpec, HairStyle, Light, Person, Pose, render, same_person, scatter_lesions
from comedo.types import Kind

_PERSON = Person(tone=0.24, shape_seed=8, hair=HairStyle.LONG, hair_darkness=0.62, hair_warmth=0.5, ruddiness=0.35)
_ON_SKIN = {
    Kind.OPEN_COMEDONE: 5,
    Kind.CLOSED_COMEDONE: 6,
    Kind.PAPULE: 14,
    Kind.PUSTULE: 5,
    Kind.MARK: 3,
}
_SHUFFLE = 2654435761  # a multiplier without small factors: an order that looks like none
_DAYS = (0, 14, 29, 43, 64, 85)
_KEPT = (1.0, 0.97, 0.8, 0.66, 0.46, 0.3)  # share of the lesions still there at each visit
_TURNS: tuple[tuple[Side, float], ...] = (("left", 38.0), ("right", -38.0))  # degrees


@dataclass(frozen=True)
class DemoPhoto:
    """One photo as a file, and when and how it is said to have been taken."""

    name: str
    view: Side
    when: datetime
    jpeg: bytes


def demo_photos(
    last: datetime, *, width: int = 1080, visits: int = len(_DAYS), sides: bool = True
) -> Iterator[DemoPhoto]:
    """The series, oldest first, and both sides at the last visit; rendering takes about two seconds a photo.

    Args:
        last: When the last photo is said to have been taken.
        width: Of a photo, in pixels.
        visits: How many of the six, first and last among them; at least two.
        sides: Whether both sides come with the last.
    """
    base = _spec(width)
    order = sorted(base.lesions, key=lambda lesion: (lesion.seed * _SHUFFLE) % 2**32)
    for number in [round(i * (len(_DAYS) - 1) / (visits - 1)) for i in range(visits)]:
        day, share = _DAYS[number], _KEPT[number]
        when = last - timedelta(days=_DAYS[-1] - day)
        left = tuple(order[: round(share * len(order))])
        spec = replace(base, lesions=left) if number == 0 else same_person(base, 40 + number, lesions=left)
        yield DemoPhoto(f"{when:%Y-%m-%d}.jpg", "front", when, to_jpeg(render(spec).image, quality=92))
    for side, turn in _TURNS if sides else ():
        turned = replace(spec, pose=replace(spec.pose, yaw_deg=turn))
        yield DemoPhoto(f"{last:%Y-%m-%d}-{side}.jpg", side, last, to_jpeg(render(turned).image, quality=92))


def _spec(width: int) -> FaceSpec:
    return FaceSpec(
        person=_PERSON,
        pose=Pose(yaw_deg=2, pitch_deg=-2, roll_deg=1, smile=0.7),
        light=Light(azimuth_deg=-20, elevation_deg=32, ambient=0.5, kelvin=5400, softness=0.8),
        camera=Camera(width=width, height=round(width * 4 / 3), face_share=0.66, center_xy=(0.5, 0.53), noise=0.004),
        lesions=scatter_lesions(_PERSON, _ON_SKIN, seed=6, strength=(1.5, 2.2)),
        background_seed=21,
        noise_seed=1,
    )
