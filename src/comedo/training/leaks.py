"""Nobody on both sides: a person seen in training proves nothing in validation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from comedo.errors import UnusableInput
from comedo.training.data.duplicates import Likeness, find_duplicates
from comedo.training.data.fingerprints import fingerprint
from comedo.types import Image


class LeakyData(UnusableInput):
    """A person is on both sides of the split."""

    code = "leaky_data"


def check_disjoint(members: Iterable[tuple[str, str]]) -> None:
    """Refuse a split that divides a group.

    Args:
        members: Group (person) and split of each photo.

    Raises:
        LeakyData: Photos of one group lie in more than one split.
    """
    splits: dict[str, set[str]] = {}
    for group, split in members:
        splits.setdefault(group, set()).add(split)
    divided = sorted(group for group, where in splits.items() if len(where) > 1)
    if divided:
        raise LeakyData(
            f"{len(divided)} of {len(splits)} people have photos in more than one split (first: {divided[0]}, in "
            f"{' and '.join(sorted(splits[divided[0]]))}); move all photos of a person to one side, as "
            "`comedo data split` does, or train with --allow-leaks"
        )


@dataclass(frozen=True)
class Member:
    """One photo of a training: whom it shows, on which side it is, and how its pixels are read."""

    name: str
    group: str
    split: str
    read: Callable[[], Image]


def find_copies(members: Sequence[Member]) -> list[str]:
    """Pictures that lie in more than one split under different names of a person, each in a sentence.

    Resized, recompressed and mirrored copies count. Photos of one group are left to `check_disjoint`.
    """
    if len({m.split for m in members}) < 2:
        return []
    pairs = find_duplicates([fingerprint(m.read()) for m in members])
    copies = []
    for pair in pairs:
        a, b = members[pair.first], members[pair.second]
        if a.split != b.split and a.group != b.group:
            how = "mirrored " if pair.likeness is Likeness.MIRRORED else ""
            copies.append(f"{b.name} ({b.split}) is a {how}copy of {a.name} ({a.split})")
    return copies


def guard(members: Sequence[Member], *, allow: bool = False) -> list[str]:
    """Refuse a split that leaks, by names of people or by pictures.

    Args:
        members: Every photo of both sides.
        allow: Go on; what leaks is returned for the manifest.

    Raises:
        LeakyData: There is a leak, and it is not allowed.
    """
    found = []
    try:
        check_disjoint((m.group, m.split) for m in members)
    except LeakyData as error:
        if not allow:
            raise
        found.append(str(error))
    copies = find_copies(members)
    if copies and not allow:
        raise LeakyData(
            f"{len(copies)} pictures are in more than one split (first: {copies[0]}); `comedo data audit` shows them, "
            "`comedo data split` mends it, --allow-leaks trains anyway and says so in the manifest"
        )
    return found + copies
