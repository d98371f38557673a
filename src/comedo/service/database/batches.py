"""Many things, some at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

Thing = TypeVar("Thing")


def in_batches(things: Iterable[Thing], size: int) -> Iterator[list[Thing]]:
    """Lists of at most `size`, in order, none empty."""
    rest = iter(things)
    while some := list(islice(rest, size)):
        yield some
