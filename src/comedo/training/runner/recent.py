"""What was read last stays in memory, so far as there is room."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

MOST_BYTES = 2 << 30  # about 700 photos of 1024 pixels; each process that prepares examples has its own


class Weighty(Protocol):
    """What says how much room it takes, as arrays do."""

    @property
    def nbytes(self) -> int: ...


Kept = TypeVar("Kept", bound=Weighty)


@dataclass
class Recent(Generic[Kept]):
    """Things by number; those that were not asked for the longest go first. The last one stays, whatever its size."""

    most_bytes: int = MOST_BYTES
    _kept: dict[int, Kept] = field(default_factory=dict)  # the one not asked for the longest comes first
    _bytes: int = 0

    def get(self, number: int, read: Callable[[], Kept]) -> Kept:
        """The thing of that number, read if it is not there any more."""
        if number in self._kept:
            found = self._kept.pop(number)
        else:
            found = read()
            self._bytes += found.nbytes
        self._kept[number] = found
        while self._bytes > self.most_bytes and len(self._kept) > 1:
            self._bytes -= self._kept.pop(next(iter(self._kept))).nbytes
        return found
