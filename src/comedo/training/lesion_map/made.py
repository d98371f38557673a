"""Training photos that are made: rendered faces, and clear faces with lesions of other people pasted.

The clinic's photos have many lesions, the clear ones none. What lies between, a face with three, is what people
photograph most; these photos show it. Only people and lesions of the training side are used.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from comedo.build import default_analyzer
from comedo.errors import ComedoError
from comedo.photo import read_photo
from comedo.synthetic import RenderedFace, RenderedLesion, random_spec, render
from comedo.training.change.pasted import Donor, cut_all, draw_lesions, paste
from comedo.training.lesion_map.data import IGNORE, WORK_PX_PER_MM, LesionPhoto, circles_of
from comedo.types import Group

SOURCES = RENDERED, PASTED = ("rendered", "pasted")
PASTED_FROM = ("crops1024", "clear")  # whose lesions, on whose faces
_SEEDS = 700_000  # added to a face's number: no other rendered face of the project is drawn from there
_SIDES = (560, 1040)  # width of rendered photos, pixels
_MOST_RENDERED, _MOST_PASTED = 40, 20  # lesions of a face; as often few as many
_LEAST_SHARE = 0.55  # of the picture that a rendered face takes: smaller ones show few lesions


@dataclass(frozen=True)
class MadePhotos:
    """How many are made at the start of a training."""

    rendered: int = 0
    pasted: int = 0
    seed: int = 5


def make_photos(plan: MadePhotos, known: Sequence[LesionPhoto]) -> list[LesionPhoto]:
    """Photos of both sources, all of the training side.

    Args:
        plan: How many.
        known: The recipe's photos; lesions and faces come from `PASTED_FROM`.
    """
    rendered = [_render(plan.seed, i) for i in range(plan.rendered)]
    return rendered + (list(_pasted(plan, known)) if plan.pasted else [])


def _render(seed: int, index: int) -> LesionPhoto:
    number = _SEEDS + 10_000 * seed + index
    rng = np.random.default_rng([number, 1])
    width = int(rng.integers(*_SIDES))
    lesions = round(_MOST_RENDERED ** float(rng.random()))
    spec = random_spec(number, n_lesions=lesions, max_yaw_deg=60, size_wh=(width, round(1.25 * width)))
    camera = replace(spec.camera, face_share=max(spec.camera.face_share, _LEAST_SHARE))
    return rendered_photo(render(replace(spec, camera=camera)), f"rendered-{number}")


def rendered_photo(face: RenderedFace, name: str) -> LesionPhoto:
    """A rendered face as a training photo; what cannot be seen is nobody's lesion."""
    seen = [lesion for lesion in face.lesions if lesion.visible]
    active = [lesion for lesion in seen if lesion.group is not Group.MARK]
    scale = WORK_PX_PER_MM * face.mm_per_px
    return LesionPhoto(
        name=name,
        source=RENDERED,
        split="train",
        person=name,
        path=Path(name),
        scale_xy=(scale, scale),
        active=circles_of([_circle(lesion) for lesion in active]),
        marks=circles_of([_circle(lesion) for lesion in seen if lesion.group is Group.MARK]),
        inflamed=np.array([lesion.group is Group.INFLAMMATORY for lesion in active], np.float32),
        picture=face.image,
    )


def _circle(lesion: RenderedLesion) -> tuple[float, float, float]:
    return (*lesion.center_xy, lesion.diameter_px / 2)


def _pasted(plan: MadePhotos, known: Sequence[LesionPhoto]) -> Iterator[LesionPhoto]:
    sharp = (
        (p.name, p.read, p.active)
        for p in known
        if p.source == PASTED_FROM[0] and p.split == "train" and p.active is not None
    )
    donors = list(cut_all(sharp, default_analyzer().mapper))
    clear = [p for p in known if p.source == PASTED_FROM[1] and p.split == "train"]
    if not donors or not clear:
        return
    for i in range(plan.pasted):
        made = paste_some(clear[i % len(clear)], donors, np.random.default_rng([plan.seed, i, 2]), f"pasted-{i}")
        if made is not None:
            yield made


def paste_some(photo: LesionPhoto, donors: Sequence[Donor], rng: np.random.Generator, name: str) -> LesionPhoto | None:
    """A clear face with some lesions; None where no face is found."""
    image = photo.read()
    try:
        face = default_analyzer().mapper.find(read_photo(image, name=name))
    except ComedoError:
        return None
    number = round(_MOST_PASTED ** float(rng.random()))
    mine, places = draw_lesions(image, face, donors, circles_of([]), number, rng)
    circles = circles_of([(*xy, d.radius_share * face.face_px) for xy, d in zip(places.tolist(), mine, strict=True)])
    return replace(
        photo,
        name=name,
        source=PASTED,
        path=Path(name),
        active=circles,
        sparse=None,
        inflamed=np.full(len(circles), IGNORE, np.float32),
        picture=paste(image, mine, places, face.face_px),
    )
