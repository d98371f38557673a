"""Finishing what was left open: files of dead blobs go, then their rows; receipts without blobs are done.

The work is in proportion to what is open, not to how many photos there are, and nothing lists the store.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, delete, exists, or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from comedo.service.database.columns import now
from comedo.service.database.jobs import fail_crashed, free_all
from comedo.service.database.tables import Blob, Receipt
from comedo.service.errors import StorageError
from comedo.service.storage.blobs import blob_name
from comedo.service.storage.store import Storage

AT_ONCE = 100  # files between two transactions

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recovered:
    """What a start found open and finished."""

    files: int  # removed, or never written
    jobs: int  # given back to be done


def recover(storage: Storage, *, alone: bool) -> Recovered:
    """Bring files and rows in step at a start.

    Args:
        alone: No other process of this service runs: whatever is open was left by a dead one. Otherwise only what is
            past its lease is taken.

    Raises:
        WrongStore: The store is not there; nothing was changed.
    """
    jobs = 0
    if alone:
        with storage.database.write() as session:
            jobs = free_all(session)
            over = update(Blob).where(Blob.state != "live", Blob.lease_until.is_not(None))
            session.execute(over.values(state="dead", lease_until=None))
    return Recovered(files=sweep(storage), jobs=jobs)


def sweep(storage: Storage) -> int:
    """Finish what is past its lease; returns how many files. To be called now and then while the service runs."""
    with storage.database.write() as session:
        late = update(Blob).where(Blob.state == "pending", Blob.lease_until < now())
        session.execute(late.values(state="dead"))
        fail_crashed(session)
        dead = session.scalars(select(Blob.id).where(_removable())).all()
    done = sweep_blobs(storage, dead)
    storage.database.checkpoint(at_least=1)  # what was erased leaves the log too
    return done


def sweep_blobs(storage: Storage, ids: Sequence[str]) -> int:
    """Finish these blobs, as far as they are dead and nobody writes them.

    A blob never comes back to life and its file has a name of its own, so that two sweeps at once do no harm.
    """
    done = 0
    for start in range(0, max(len(ids), 1), AT_ONCE):
        some = ids[start : start + AT_ONCE]
        with storage.database.read() as session:
            blobs = session.scalars(select(Blob).where(Blob.id.in_(some), _removable())).all()
        for blob in blobs:
            storage.blobs.remove(blob_name(blob.owner, blob.id))
        with storage.database.write() as session:
            session.execute(delete(Blob).where(Blob.id.in_([blob.id for blob in blobs])))
            waits = exists().where(Blob.receipt == Receipt.id)
            session.execute(update(Receipt).where(Receipt.done.is_(None), ~waits).values(done=now()))
        done += len(blobs)
    return done


def sweep_soon(storage: Storage, ids: Sequence[str]) -> None:
    """Finish these blobs now if that works; otherwise it stays open, and the next sweep does it."""
    if not ids:
        return
    try:
        sweep_blobs(storage, ids)
    except (StorageError, OSError, SQLAlchemyError) as error:
        log.warning("%d files are still to be removed (%s); the next sweep tries again", len(ids), type(error).__name__)


def _removable() -> ColumnElement[bool]:
    return and_(Blob.state == "dead", or_(Blob.lease_until.is_(None), Blob.lease_until < now()))
