"""Waiting for jobs: one look at the database answers for everybody who waits, instead of one look for each."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from anyio import to_thread
from sqlalchemy import select

from comedo.service.database.engine import Database
from comedo.service.database.tables import Job

LOOK_S = 0.2


@dataclass
class Waiting:
    """The jobs that somebody waits for in this process. Used by the event loop alone, so that no lock is needed."""

    database: Database
    jobs: Counter[str] = field(default_factory=Counter)
    over: frozenset[str] = frozenset()  # of those that were waited for at the last look
    looked: float = 0.0
    looking: bool = False

    async def until_over(self, job: str, seconds: float) -> None:
        """Return when the job has ended or is gone, or after so many seconds."""
        end = time.monotonic() + seconds
        self.jobs[job] += 1
        try:
            while not await self._is_over(job) and time.monotonic() < end:
                await asyncio.sleep(LOOK_S)
        finally:
            self.jobs[job] -= 1
            if not self.jobs[job]:
                del self.jobs[job]

    async def _is_over(self, job: str) -> bool:
        """Whether the job was over at the last look; who finds that too long ago looks for all, one at a time."""
        if job not in self.over and not self.looking and time.monotonic() - self.looked >= LOOK_S:
            self.looking = True
            try:
                self.over = await to_thread.run_sync(self._look, tuple(self.jobs))
            finally:
                self.looking, self.looked = False, time.monotonic()
        return job in self.over

    def _look(self, jobs: Sequence[str]) -> frozenset[str]:
        unfinished = select(Job.id).where(Job.id.in_(jobs), Job.state.in_(("queued", "running")))
        with self.database.read() as session:
            return frozenset(jobs) - frozenset(session.scalars(unfinished))
