"""The worker processes of one service: as many as there are cores, started anew when one dies."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

from sqlalchemy import update

import comedo
from comedo.inference import usable_cores
from comedo.service.database.columns import new_id, now
from comedo.service.database.engine import AWAY, Database
from comedo.service.database.jobs import give_back
from comedo.service.database.tables import Job

_CHECK_S = 0.5
_PAUSE_S = 5.0  # before a worker that died young is started again
_YOUNG_S = 10.0

log = logging.getLogger(__name__)


@dataclass
class _Place:
    """Where one worker works; `process` is the one that does so now."""

    name: str
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0


@dataclass
class WorkerPool:
    """Starts workers and keeps their number until it is stopped."""

    database: Database
    processes: int
    _places: list[_Place] = field(default_factory=list)
    _stop: Event = field(default_factory=Event)
    _thread: Thread | None = None

    @classmethod
    def sized(cls, database: Database, wanted: int) -> WorkerPool:
        """As many processes as wanted; 0: one for each core that this process, or its container, may use."""
        return cls(database, wanted or usable_cores())

    def start(self) -> None:
        """Start the workers, and a thread that watches them."""
        host = new_id()[:8]
        self._places = [_Place(f"{host}-{n}") for n in range(1, self.processes + 1)]
        for place in self._places:
            self._spawn(place)
        self._thread = Thread(target=self._watch, name="workers", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Let every worker end its job, for at most ten seconds; what is unfinished goes back into the queue."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        running = [(place.name, place.process) for place in self._places if place.process is not None]
        for _, process in running:
            process.terminate()
        until = time.monotonic() + 10
        for name, process in running:
            try:
                process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            with suppress(*AWAY):  # the leases end by themselves
                give_back(self.database, name)

    def _spawn(self, place: _Place) -> None:
        threads = max(1, usable_cores() // self.processes)
        path = os.pathsep.join(filter(None, (str(Path(comedo.__file__).parents[1]), os.environ.get("PYTHONPATH"))))
        sized = {"COMEDO_CORES": str(threads), "OMP_NUM_THREADS": str(threads), "MALLOC_ARENA_MAX": "2"}
        command = [sys.executable, "-m", "comedo.service.work", place.name]
        place.process = subprocess.Popen(command, env={**os.environ, **sized, "PYTHONPATH": path})
        place.started = time.monotonic()

    def _watch(self) -> None:
        while not self._stop.wait(_CHECK_S):
            for place in self._places:
                if place.process is not None and place.process.poll() is not None:
                    self._replace(place)

    def _replace(self, place: _Place) -> None:
        assert place.process is not None
        log.warning("worker ended", extra={"worker": place.name, "code": place.process.returncode})
        try:
            with self.database.write() as session:  # its job need not wait for the lease to end
                mine = (Job.worker == place.name, Job.state == "running")
                session.execute(update(Job).where(*mine).values(lease_until=now()))
        except AWAY as error:  # then the job waits; workers must come back all the same
            log.warning("the database does not answer", extra={"error": type(error).__name__})
        if time.monotonic() - place.started < _YOUNG_S:
            self._stop.wait(_PAUSE_S)
        if not self._stop.is_set():
            self._spawn(place)
