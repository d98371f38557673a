"""Places for what takes long: bounded for all and for each account, and given back in the same block."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Places:
    """How many there are. Used by the event loop alone, so that no lock is needed."""

    most: int
    most_each: int
    taken: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def hold(self, account: str) -> Iterator[bool]:
        """Hold a place while the block runs; yields False, and holds none, where all are taken."""
        free = self.taken.total() < self.most and self.taken[account] < self.most_each
        self.taken[account] += free
        try:
            yield free
        finally:
            self.taken[account] -= free
            if not self.taken[account]:
                del self.taken[account]
