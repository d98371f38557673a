"""Places for what takes long or much: bounded for all and for each account, and given back in the same block."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

LOOK_S = 0.05


@dataclass
class Places:
    """How many there are. Used by the event loop alone, so that no lock is needed."""

    most: int
    most_each: int
    taken: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def hold(self, account: str, count: int = 1) -> Iterator[bool]:
        """Hold so many places while the block runs; yields False, and holds none, where not as many are free."""
        held = count if self._has_room(account, count) else 0
        self.taken[account] += held
        try:
            yield held == count
        finally:
            self.taken[account] -= held
            if not self.taken[account]:
                del self.taken[account]

    @asynccontextmanager
    async def wait(self, account: str, seconds: float) -> AsyncIterator[bool]:
        """Hold a place as soon as one is free; yields False, and holds none, where that takes too long."""
        end = time.monotonic() + seconds
        while not self._has_room(account, 1) and time.monotonic() < end:
            await asyncio.sleep(LOOK_S)
        with self.hold(account) as held:
            yield held

    def _has_room(self, account: str, count: int) -> bool:
        return self.taken.total() + count <= self.most and self.taken[account] + count <= self.most_each
