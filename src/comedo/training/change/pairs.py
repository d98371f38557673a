"""Pairs of photos of one person, and what comedo reads on them: the ground of the test-retest model."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from comedo.errors import UnusableInput
from comedo.photo import read_photo
from comedo.pipeline import Analyzer
from comedo.progress.compare import compare_with_itself
from comedo.progress.ledger import build_ledger
from comedo.progress.noise import ChangeNoise
from comedo.progress.series import Series
from comedo.progress.values import Comparison, Track, Visit
from comedo.tracking import to_visit
from comedo.types import Verdict

LIGHTS = ("similar", "differs")
WHENS = ("session", "later", "unsure")
VISITS, RETAKEN, PASTED = "visits", "retaken", "pasted"
CLEAR = "clear"  # in the place of a pair's split: a face that has no lesions of its own
_ANNOTATORS_DIFFER = 2.0
_ENDINGS = (".jpg", ".jpeg", ".png", ".webp")


@dataclass(frozen=True)
class Pair:
    """Two photos of one person, by name; `when` says whether hair, clothes and room are those of one session."""

    a: str
    b: str
    light: str
    split: str
    when: str = "unsure"


@dataclass(frozen=True)
class Observation:
    """What was read on a pair, on the skin that both show; `view` says whether it could be compared.

    `kind` is how the pair came about, `known` the true change in lesions as far as it is known.
    """

    pair: Pair
    view: str
    matched_share: float | None
    residual_share: float | None
    light: float | None
    zoom: float
    before: dict[str, float | None]
    after: dict[str, float | None]
    kind: str = VISITS
    known: float | None = None
    totals: tuple[int, int] | None = None  # active lesions of either analysis, without any comparison
    sharpness: float = 0.0  # log2 of the second photo's over the first's
    poor: bool = False  # the quality gate refuses one of the photos
    found: tuple[int, int, int] | None = None  # of the ledger's statements on pasted lesions: right, wrong, missed

    @property
    def comparable(self) -> bool:
        """Whether the pair has readings that count: a series refuses a poor photo before it is compared."""
        return self.view == "comparable" and not self.poor

    @property
    def unchanged(self) -> bool:
        """Whether both photos show as many lesions; annotators of two days may differ by two."""
        return self.known is not None and abs(self.known) <= (_ANNOTATORS_DIFFER if self.kind == VISITS else 0.0)


def read_pairs(path: Path) -> tuple[Pair, ...]:
    """The pairs of a list: photo, photo, light, split, when in each line; # begins a comment.

    Raises:
        UnusableInput: A line reads otherwise.
    """
    pairs = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        words = line.split("#")[0].split()
        if not words:
            continue
        if len(words) != 5 or words[2] not in LIGHTS or words[4] not in WHENS:
            wanted = f"PHOTO PHOTO {'|'.join(LIGHTS)} SPLIT {'|'.join(WHENS)}"
            raise UnusableInput(f"{path.name}, line {number}: wants {wanted}, got {line!r}")
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


def observe(
    pair: Pair, visits: tuple[Visit, Visit], found: Comparison, noise: ChangeNoise
) -> tuple[Observation, tuple[Track, ...]]:
    """Read both photos of a pair that is compared already; also its ledger."""
    alignment = found.alignment
    matched = None if alignment is None else alignment.matched_share
    residual = None if alignment is None else alignment.residual_share
    poor = any(visit.quality.verdict is Verdict.POOR for visit in visits)
    nothing = Observation(pair, str(found.view), matched, residual, None, found.zoom, {}, {}, poor=poor)
    if not found.comparable:
        return nothing, ()
    both = (compare_with_itself(visits[0]), found)
    ledger = build_ledger(visits, both)
    before, after, conditions = Series(visits, both, ledger, noise).pair(0, 1)
    totals = (visits[0].counts.total, visits[1].counts.total)
    read = replace(
        nothing,
        light=found.light,
        sharpness=conditions.sharpness,
        before=asdict(before),
        after=asdict(after),
        totals=totals,
    )
    return read, ledger


def read_observations(path: Path) -> list[Observation]:
    """What an earlier run stored."""
    return [observation_of(json.loads(line)) for line in path.read_text("utf-8").splitlines()]


def observation_of(row: Mapping[str, Any]) -> Observation:
    """An observation from its JSON."""
    tuples = {name: None if row[name] is None else tuple(row[name]) for name in ("totals", "found")}
    return Observation(**{**row, **tuples, "pair": Pair(**row["pair"])})


def choose(pairs: Iterable[Pair], *, split: str, most: int, seed: int = 4) -> list[Pair]:
    """Pairs of a split, at most so many, drawn at random: half under different light where there are enough."""
    mine = [p for p in pairs if split in ("all", p.split)]
    if len(mine) <= most:
        return mine
    order = [mine[i] for i in np.random.default_rng(seed).permutation(len(mine))]
    other = [p for p in order if p.light == "differs"][: most // 2]
    return [*other, *[p for p in order if p not in other][: most - len(other)]]
