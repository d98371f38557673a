"""Photos of real faces between which the change is known: retaken, with lesions pasted, or counted by annotators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from comedo.geometry import apply, invert
from comedo.photo import read_photo
from comedo.pipeline import Analyzer
from comedo.progress.placing import inside
from comedo.progress.values import Comparison, State, Track, Visit
from comedo.tracking import to_visit
from comedo.training.change.pasted import Donor, draw_lesions, paste
from comedo.training.change.retake import Retake, draw_retake
from comedo.types import Image

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Statement = tuple[int, int, State]  # lesion (negative: none that is known), visit, state
_FEWEST, _MOST = 6, 24
_KEPT = (0.0, 0.5)  # share of pasted lesions left after a change
_NEAR = 1.3  # radii within which a found lesion is the pasted one, but at least ...
_NEAR_SHARE = 0.025  # ... this share of the face's size: 1.6 mm of an adult
COURSES = ("better", "same", "worse")
NO_CIRCLES = np.zeros((0, 3), np.float32)


@dataclass(frozen=True, eq=False)
class Known:
    """Two visits of one face, and what truly changed: lesions after minus before."""

    visits: tuple[Visit, Visit]
    change: int
    places: tuple[F64, F64]  # of pasted lesions (N, 2) in either visit's photo, NaN where it has not got them
    near_px: F64  # (N,) how near a finding must be


def retake_twice(image: Image, name: str, analyzer: Analyzer, seed: int) -> Known:
    """One photo retaken twice: nothing changed. Every other seed differs as much as photos of a phone do.

    Raises:
        NoFaceFound: There is no face in one of them.
    """
    return _known(image, image, name, analyzer, seed, (np.zeros((0, 2)), np.zeros((0, 2))), np.zeros(0))


def paste_and_retake(
    image: Image, name: str, analyzer: Analyzer, donors: Sequence[Donor], seed: int, own: F32 = NO_CIRCLES
) -> Known:
    """A photo with lesions pasted, and with more, as many or fewer of them, each retaken.

    Args:
        image: (H, W, 3) uint8 RGB.
        name: What to call it.
        analyzer: Finds the face, and measures.
        donors: Lesions to paste.
        seed: Draws number, places, course and retakes.
        own: (N, 3) circles of lesions that the face has; nothing is pasted near them.

    Raises:
        NoFaceFound: There is no face in one of them.
    """
    rng = np.random.default_rng([seed, 93])
    face = analyzer.mapper.find(read_photo(image, name=name))
    number = int(rng.integers(_FEWEST, _MOST))
    mine, places = draw_lesions(image, face, donors, own, number, rng)
    few = rng.permutation(len(places)) < round(len(places) * float(rng.uniform(*_KEPT)))
    every = np.ones(len(places), bool)
    course = {"better": (every, few), "same": (every, every), "worse": (few, every)}[COURSES[seed % 3]]
    photos = [paste(image, [d for d, k in zip(mine, on, strict=True) if k], places[on], face.face_px) for on in course]
    shown = tuple(np.where(on[:, None], places, np.nan) for on in course)
    radii = np.array([d.radius_share for d in mine]) * face.face_px
    near = np.maximum(_NEAR * radii, _NEAR_SHARE * face.face_px)
    return _known(photos[0], photos[1], name, analyzer, seed, (shown[0], shown[1]), near)


def _known(
    first: Image, second: Image, name: str, analyzer: Analyzer, seed: int, shown: tuple[F64, F64], near: F64
) -> Known:
    visits, places = [], []
    for i, (image, where) in enumerate(zip((first, second), shown, strict=True)):
        retake = draw_retake(np.random.default_rng([seed, i, 91]), strength=1.0 + seed % 2)
        photo = read_photo(retake.apply(image), name=f"{name} {i + 1}")
        day = datetime(2026, 1 + i, 1)  # noqa: DTZ001 - photos know no zone
        visits.append(to_visit(photo, analyzer.analyze(photo, allow_poor=True), day))
        places.append(_retaken(retake, where, image.shape[1], image.shape[0]))
    before, after = (int(np.isfinite(p[:, 0]).sum()) for p in shown)
    return Known((visits[0], visits[1]), after - before, (places[0], places[1]), near)


def _retaken(retake: Retake, points_xy: F64, width: int, height: int) -> F64:
    """Where points of the photo lie in the retaken one: fixed-point steps undo `Retake.places`."""
    found = points_xy.copy()
    for _ in range(12):
        found = found - (retake.places(found, (width, height)) - points_xy)
    return found


def count_annotated(circles: F32, visit: Visit, comparison: Comparison, common: NDArray[np.bool_]) -> int:
    """Lesions that annotators marked in a visit's photo, (N, 3) circles, on skin of the baseline canvas."""
    if not len(circles):
        return 0
    points = apply(invert(visit.canvas.to_photo), circles[:, :2].astype(np.float64))
    if comparison.alignment is not None:
        points = comparison.alignment.to_baseline(points)
    return sum(inside(common, (x, y)) for x, y in points.tolist())


def true_statements(known: Known) -> set[Statement]:
    """What is true of the pasted lesions at the second visit."""
    there = [np.isfinite(p[:, 0]) for p in known.places]
    states = {(True, True): State.PERSISTING, (False, True): State.NEW, (True, False): State.RESOLVED}
    pairs = enumerate(zip(there[0].tolist(), there[1].tolist(), strict=True))
    return {(i, 1, states[pair]) for i, pair in pairs if pair in states}


def told_statements(known: Known, ledger: Sequence[Track]) -> set[Statement]:
    """What the ledger says of pasted lesions at the second visit, and of others that they came or went."""
    identity = [_identify(v, places, known.near_px) for v, places in zip(known.visits, known.places, strict=True)]
    told: set[Statement] = set()
    for track in ledger:
        here = track.at(1)
        if not track.was_active or here is None:
            continue
        mine = (identity[s.visit].get(s.lesion_id) for s in track.sightings if s.lesion_id is not None)
        lesion = next((i for i in mine if i is not None), -track.id)
        changed = here.state in (State.NEW, State.RESOLVED)
        if changed or (lesion >= 0 and here.state is State.PERSISTING):
            told.add((lesion, 1, here.state))
    return told


def _identify(visit: Visit, places: F64, near_px: F64) -> Mapping[int, int]:
    """Which pasted lesion each found one is, nearest first, each taken once."""
    pairs = sorted(
        (apart, lesion.id, i)
        for lesion in visit.lesions
        for i, (place, near) in enumerate(zip(places, near_px, strict=True))
        if (apart := float(np.hypot(*(place - np.array(lesion.center_xy))))) <= near
    )
    found: dict[int, int] = {}
    for _, lesion, i in pairs:
        if lesion not in found and i not in found.values():
            found[lesion] = i
    return found
