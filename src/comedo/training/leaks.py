"""Nobody on both sides: a person seen in training proves nothing in validation."""

from __future__ import annotations

from collections.abc import Iterable

from comedo.errors import UnusableInput


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
            f"{' and '.join(sorted(splits[divided[0]]))}); move all photos of a person to one side and train again"
        )
