"""Two photos of one person: as they are, with counts that hardly differ, and with lesions pasted onto one or both."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path

import numpy as np
from rich.progress import track

from comedo.errors import NoFaceFound
from comedo.face.skin import skin_mask
from comedo.photo import read_photo
from comedo.training.augmentation.paste import Patch, Placement, cut_patches, draw_placements, paste
from comedo.training.change.pairs import Pair, find_photo, people_of, read_pairs
from comedo.training.command import RECIPES
from comedo.training.data.convert import read_dataset
from comedo.training.data.dataset import Sample
from comedo.training.sequence.framing import Framing
from comedo.training.sequence.plan import PairsPlan
from comedo.training.sequence.series import Course, Series, fingerprint, save_frames, shows, write_note
from comedo.types import FaceMap, Mask, Photo

# Which photo of a pair gets lesions: the second (worse), the first (better), both (the same number), none.
_PASTED: Sequence[tuple[Course, tuple[bool, bool]]] = (
    (Course.SAME, (False, False)),
    (Course.WORSE, (False, True)),
    (Course.BETTER, (True, False)),
    (Course.SAME, (True, True)),
)


_CLEAR_CHANGE = 0.4  # lesions pasted, of those that are there: fewer are no change to be seen


@dataclass(frozen=True, eq=False)
class Subject:
    """One photo with its face, its skin, its labelled lesions and those cut out of it."""

    photo: Photo
    face: FaceMap
    skin: Mask
    sample: Sample
    patches: tuple[Patch, ...]


def pair_series(plan: PairsPlan, root: Path, framing: Framing, cache: Path) -> list[Series]:
    """Versions of every pair in comedo's own list; held-back pairs come as they are and with one change each.

    What lies in `cache` already is not made again. Pairs in whose photos no face is found are left out, as are those
    that nobody labelled, or whose labelled and pasted lesions do not show the course: the photos are of different days.
    """
    pairs = read_pairs(RECIPES / "change-pairs.txt")
    people = people_of(pairs)
    wanted = [(p, v) for p in pairs for v in (range(plan.versions) if p.split == "train" else _held_back(p))]
    names = sorted({n for p in pairs for n in (p.a, p.b)})
    seen = fingerprint([root / plan.annotations, *(find_photo(root / plan.photos, n) for n in names)])
    folder = cache / f"pairs-{framing.mark}-{seen}-{plan.pasted[0]}-{plan.pasted[1]}"
    missing = [(p, v) for p, v in wanted if not (folder / f"{_name(p, v)}.json").exists()]
    if missing:  # all photos give lesions to paste, so that a run that was killed goes on to the same series
        subjects = _subjects(pairs, root / plan.photos, root / plan.annotations, framing)
        for pair, version in track(missing, description="framing repeat photos"):
            _make(pair, version, subjects, plan, framing, folder)
    return [s for p, v in wanted if (s := _series(p, v, people[p.a], folder)) is not None]


def _held_back(pair: Pair) -> tuple[int, int]:
    return 0, 1 + sum(map(ord, pair.a + pair.b)) % 2  # better or worse, about evenly


def _name(pair: Pair, version: int) -> str:
    return f"{pair.a}-{pair.b}-{version}"


def _series(pair: Pair, version: int, person: int, folder: Path) -> Series | None:
    name = _name(pair, version)
    loads = json.loads((folder / f"{name}.json").read_text("utf-8"))["loads"]
    if loads is None:
        return None
    course, pasted = _PASTED[version % len(_PASTED)]
    if None in loads or not shows(course, loads):
        return None
    source = "pairs with pasted lesions" if any(pasted) else "pairs"
    return Series(f"pairs/{name}", f"pairs/{person}", pair.split, source, course, folder / f"{name}.npy", tuple(loads))


def _make(
    pair: Pair, version: int, subjects: Mapping[str, Subject], plan: PairsPlan, framing: Framing, folder: Path
) -> None:
    name = _name(pair, version)
    both = [subjects[n] for n in (pair.a, pair.b) if n in subjects]
    rng = np.random.default_rng([version, *map(ord, pair.a + pair.b)])
    _, pasted = _PASTED[version % len(_PASTED)]
    patches = _patches_for(both, subjects)
    placed = _placements(both, pasted, patches, plan.pasted, rng) if len(both) == 2 else None
    loads = None
    if placed is not None:
        photos = [_pasted(s, patches, places) for s, places in zip(both, placed, strict=True)]
        save_frames(folder / f"{name}.npy", [framing.cut(p, s.face) for p, s in zip(photos, both, strict=True)])
        loads = [_load(s, places) for s, places in zip(both, placed, strict=True)]
    write_note(folder / f"{name}.json", json.dumps({"loads": loads}))


def _patches_for(both: Sequence[Subject], subjects: Mapping[str, Subject]) -> list[Patch]:
    """Lesions of other photos of the same side of the split: a held-back lesion is never learnt from."""
    mine, sides = {s.sample.photo for s in both}, {s.sample.split for s in both}
    others = [s for s in subjects.values() if s.sample.split in sides and s.sample.photo not in mine]
    return [patch for s in others for patch in s.patches]


def _placements(
    both: Sequence[Subject],
    pasted: Sequence[bool],
    patches: Sequence[Patch],
    limits: tuple[int, int],
    rng: np.random.Generator,
) -> list[tuple[Placement, ...]] | None:
    """What goes onto either photo; None where too few find room to make a change."""
    least = max(limits[0], ceil(_CLEAR_CHANGE * max(len(s.sample.marks) for s in both)))
    if any(pasted) and least > limits[1]:
        return None
    number = int(rng.integers(least, limits[1] + 1)) if any(pasted) else 0
    found = [
        draw_placements(rng, patches, s.sample, s.skin, number=number if here else 0)
        for s, here in zip(both, pasted, strict=True)
    ]
    enough = all(len(places) >= least for places, here in zip(found, pasted, strict=True) if here)
    return found if enough else None


def _pasted(subject: Subject, patches: Sequence[Patch], places: Sequence[Placement]) -> Photo:
    image, _ = paste(subject.photo.image, subject.sample, patches, places)
    return replace(subject.photo, image=image)


def _load(subject: Subject, places: Sequence[Placement]) -> int | None:
    """Lesions that are labelled or pasted; None where nobody labelled the photo."""
    return None if subject.sample.labels is None else len(subject.sample.marks) + len(places)


def _subjects(pairs: Sequence[Pair], photos: Path, annotations: Path, framing: Framing) -> dict[str, Subject]:
    labelled = {
        Path(s.photo).stem: s for s in read_dataset(annotations).samples if Path(s.photo).parent.name == photos.name
    }
    found: dict[str, Subject] = {}
    for name in sorted({n for p in pairs for n in (p.a, p.b)}):
        photo = read_photo(find_photo(photos, name), name=name)
        try:
            face = framing.find_face(photo)
        except NoFaceFound:
            continue
        split = next(p.split for p in pairs if name in (p.a, p.b))
        known = labelled.get(name, Sample(name, None))
        sample = replace(known, width=photo.width, height=photo.height, split=split)
        skin = skin_mask(face, photo.width, photo.height)
        found[name] = Subject(photo, face, skin, sample, tuple(cut_patches(photo.image, sample, skin)))
    return found
