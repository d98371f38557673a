"""Which photos are the same picture, and which were taken in the same room."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from comedo.training.data.fingerprints import Fingerprint, alike

# Of 64 bits. Two unrelated photos differ in about 32; of 285 frames in two sizes on ACNE04 280 in 8 or fewer.
_CANDIDATE_BITS = 12
# Of the band-pass pictures. On ACNE04 275 of 285 frames in two sizes reach it; so do two pairs of photos of one person
# in one pose (0.88, 0.86), and no pair of two people's (up to 0.81).
_SAME_DETAIL = 0.85
_SAME_ROOM = 0.93  # correlation of the frames' outer rings
_PEOPLE_OF_A_BACKDROP = 4  # a room that so many people share says nothing of who they are
_BLOCK = 2048


class Likeness(StrEnum):
    """How two photos are alike."""

    EXACT = "exact"  # the same bytes
    NEAR = "near"  # the same picture, resized, recompressed or retouched
    MIRRORED = "mirrored"
    ROOM = "same room"  # suspected: the same background


@dataclass(frozen=True)
class Pair:
    """Two photos, by their place in the list, with the correlation that says so."""

    first: int
    second: int
    likeness: Likeness
    correlation: float


def find_duplicates(prints: Sequence[Fingerprint], digests: Sequence[str] | None = None) -> list[Pair]:
    """Pairs of photos that are one picture: candidates by hash, then verified by detail.

    Args:
        prints: One for each photo.
        digests: Hashes of the files, where equal ones shall be told as exact.
    """
    same = _equal(digests or ())
    pairs = [Pair(a, b, Likeness.EXACT, 1.0) for a, b in same]
    known = set(same)
    for a, b in _candidates(prints):
        correlation, mirrored = alike(prints[a].detail, prints[b].detail)
        if correlation >= _SAME_DETAIL and (a, b) not in known:
            pairs.append(Pair(a, b, Likeness.MIRRORED if mirrored else Likeness.NEAR, correlation))
    return sorted(pairs, key=lambda p: (p.first, p.second))


def _equal(digests: Sequence[str]) -> list[tuple[int, int]]:
    places: dict[str, list[int]] = {}
    for place, digest in enumerate(digests):
        places.setdefault(digest, []).append(place)
    return [(a, b) for group in places.values() for n, a in enumerate(group) for b in group[n + 1 :]]


def _candidates(prints: Sequence[Fingerprint]) -> Iterator[tuple[int, int]]:
    straight = np.array([p.hash for p in prints], np.uint64)
    mirrored = np.array([p.mirrored_hash for p in prints], np.uint64)
    for start in range(0, len(prints), _BLOCK):
        block = straight[start : start + _BLOCK, None]
        apart = np.minimum(np.bitwise_count(block ^ straight[None]), np.bitwise_count(block ^ mirrored[None]))
        rows, columns = np.nonzero(apart <= _CANDIDATE_BITS)
        for a, b in zip(rows + start, columns, strict=True):
            if a < b:
                yield int(a), int(b)


def find_same_rooms(prints: Sequence[Fingerprint], people: Sequence[Hashable]) -> tuple[list[Pair], int]:
    """Pairs of photos of different people whose frames show the same background.

    Returns:
        The pairs; and how many photos stand before a backdrop that several people share (a
        clinic's wall), which are no suspicion but a way to tell where a photo was taken.
    """
    known = [place for place, p in enumerate(prints) if p.room is not None]
    if len(known) < 2:
        return [], 0
    flat = np.stack([_flat(prints[place]) for place in known])
    turned = np.stack([_flat(prints[place], mirrored=True) for place in known])
    pairs = []
    for start in range(0, len(known), _BLOCK):
        block = flat[start : start + _BLOCK]
        fits = np.maximum(block @ flat.T, block @ turned.T)
        for a, b in zip(*np.nonzero(fits >= _SAME_ROOM), strict=True):
            if a + start < b:
                pairs.append(Pair(known[a + start], known[b], Likeness.ROOM, float(fits[a, b])))
    shared = _backdrops(pairs, people)
    different = [p for p in pairs if people[p.first] != people[p.second]]
    return [p for p in different if p.first not in shared], len(shared)


def _flat(print_: Fingerprint, *, mirrored: bool = False) -> NDArray[np.float32]:
    assert print_.room is not None
    return (print_.room[:, ::-1] if mirrored else print_.room).ravel()


def _backdrops(pairs: Iterable[Pair], people: Sequence[Hashable]) -> set[int]:
    rooms = groups_of(((p.first, p.second) for p in pairs), len(people))
    members: dict[int, set[Hashable]] = {}
    for place, room in enumerate(rooms):
        members.setdefault(room, set()).add(people[place])
    return {place for place, room in enumerate(rooms) if len(members[room]) >= _PEOPLE_OF_A_BACKDROP}


def groups_of(pairs: Iterable[tuple[int, int]], number: int) -> list[int]:
    """Group number of each of `number` things, where the things of a pair belong together."""
    leader = list(range(number))

    def lead(thing: int) -> int:
        while leader[thing] != thing:
            leader[thing] = leader[leader[thing]]
            thing = leader[thing]
        return thing

    for a, b in pairs:
        low, high = sorted((lead(a), lead(b)))
        leader[high] = low
    return [lead(thing) for thing in range(number)]


def by_likeness(pairs: Iterable[Pair]) -> Mapping[Likeness, int]:
    """How many pairs of each kind."""
    return Counter(p.likeness for p in pairs)
