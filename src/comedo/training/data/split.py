"""Splits that divide people, not photos, and keep the labels balanced."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from comedo.errors import UnusableInput
from comedo.training.data.dataset import Dataset, Sample
from comedo.training.data.duplicates import find_duplicates, groups_of
from comedo.training.data.looks import look_at_all

_BANDS = (0, 5, 20, 50)  # lesions; the Hayashi bands stand in for a grade where there is none


@dataclass(frozen=True)
class Shares:
    """Share of the photos in each split."""

    of: Mapping[str, float]

    def __post_init__(self) -> None:
        if not self.of or min(self.of.values()) <= 0:
            raise UnusableInput(f"a split needs a share above 0 for each name, got {dict(self.of)}")


def parse_shares(text: str) -> Shares:
    """Shares from `train=0.7,val=0.15,test=0.15`; they are scaled to a sum of 1.

    Raises:
        UnusableInput: The text is not of this form.
    """
    pairs = [part.partition("=") for part in text.split(",")]
    try:
        found = {name.strip(): float(value) for name, _, value in pairs}
    except ValueError as error:
        raise UnusableInput(f"--shares wants name=share, as in train=0.8,val=0.2; got {text!r}") from error
    if any(not name for name in found):
        raise UnusableInput(f"--shares wants name=share, as in train=0.8,val=0.2; got {text!r}")
    total = sum(found.values())
    return Shares({name: value / total for name, value in found.items()} if total > 0 else found)


def split_people(dataset: Dataset, shares: Shares, *, seed: int, together: Sequence[tuple[int, int]] = ()) -> Dataset:
    """Assign every photo to a split so that nobody is in two.

    Args:
        dataset: Photos; one that names no person is a person of its own.
        shares: Share of the photos in each split.
        seed: The same seed gives the same split.
        together: Pairs of photos that belong to one person whatever their names: duplicates.

    Returns:
        The data set with new splits. Strata (grades, else bands of lesion counts) are spread as
        evenly as whole people allow: largest people first, each to where most is lacking.
    """
    members = _people(dataset, together)
    strata = [stratum(s) for s in dataset.samples]
    wanted = {name: {s: share * n for s, n in Counter(strata).items()} for name, share in shares.of.items()}
    rng = np.random.default_rng(seed)
    order = sorted(rng.permutation(len(members)).tolist(), key=lambda k: -len(members[k]))
    splits: list[str] = [""] * len(dataset.samples)
    for person in order:
        counts = Counter(strata[n] for n in members[person])
        best = max(shares.of, key=lambda name: (sum(wanted[name][s] * n for s, n in counts.items()), name))
        for s, n in counts.items():
            wanted[best][s] -= n
        for n in members[person]:
            splits[n] = best
    samples = tuple(replace(s, split=split) for s, split in zip(dataset.samples, splits, strict=True))
    return replace(dataset, samples=samples)


def _people(dataset: Dataset, together: Sequence[tuple[int, int]]) -> list[list[int]]:
    first: dict[str, int] = {}
    pairs = list(together)
    for number, sample in enumerate(dataset.samples):
        pairs.append((first.setdefault(sample.identity, number), number))
    members: dict[int, list[int]] = {}
    for number, group in enumerate(groups_of(pairs, len(dataset.samples))):
        members.setdefault(group, []).append(number)
    return list(members.values())


def stratum(sample: Sample) -> str:
    """The grade, else the band of the lesion count, else that nobody looked."""
    if sample.grade is not None:
        return f"grade {sample.grade}"
    if sample.labels is None:
        return "not looked at"
    return f"band {sum(len(sample.labels) > limit for limit in _BANDS)}"


def copies(dataset: Dataset) -> list[tuple[int, int]]:
    """Pairs of photos that are one picture, for `split_people`; photos that cannot be read are left out."""
    looks, _ = look_at_all(dataset.path_of(s) for s in dataset.samples)
    places = [n for n, look in enumerate(looks) if look is not None]
    pairs = find_duplicates([look.fingerprint for look in looks if look is not None])
    return [(places[p.first], places[p.second]) for p in pairs]
