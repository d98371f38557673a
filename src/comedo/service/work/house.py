"""Housekeeping of a running service: finishing what was left open, and removing what is due by its owner's choice."""

from __future__ import annotations

import logging
import time
from threading import Event, Thread

from comedo.service.storage.recovery import recover, sweep
from comedo.service.storage.retention import apply_retention
from comedo.service.storage.store import Storage

SWEEP_S = 30.0
RETENTION_S = 3600.0

log = logging.getLogger(__name__)


class Housekeeping:
    """A thread that keeps files and rows in step while the service runs."""

    def __init__(self, storage: Storage, *, alone: bool) -> None:
        self.storage, self.alone = storage, alone
        self._stop = Event()
        self._thread = Thread(target=self._run, name="housekeeping", daemon=True)

    def start(self) -> None:
        """Recover from whatever the last stop left, then go on beside the service.

        Raises:
            WrongStore: The store is not there.
        """
        found = recover(self.storage, alone=self.alone)
        log.info("recovered", extra={"files": found.files})
        self._thread.start()

    def stop(self) -> None:
        """End after what is being done."""
        self._stop.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        due = time.monotonic()
        while not self._stop.wait(SWEEP_S):
            try:
                sweep(self.storage)
                if time.monotonic() >= due:
                    due = time.monotonic() + RETENTION_S
                    apply_retention(self.storage)
            except Exception as error:  # it is tried again; the service goes on
                log.exception("housekeeping failed", extra={"error": type(error).__name__})
