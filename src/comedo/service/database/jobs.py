"""Jobs as rows: claimed under a lease that a heartbeat renews, so that the work of a dead worker is taken up again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, CursorResult, and_, func, or_, select, update
from sqlalchemy.orm import Session

from comedo.service.database.columns import now
from comedo.service.database.engine import Database
from comedo.service.database.tables import Job
from comedo.service.errors import LeaseLost, QueueFull

LEASE_S = 60.0
SHARE_OF_QUEUE, LEAST_OF_QUEUE = 0.5, 20  # what one owner may have waiting: a share of the limit, or a batch
MAX_ATTEMPTS = 3
CRASHED = "crashed"  # the error of a job whose worker died each time


def enqueue(
    session: Session,
    owner: str,
    kind: str,
    *,
    limit: int,
    photo: str | None = None,
    arguments: Mapping[str, object] | None = None,
) -> Job:
    """Add a job to the transaction.

    Raises:
        QueueFull: `limit` jobs wait already, or too many of this owner.
    """
    check_room(session, limit=limit)
    mine = select(func.count()).select_from(Job).where(Job.state == "queued", Job.owner == owner)
    if (session.scalar(mine) or 0) >= max(limit * SHARE_OF_QUEUE, LEAST_OF_QUEUE):
        raise QueueFull("too many of your own jobs wait already; try again in a minute")
    job = Job(owner=owner, kind=kind, photo=photo, arguments=dict(arguments or {}))
    session.add(job)
    session.flush()
    return job


def check_room(session: Session, *, limit: int) -> None:
    """See that another job may wait.

    Raises:
        QueueFull: `limit` jobs wait already.
    """
    waiting = session.scalar(select(func.count()).select_from(Job).where(Job.state == "queued")) or 0
    if waiting >= limit:
        raise QueueFull(f"{waiting} jobs wait already, the limit is {limit}; try again in a minute")


def claim(
    db: Database, worker: str, *, kinds: Sequence[str] | None = None, lease_s: float = LEASE_S, busy: bool = False
) -> Job | None:
    """Take the oldest job that waits or whose worker is silent; None: there is nothing to do.

    Args:
        busy: There was one a moment ago, so that looking first would cost more than it spares.
    """
    free = or_(Job.state == "queued", and_(Job.state == "running", Job.lease_until < now()))
    if not busy:
        with db.read() as session:  # who waits for work does not keep others from writing
            if session.scalar(select(Job.id).where(free).limit(1)) is None:
                return None
    with db.write() as session:
        tries_left = Job.attempts < MAX_ATTEMPTS
        wanted = (
            select(Job).where(free, tries_left).order_by(Job.created, Job.id).limit(1).with_for_update(skip_locked=True)
        )
        if kinds is not None:
            wanted = wanted.where(Job.kind.in_(kinds))
        job = session.scalar(wanted)
        if job is None:
            fail_crashed(session)
            return None
        job.state, job.worker, job.attempts = "running", worker, job.attempts + 1
        job.lease_until = now() + timedelta(seconds=lease_s)
        return job


def heartbeat(
    db: Database, job_id: str, worker: str, *, progress: float | None = None, lease_s: float = LEASE_S
) -> bool:
    """Renew the lease and say how far the work is (0 to 1); False: the job is gone or another worker's, stop."""
    values: dict[str, object] = {"lease_until": now() + timedelta(seconds=lease_s)}
    if progress is not None:
        values["progress"] = progress
    with db.write() as session:
        return _update(session, _mine(job_id, worker), values) == 1


def finish(session: Session, job_id: str, worker: str, *, result: str | None = None) -> None:
    """End a job in the transaction that adds its result.

    Raises:
        LeaseLost: The job is gone or another worker's: the transaction must not commit.
    """
    values = {"state": "done", "progress": 1.0, "result": result, "finished": now(), "lease_until": None}
    if _update(session, _mine(job_id, worker), values) != 1:
        raise LeaseLost(f"job {job_id} is no longer this worker's; its result is dropped")


def fail(db: Database, job_id: str, worker: str, *, error: str, detail: str | None = None, retry: bool = False) -> bool:
    """End a job with a stable error code, or give it back to be tried again; a job that is lost is left alone.

    Args:
        detail: A sentence for people: what they can do.

    Returns:
        Whether it ended.
    """
    with db.write() as session:
        job = session.scalar(select(Job).where(_mine(job_id, worker)).with_for_update())
        if job is None:
            return False
        again = retry and job.attempts < MAX_ATTEMPTS
        job.lease_until = None
        if again:
            job.state = "queued"
        else:
            job.state, job.error, job.detail, job.finished = "failed", error, detail, now()
        return not again


def give_back(db: Database, worker: str) -> None:
    """Let others do what this worker had claimed, at an orderly stop: it does not count as an attempt."""
    with db.write() as session:
        values = {"state": "queued", "worker": None, "lease_until": None, "attempts": Job.attempts - 1}
        _update(session, and_(Job.worker == worker, Job.state == "running"), values)


def free_all(session: Session) -> int:
    """Give every running job back, at a start when no worker lives; returns how many."""
    return _update(session, Job.state == "running", {"state": "queued", "worker": None, "lease_until": None})


def fail_crashed(session: Session) -> None:
    """End the jobs whose workers died as often as is tried."""
    over = and_(Job.state.in_(("running", "queued")), Job.attempts >= MAX_ATTEMPTS)
    silent = or_(Job.lease_until.is_(None), Job.lease_until < now())
    _update(session, and_(over, silent), {"state": "failed", "error": CRASHED, "finished": now(), "lease_until": None})


def _mine(job_id: str, worker: str) -> ColumnElement[bool]:
    return and_(Job.id == job_id, Job.worker == worker, Job.state == "running")


def _update(session: Session, where: ColumnElement[bool], values: Mapping[str, object]) -> int:
    done = session.execute(update(Job).where(where).values(**values).execution_options(synchronize_session=False))
    assert isinstance(done, CursorResult)
    return done.rowcount
