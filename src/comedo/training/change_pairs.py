"""Repeat photos of unchanged skin, and what comedo reads on them: the ground of the test-retest model."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from comedo.errors import ComedoError, UnusableInput
from comedo.photo import read_photo
from comedo.pipeline import Analyzer
from comedo.progress.change import Series
from comedo.progress.compare import compare, compare_with_itself
from comedo.progress.ledger import place_lesions
from comedo.progress.noise import ChangeNoise, load_noise
from comedo.progress.values import Visit
from comedo.tracking import to_visit

LIGHTS = ("similar", "differs")
_ENDINGS = (".jpg", ".jpeg", ".png", ".webp")


@dataclass(frozen=True)
class Pair:
    """Two photos of one person's unchanged skin, by name."""

    a: str
    b: str
    light: str
    split: str


@dataclass(frozen=True)
class Observation:
    """What was read on a pair, on the skin that both show; `view` says whether it could be compared."""

    pair: Pair
    view: str
    matched_share: float | None
    residual_share: float | None
    light: float | None
    zoom: float
    before: dict[str, float | None]
    after: dict[str, float | None]

    @property
    def comparable(self) -> bool:
        """Whether the pair has readings."""
        return self.view == "comparable"


def read_pairs(path: Path) -> tuple[Pair, ...]:
    """The pairs of a list: photo, photo, light, split in each line; # begins a comment.

    Raises:
        UnusableInput: A line reads otherwise.
    """
    pairs = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        words = line.split("#")[0].split()
        if not words:
            continue
        if len(words) != 4 or words[2] not in LIGHTS:
            raise UnusableInput(f"{path.name}, line {number}: wants PHOTO PHOTO {'|'.join(LIGHTS)} SPLIT, got {line!r}")
        pairs.append(Pair(*words))
    return tuple(pairs)


def people_of(pairs: Iterable[Pair]) -> dict[str, int]:
    """A number for the person on each photo: pairs that share a photo, also by way of others, are one person's."""
    person: dict[str, int] = {}
    for number, pair in enumerate(pairs):
        joined = {person[name] for name in (pair.a, pair.b) if name in person}
        person.update({name: number for name, known in person.items() if known in joined})
        person.update({pair.a: number, pair.b: number})
    return person


def find_photo(folder: Path, name: str) -> Path:
    """A photo of a folder by its name without ending.

    Raises:
        UnusableInput: It is not there.
    """
    found = next((p for e in _ENDINGS if (p := folder / (name + e)).is_file()), None)
    if found is None:
        raise UnusableInput(f"there is no photo {name} in {folder}; give the folder of the listed photos")
    return found


def read_visit(analyzer: Analyzer, path: Path) -> Visit:
    """Analyse one photo of the list, poor ones too."""
    photo = read_photo(path, name=path.stem)
    return to_visit(photo, analyzer.analyze(photo, allow_poor=True))


def observe(pair: Pair, first: Visit, second: Visit, noise: ChangeNoise) -> Observation:
    """Compare the two photos of a pair and read both."""
    found = compare(first, second)
    alignment = found.alignment
    matched = None if alignment is None else alignment.matched_share
    residual = None if alignment is None else alignment.residual_share
    if not found.comparable:
        return Observation(pair, str(found.view), matched, residual, None, found.zoom, {}, {})
    both = (compare_with_itself(first), found)
    parts = first.canvas.parts
    placed = tuple(place_lesions(v, c, parts) for v, c in zip((first, second), both, strict=True))
    before, after, _ = Series((first, second), both, placed, noise).pair(0, 1)
    return Observation(pair, str(found.view), matched, residual, found.light, found.zoom, asdict(before), asdict(after))


def observe_all(pairs: Iterable[Pair], folder: Path, analyzer: Analyzer, store: Path) -> Iterator[Observation]:
    """Observe pairs one by one; each is a line of `store`, and what is there already is not done again."""
    known = {(o.pair.a, o.pair.b): o for o in read_observations(store)} if store.is_file() else {}
    noise = load_noise()
    with store.open("a", encoding="utf-8") as file:
        for pair in pairs:
            if (pair.a, pair.b) in known:
                yield known[pair.a, pair.b]
                continue
            try:
                visits = [read_visit(analyzer, find_photo(folder, name)) for name in (pair.a, pair.b)]
            except UnusableInput:
                raise
            except ComedoError as error:  # no face found: the pair is counted, not compared
                observation = Observation(pair, error.code, None, None, None, 0.0, {}, {})
            else:
                observation = observe(pair, visits[0], visits[1], noise)
            file.write(json.dumps(asdict(observation)) + "\n")
            file.flush()
            yield observation


def read_observations(path: Path) -> list[Observation]:
    """What `observe_all` stored."""
    lines = (json.loads(line) for line in path.read_text("utf-8").splitlines())
    return [Observation(**{**line, "pair": Pair(**line["pair"])}) for line in lines]


def choose(pairs: Iterable[Pair], *, split: str, most: int, seed: int = 4) -> list[Pair]:
    """Pairs of a split, at most so many, drawn at random: half under different light where there are enough."""
    mine = [p for p in pairs if split in ("all", p.split)]
    if len(mine) <= most:
        return mine
    order = [mine[i] for i in np.random.default_rng(seed).permutation(len(mine))]
    other = [p for p in order if p.light == "differs"][: most // 2]
    return [*other, *[p for p in order if p not in other][: most - len(other)]]
