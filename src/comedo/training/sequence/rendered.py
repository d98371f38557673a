"""Rendered series with a known course: light, pose and scale change, lesions come and go."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from rich.progress import track

from comedo.errors import NoFaceFound
from comedo.geometry import sample_crop
from comedo.photo import read_photo
from comedo.progress.canvas import EYES_TO_LIPS_MM
from comedo.synthetic import FaceSpec, LesionSpec, RenderedFace, random_spec, render, same_person, scatter_lesions
from comedo.training.sequence.framing import Framing, face_box
from comedo.training.sequence.plan import RenderedPlan
from comedo.training.sequence.series import Course, Series, save_frames, shows, write_note
from comedo.types import Group, Image, Kind

_HELD_BACK = 500_000  # added to the number of a person who is measured on
_SHARES = {Kind.PAPULE: 0.45, Kind.PUSTULE: 0.2, Kind.CLOSED_COMEDONE: 0.15, Kind.OPEN_COMEDONE: 0.1, Kind.NODULE: 0.1}
_MARKS = 4
_LEAST_CHANGE = 6  # active lesions, and at least 40 % of them
_KEPT = 0.6
_TURNOVER = 0.25  # of the lesions on the skin: how many others may have come in their place by the next photo
_WORTH_A_BAR = 20  # series to render


@dataclass(frozen=True)
class Levels:
    """How many active lesions there are at each photo, and where in the person's pool they begin."""

    numbers: tuple[int, ...]
    starts: tuple[int, ...]


def draw_levels(rng: np.random.Generator, course: Course, *, photos: int, most: int) -> Levels:
    """A course of counts: steady but for turnover, or from many to few (or back) with small steps the other way."""
    if course is Course.SAME:
        level = int(rng.integers(0, most + 1))
        numbers = [level] * photos
    else:
        many = int(rng.integers(_LEAST_CHANGE, most + 1))
        few = int(rng.integers(0, max(0, min(int(_KEPT * many), many - _LEAST_CHANGE)) + 1))
        between = np.linspace(many, few, photos) + rng.normal(0, 0.06 * many, photos)
        numbers = [many, *np.clip(np.round(between[1:-1]), few, many).astype(int).tolist(), few]
        numbers = numbers if course is Course.BETTER else numbers[::-1]
    shift = rng.integers(0, 1 + max(1, round(_TURNOVER * max(numbers))), photos)
    return Levels(tuple(int(n) for n in numbers), tuple(int(s) for s in np.cumsum(shift)))


def series_specs(plan: RenderedPlan, number: int, index: int) -> tuple[list[FaceSpec], Course]:
    """What series `index` of person `number` shows."""
    rng = np.random.default_rng([plan.seed, number, index, 71])
    course = Course(int(rng.integers(3)))
    photos = int(rng.integers(plan.photos[0], plan.photos[1] + 1))
    size = (plan.width_px, round(1.25 * plan.width_px))
    base = random_spec(plan.seed * 1_000_000 + number, n_lesions=0, max_yaw_deg=plan.max_yaw_deg, size_wh=size)
    counts = {kind: round(1.6 * plan.lesions * share) for kind, share in _SHARES.items()}
    pool = scatter_lesions(base.person, counts | {Kind.MARK: _MARKS}, seed=number)
    marks = [lesion for lesion in pool if lesion.group is Group.MARK]
    active = [lesion for lesion in pool if lesion.group is not Group.MARK]
    active = [active[i] for i in rng.permutation(len(active))]
    levels = draw_levels(rng, course, photos=photos, most=min(plan.lesions, len(active)))
    camera = replace(base.camera, face_share=max(base.camera.face_share, 0.6), mirrored=False)
    base = replace(base, camera=camera, glasses=False)
    specs = []
    for at, (n, start) in enumerate(zip(levels.numbers, levels.starts, strict=True)):
        lesions: list[LesionSpec] = [active[(start + i) % len(active)] for i in range(n)]
        seed = int(rng.integers(2**31))
        specs.append(
            same_person(
                replace(base, background_seed=seed if at else base.background_seed), seed, lesions=(*lesions, *marks)
            )
        )
    return specs, course


def frame_of(face: RenderedFace, side_px: int) -> Image:
    """The colours of a rendered face, by its truth, (side, side, 3)."""
    box = face.box_xyxy or (0.0, 0.0, float(face.image.shape[1]), float(face.image.shape[0]))
    return sample_crop(face.image, face_box(box, EYES_TO_LIPS_MM / face.mm_per_px), (side_px, side_px))


def framed(face: RenderedFace, framing: Framing) -> Image:
    """The picture of a rendered face; where lesions are drawn, they are found as on any photo.

    Raises:
        NoFaceFound: The face map sees none.
    """
    if not framing.lesions:
        return frame_of(face, framing.side_px)
    photo = read_photo(face.image)
    return framing.cut(photo, framing.find_face(photo))


def rendered_series(plan: RenderedPlan, framing: Framing, cache: Path) -> list[Series]:
    """Every series of the plan but those in which what is in sight does not show the course (`shows`).

    What lies in `cache` already is not rendered again. Where lesions are drawn, series in which a face is not found
    are left out.
    """
    people = [("train", n) for n in range(plan.people)] + [("val", _HELD_BACK + n) for n in range(plan.held_back)]
    looks = {k: v for k, v in asdict(plan).items() if k not in ("people", "held_back", "series")}
    mark = hashlib.sha256(json.dumps([looks, framing.mark], sort_keys=True).encode()).hexdigest()[:12]
    folder = cache / f"rendered-{mark}"
    wanted = [(split, n, i) for split, n in people for i in range(plan.series)]
    missing = [(n, i) for _, n, i in wanted if not (folder / f"{n}-{i}.json").exists()]
    for number, index in track(missing, description="rendering series", disable=len(missing) < _WORTH_A_BAR):
        _make(plan, number, index, framing, folder)
    found = [_known(folder, *one) for one in wanted]
    return [s for s in found if s is not None and shows(s.course, s.loads or ())]


def _make(plan: RenderedPlan, number: int, index: int, framing: Framing, folder: Path) -> None:
    specs, course = series_specs(plan, number, index)
    faces = [render(spec) for spec in specs]
    try:
        save_frames(folder / f"{number}-{index}.npy", [framed(face, framing) for face in faces])
        known: dict[str, object] = {"course": int(course), "loads": _loads(faces)}
    except NoFaceFound:
        known = {}
    write_note(folder / f"{number}-{index}.json", json.dumps(known))


def _known(folder: Path, split: str, number: int, index: int) -> Series | None:
    name = f"{number}-{index}"
    known = json.loads((folder / f"{name}.json").read_text("utf-8"))
    if not known:
        return None
    return Series(
        name=f"rendered/{name}",
        person=f"rendered/{number}",
        split=split,
        source="rendered",
        course=Course(known["course"]),
        path=folder / f"{name}.npy",
        loads=tuple(known["loads"]),
    )


def _loads(faces: Sequence[RenderedFace]) -> list[int]:
    """Active lesions in sight."""
    return [sum(lesion.group is not Group.MARK for lesion in face.lesions) for face in faces]
