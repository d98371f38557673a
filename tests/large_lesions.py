"""Series of rendered people with large, angry lesions or none: what a small network can learn in seconds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from comedo.synthetic import FaceSpec, LesionSpec, random_spec, render, same_person, scatter_lesions
from comedo.synthetic.render import RenderedFace
from comedo.training.sequence.framing import Framing
from comedo.training.sequence.rendered import framed
from comedo.training.sequence.series import Course, Series, save_frames
from comedo.types import Kind

SIDE = 64
_NODULES = {Kind.NODULE: 14}


def large_lesions(folder: Path, framing: Framing, *, people: int, held_back: int) -> list[Series]:
    """Four series of each person: better, worse, the same without lesions and with them."""
    sides = [("train", n) for n in range(people)] + [("val", 100 + n) for n in range(held_back)]
    return [series for split, number in sides for series in _person(folder, framing, split, number)]


def _person(folder: Path, framing: Framing, split: str, number: int) -> Iterator[Series]:
    clear, covered = ([(framed(f, framing), len(f.lesions)) for f in faces] for faces in faces_of(number))
    courses = {
        "better": (Course.BETTER, covered[0], clear[0]),
        "worse": (Course.WORSE, clear[1], covered[1]),
        "clear": (Course.SAME, *clear),
        "covered": (Course.SAME, *covered),
    }
    for name, (course, *photos) in courses.items():
        path = save_frames(folder / f"{number}-{name}.npy", [picture for picture, _ in photos])
        loads = tuple(number_of_lesions for _, number_of_lesions in photos)
        yield Series(f"{number}-{name}", str(number), split, "rendered", course, path, loads)


def faces_of(number: int) -> tuple[list[RenderedFace], list[RenderedFace]]:
    """Two photos of a person without lesions, and two with."""
    base = random_spec(number, n_lesions=0, max_yaw_deg=10, size_wh=(160, 200), tone=0.3)
    camera = replace(base.camera, face_share=0.85, mirrored=False)
    base = replace(base, camera=camera, glasses=False)
    drawn = scatter_lesions(base.person, _NODULES, seed=number, strength=(2.3, 2.8))
    many = tuple(replace(lesion, diameter_mm=6.0) for lesion in drawn)
    clear, covered = ([_face(base, 10 * number + i, skin) for i in range(2)] for skin in ((), many))
    return clear, covered


def _face(base: FaceSpec, seed: int, lesions: tuple[LesionSpec, ...]) -> RenderedFace:
    return render(same_person(base, seed, lesions=lesions))
