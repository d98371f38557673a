"""A worker process: takes jobs one by one, says that it lives, and ends with its parent."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from comedo.errors import ComedoError
from comedo.pipeline import Analyzer
from comedo.service.database.engine import AWAY, Database, open_database
from comedo.service.database.jobs import claim, fail, heartbeat
from comedo.service.errors import LeaseLost
from comedo.service.logs import set_up_logs
from comedo.service.memory import resident_bytes
from comedo.service.parts import Parts
from comedo.service.settings import read_settings
from comedo.service.storage.open import open_storage
from comedo.service.work.tasks import TASKS, Task, compare_without

LEASE_S = 60.0
BEAT_S = 10.0
SAY_S = 1.0  # what takes less tells nobody how far it is: each time is a commit
POLL_S = 0.25
PAUSE_S = 2.0  # while the database does not answer
MOST_BYTES = 1024 * 1024 * 1024  # of resident memory: a worker beyond it makes room for a new one between two jobs

log = logging.getLogger(__name__)


def main(name: str) -> None:
    """Work until told to stop, or until the parent is gone."""
    from comedo.build import default_analyzer

    settings = read_settings()
    set_up_logs()
    told: list[int] = []  # no Event: its lock may be held by the very thread that the signal interrupts
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: told.append(number))
    if hasattr(os, "nice"):
        os.nice(5)  # pages come first
    database = open_database(settings.database, connections=3)
    parts = Parts(settings, database, open_storage(settings, database))
    parent = os.getppid()
    analyzer = default_analyzer()
    log.info("worker is ready", extra={"worker": name})
    busy = False
    while not told and os.getppid() == parent and resident_bytes() < MOST_BYTES:
        busy = _work_on(parts, analyzer, name, busy=busy)
        if not busy:
            time.sleep(POLL_S)


def _work_on(parts: Parts, analyzer: Analyzer, worker: str, *, busy: bool = False) -> bool:
    """Do one job, where the database answers; otherwise wait a little: its lease brings the job back."""
    try:
        return work_once(parts, analyzer, worker, busy=busy)
    except AWAY as error:
        log.warning("the database does not answer", extra={"worker": worker, "error": type(error).__name__})
        time.sleep(PAUSE_S)
        return False


def work_once(parts: Parts, analyzer: Analyzer, worker: str, *, busy: bool = False) -> bool:
    """Do one job; False: there was none. `busy`: there was one just before."""
    job = claim(parts.database, worker, kinds=tuple(TASKS), lease_s=LEASE_S, busy=busy)
    if job is None:
        return False
    began = time.monotonic()
    with _alive(parts.database, job.id, worker) as say:
        outcome = _do(Task(parts, job, worker, analyzer, say))
    took = round(1000 * (time.monotonic() - began))
    log.info("job ended", extra={"job": job.id, "kind": job.kind, "outcome": outcome, "took_ms": took})
    return True


def _do(task: Task) -> str:
    job, database = task.job, task.parts.database
    try:
        TASKS[job.kind](task)
    except LeaseLost:
        return "lost"
    except ComedoError as error:
        code = error.code
        ended = fail(database, job.id, task.worker, error=code, detail=str(error))
    except Exception as error:  # one job, however strange, must not end the others
        log.exception("job failed", extra={"job": job.id, "error": type(error).__name__})
        code = "error"
        ended = fail(database, job.id, task.worker, error=code, detail="Something went wrong here.", retry=True)
    else:
        return "done"
    if ended:
        compare_without(task)
    return code


@contextmanager
def _alive(database: Database, job: str, worker: str) -> Iterator[Callable[[float], None]]:
    """Renew the lease while the block runs; yields what says how far the work is."""
    ended = threading.Event()
    said = time.monotonic()

    def beat() -> None:
        while not ended.wait(BEAT_S):
            with suppress(*AWAY):  # the next beat tries again; without any, the lease ends
                heartbeat(database, job, worker, lease_s=LEASE_S)

    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()

    def say(progress: float) -> None:
        nonlocal said
        if time.monotonic() - said >= SAY_S:
            said = time.monotonic()
            heartbeat(database, job, worker, progress=progress, lease_s=LEASE_S)

    try:
        yield say
    finally:
        ended.set()
        thread.join()
