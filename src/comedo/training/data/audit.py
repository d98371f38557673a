"""The audit of a data set: leaks, duplicates, shortcuts, conflicts, balance, raters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from comedo.errors import UnusableInput
from comedo.training.data.conflicts import Conflict, find_conflicts
from comedo.training.data.dataset import Dataset, Sample
from comedo.training.data.duplicates import Likeness, Pair, find_duplicates, find_same_rooms
from comedo.training.data.looks import PhotoLook, look_at_all
from comedo.training.data.raters import Raters, compare_raters
from comedo.training.data.shortcuts import Shortcut, measure_shortcut

SCHEMA = "comedo.audit/1"
_Seen = tuple[Sample, PhotoLook]


@dataclass(frozen=True)
class DividedPerson:
    """Somebody whose photos lie in more than one split."""

    person: str
    splits: tuple[str, ...]
    photos: tuple[str, ...]


@dataclass(frozen=True)
class Alike:
    """Two photos that are alike, by name; `across` when they lie in different splits."""

    first: str
    second: str
    likeness: Likeness
    correlation: float
    splits: tuple[str | None, str | None]
    across: bool


@dataclass(frozen=True)
class Balance:
    """How many of everything; a split of `None` is none."""

    photos: Mapping[str, int]  # by split
    people: Mapping[str, int]
    grades: Mapping[str, Mapping[str, int]]  # split, grade
    labels: Mapping[str, Mapping[str, int]]  # split, category
    unseen: int  # photos on which nobody marked lesions


@dataclass(frozen=True)
class Audit:
    """Everything that was found. `leaks` is what makes a measurement on held-back photos worthless."""

    photos: int
    people_named: int  # photos that name their person
    unread: tuple[str, ...]
    divided: tuple[DividedPerson, ...]
    alike: tuple[Alike, ...]
    suspected: tuple[Alike, ...]  # same room, other person: perhaps one person under two names
    shared_backdrop: int
    conflicts: tuple[Conflict, ...]
    shortcuts: tuple[Shortcut, ...]
    balance: Balance
    raters: Raters

    @property
    def leaks(self) -> tuple[str, ...]:
        """Each leak in a sentence; empty when the split is clean as far as can be seen."""
        people = [f"{d.person} is in {' and '.join(d.splits)}" for d in self.divided]
        pairs = [
            f"{a.first} ({a.splits[0]}) and {a.second} ({a.splits[1]}): {_WORDS[a.likeness]}"
            for a in self.alike
            if a.across
        ]
        return (*people, *pairs)

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON; unknown is null."""
        return {"schema": SCHEMA, "leaks": self.leaks, **asdict(self)}


_WORDS = {
    Likeness.EXACT: "the same file",
    Likeness.NEAR: "the same picture",
    Likeness.MIRRORED: "the same picture, mirrored",
    Likeness.ROOM: "the same room",
}


def audit(dataset: Dataset, *, seed: int = 0) -> Audit:
    """Look at every photo and every label.

    Photos that cannot be read are named, and left out of what needs their pixels.

    Raises:
        UnusableInput: Not one of the photos can be read.
    """
    looks, unread = look_at_all(dataset.path_of(s) for s in dataset.samples)
    if unread and not any(looks):
        raise UnusableInput(
            f"not one of the {len(unread)} photos can be read, name their folder with --photos: {unread[0]}"
        )
    pairs, rooms, backdrop = _likenesses(dataset, looks)
    return Audit(
        photos=len(dataset.samples),
        people_named=sum(s.person is not None for s in dataset.samples),
        unread=tuple(unread),
        divided=divided_people(dataset),
        alike=tuple(_named(dataset, p) for p in pairs),
        suspected=tuple(_named(dataset, p) for p in rooms),
        shared_backdrop=backdrop,
        conflicts=tuple(find_conflicts(dataset, pairs)),
        shortcuts=_shortcuts(dataset, looks, seed),
        balance=balance_of(dataset),
        raters=compare_raters(dataset),
    )


def divided_people(dataset: Dataset) -> tuple[DividedPerson, ...]:
    """Everybody in more than one split, by name."""
    photos: dict[str, list[tuple[str, str]]] = {}
    for sample in dataset.samples:
        if sample.split is not None:
            photos.setdefault(sample.identity, []).append((sample.split, sample.photo))
    return tuple(
        DividedPerson(person, tuple(sorted({s for s, _ in rows})), tuple(p for _, p in rows))
        for person, rows in sorted(photos.items())
        if len({s for s, _ in rows}) > 1
    )


def _likenesses(dataset: Dataset, looks: Sequence[PhotoLook | None]) -> tuple[list[Pair], list[Pair], int]:
    places = [n for n, look in enumerate(looks) if look is not None]
    seen = [look for look in looks if look is not None]
    prints = [look.fingerprint for look in seen]
    pairs = find_duplicates(prints, [look.sha256 for look in seen])
    people = [dataset.samples[n].identity for n in places]
    rooms, backdrop = find_same_rooms(prints, people)
    same = {(p.first, p.second) for p in pairs}
    rooms = [p for p in rooms if (p.first, p.second) not in same]
    return [_moved(p, places) for p in pairs], [_moved(p, places) for p in rooms], backdrop


def _moved(pair: Pair, places: Sequence[int]) -> Pair:
    return Pair(places[pair.first], places[pair.second], pair.likeness, pair.correlation)


def _named(dataset: Dataset, pair: Pair) -> Alike:
    a, b = dataset.samples[pair.first], dataset.samples[pair.second]
    across = a.split is not None and b.split is not None and a.split != b.split
    return Alike(a.photo, b.photo, pair.likeness, round(pair.correlation, 4), (a.split, b.split), across)


def _shortcuts(dataset: Dataset, looks: Sequence[PhotoLook | None], seed: int) -> tuple[Shortcut, ...]:
    seen = [(s, look) for s, look in zip(dataset.samples, looks, strict=True) if look is not None]
    what, known = _target(seen)
    if not known:
        return ()
    labels = [int(bool(s.labels)) if what != "grade" or s.grade is None else s.grade for s, _ in known]
    people = [s.identity for s, _ in known]
    tables = {
        "file and camera": np.array([look.file for _, look in known]),
        "background": np.array([look.background for _, look in known]),
    }
    return tuple(measure_shortcut(n, t, labels, people, label=what, seed=seed) for n, t in tables.items())


def _target(known: Sequence[_Seen]) -> tuple[str, list[_Seen]]:
    """What a shortcut would tell: the grade where most photos have one, else whether there are lesions."""
    graded = [(s, look) for s, look in known if s.grade is not None]
    if 2 * len(graded) >= len(known):
        return "grade", graded
    return "lesions or none", [(s, look) for s, look in known if s.labels is not None]


def balance_of(dataset: Dataset) -> Balance:
    """Photos, people, grades and labels by split."""
    by_split: dict[str, list[int]] = {}
    for number, sample in enumerate(dataset.samples):
        by_split.setdefault(sample.split or "no split", []).append(number)
    of = {split: [dataset.samples[n] for n in rows] for split, rows in sorted(by_split.items())}
    return Balance(
        photos={split: len(rows) for split, rows in of.items()},
        people={split: len({s.identity for s in rows}) for split, rows in of.items()},
        grades={
            split: dict(sorted(Counter(str(s.grade) for s in rows if s.grade is not None).items()))
            for split, rows in of.items()
        },
        labels={
            split: {c: sum(label.category == c for s in rows for label in s.marks) for c in dataset.categories}
            for split, rows in of.items()
        },
        unseen=sum(s.labels is None for s in dataset.samples),
    )
