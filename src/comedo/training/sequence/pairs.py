"""Repeat photos of real skin: as they are, nothing changed; with lesions of others pasted onto one, something did."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from rich.progress import track

from comedo.errors import NoFaceFound
from comedo.face.skin import skin_mask
from comedo.photo import read_photo
from comedo.training.augmentation.paste import Patch, cut_patches, draw_placements, paste
from comedo.training.change_pairs import Pair, find_photo, people_of, read_pairs
from comedo.training.command import RECIPES
from comedo.training.data.convert import read_dataset
from comedo.training.data.dataset import Sample
from comedo.training.sequence.framing import Framing
from comedo.training.sequence.plan import PairsPlan
from comedo.training.sequence.series import Course, Series, save_frames, write_note
from comedo.types import FaceMap, Image, Mask, Photo

# Which photo of a pair gets lesions: the second (worse), the first (better), both (the same number), none.
_PASTED: Sequence[tuple[Course, tuple[bool, bool]]] = (
    (Course.SAME, (False, False)),
    (Course.WORSE, (False, True)),
    (Course.BETTER, (True, False)),
    (Course.SAME, (True, True)),
)


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

    What lies in `cache` already is not made again. Pairs in whose photos no face is found are left out.
    """
    pairs = read_pairs(RECIPES / "change-pairs.txt")
    people = people_of(pairs)
    wanted = [(p, v) for p in pairs for v in (range(plan.versions) if p.split == "train" else _held_back(p))]
    folder = cache / f"pairs-{framing.mark}-{plan.pasted[0]}-{plan.pasted[1]}"
    missing = [(p, v) for p, v in wanted if not (folder / f"{_name(p, v)}.json").exists()]
    if missing:
        subjects = _subjects([p for p, _ in missing], root / plan.photos, root / plan.annotations, framing)
        for pair, version in track(missing, description="framing repeat photos"):
            _make(pair, version, subjects, plan, framing, folder)
    return [s for p, v in wanted if (s := _series(p, v, people[p.a], folder)) is not None]


def _held_back(pair: Pair) -> tuple[int, int]:
    return 0, 1 + sum(map(ord, pair.a + pair.b)) % 2  # better or worse, about evenly


def _name(pair: Pair, version: int) -> str:
    return f"{pair.a}-{pair.b}-{version}"


def _series(pair: Pair, version: int, person: int, folder: Path) -> Series | None:
    name = _name(pair, version)
    if not json.loads((folder / f"{name}.json").read_text("utf-8"))["faces"]:
        return None
    course, pasted = _PASTED[version % len(_PASTED)]
    source = "pairs with pasted lesions" if any(pasted) else "pairs"
    return Series(f"pairs/{name}", f"pairs/{person}", pair.split, source, course, folder / f"{name}.npy")


def _make(
    pair: Pair, version: int, subjects: Mapping[str, Subject], plan: PairsPlan, framing: Framing, folder: Path
) -> None:
    name = _name(pair, version)
    both = [subjects[n] for n in (pair.a, pair.b) if n in subjects]
    if len(both) == 2:
        rng = np.random.default_rng([version, *map(ord, pair.a + pair.b)])
        same_side = {s.sample.photo for s in both}
        # Patches of the same side of the split only: a held-back lesion is never learnt from.
        patches = [
            patch
            for s in subjects.values()
            if s.sample.split == both[0].sample.split and s.sample.photo not in same_side
            for patch in s.patches
        ]
        number = int(rng.integers(plan.pasted[0], plan.pasted[1] + 1))
        _, pasted = _PASTED[version % len(_PASTED)]
        frames = [_frame(s, patches, number if here else 0, rng, framing) for s, here in zip(both, pasted, strict=True)]
        save_frames(folder / f"{name}.npy", frames)
    write_note(folder / f"{name}.json", json.dumps({"faces": len(both) == 2}))


def _frame(
    subject: Subject, patches: Sequence[Patch], number: int, rng: np.random.Generator, framing: Framing
) -> Image:
    photo = subject.photo
    if number:
        places = draw_placements(rng, patches, subject.sample, subject.skin, number=number)
        image, _ = paste(photo.image, subject.sample, patches, places)
        photo = replace(photo, image=image)
    return framing.cut(photo, subject.face)


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
        known = labelled.get(name, Sample(name))
        sample = replace(known, width=photo.width, height=photo.height, split=split)
        skin = skin_mask(face, photo.width, photo.height)
        found[name] = Subject(photo, face, skin, sample, tuple(cut_patches(photo.image, sample, skin)))
    return found
