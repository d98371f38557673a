"""Jobs: claimed once, taken up again when their worker is silent, finished in step with their result."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from comedo.service.database.columns import new_id, now
from comedo.service.database.engine import Database
from comedo.service.database.jobs import (
    CRASHED,
    MAX_ATTEMPTS,
    claim,
    enqueue,
    fail,
    finish,
    free_all,
    give_back,
    heartbeat,
)
from comedo.service.database.tables import Account, Answers, Job
from comedo.service.errors import LeaseLost, QueueFull


@pytest.fixture
def owner(database: Database) -> str:
    account = Account(id=new_id(), role="patient")
    with database.write() as session:
        session.add(account)
    return account.id


def add(database: Database, owner: str, *kinds: str) -> list[str]:
    with database.write() as session:
        return [enqueue(session, owner, kind, limit=100).id for kind in kinds]


def get(database: Database, job: str) -> Job:
    with database.read() as session:
        return session.get_one(Job, job)


def let_lease_pass(database: Database) -> None:
    with database.write() as session:
        session.execute(update(Job).where(Job.state == "running").values(lease_until=now() - timedelta(seconds=1)))


def claimed(database: Database, worker: str, **more: object) -> str | None:
    job = claim(database, worker, **more)  # type: ignore[arg-type]
    return None if job is None else job.id


def test_without_jobs_there_is_nothing_to_claim(database: Database) -> None:
    assert claim(database, "w") is None


def test_the_oldest_job_comes_first_and_once(database: Database, owner: str) -> None:
    first, second = add(database, owner, "analyze", "analyze")
    assert [claimed(database, "a"), claimed(database, "b"), claimed(database, "a")] == [first, second, None]
    job = get(database, first)
    assert (job.state, job.worker, job.attempts) == ("running", "a", 1)


def test_a_worker_claims_its_kinds_only(database: Database, owner: str) -> None:
    _, change = add(database, owner, "analyze", "change")
    assert claimed(database, "w", kinds=["change"]) == change
    assert claimed(database, "w", kinds=["change"]) is None


def test_workers_at_once_never_share_a_job(database: Database, owner: str) -> None:
    jobs = add(database, owner, *["analyze"] * 8)
    with ThreadPoolExecutor(4) as pool:
        got = list(pool.map(lambda number: claimed(database, f"w{number}"), range(8)))
    while (late := claimed(database, "late")) is not None:  # a locked row may have been skipped
        got.append(late)
    assert sorted(job for job in got if job) == sorted(jobs)


def test_a_full_queue_refuses(database: Database, owner: str) -> None:
    add(database, owner, "analyze", "analyze")
    with pytest.raises(QueueFull), database.write() as session:
        enqueue(session, owner, "analyze", limit=2)
    claim(database, "w")
    with database.write() as session:
        enqueue(session, owner, "analyze", limit=2)


def test_a_job_ends_together_with_its_result(database: Database, owner: str) -> None:
    (job,) = add(database, owner, "analyze")
    claim(database, "w")
    with database.write() as session:
        session.add(Answers(owner=owner, document=b""))
        finish(session, job, "w", result="r")
    ended = get(database, job)
    assert (ended.state, ended.progress, ended.result, ended.lease_until) == ("done", 1.0, "r", None)
    assert ended.finished is not None


def test_who_lost_the_job_cannot_leave_a_result(database: Database, owner: str) -> None:
    (job,) = add(database, owner, "analyze")
    claim(database, "slow")
    let_lease_pass(database)
    assert claimed(database, "fast") == job
    assert not heartbeat(database, job, "slow")

    def late() -> None:
        with database.write() as session:
            session.add(Answers(owner=owner, document=b""))
            finish(session, job, "slow")

    with pytest.raises(LeaseLost):
        late()
    with database.read() as session:
        assert session.scalars(select(Answers)).all() == []
    assert heartbeat(database, job, "fast", progress=0.5)
    assert get(database, job).progress == 0.5


def test_a_heartbeat_keeps_the_lease(database: Database, owner: str) -> None:
    (job,) = add(database, owner, "analyze")
    claim(database, "w", lease_s=-1)
    assert heartbeat(database, job, "w")
    assert claim(database, "other") is None


def test_a_job_that_kills_its_workers_fails(database: Database, owner: str) -> None:
    (job,) = add(database, owner, "analyze")
    for number in range(MAX_ATTEMPTS):
        assert claimed(database, f"w{number}") == job
        let_lease_pass(database)
    assert claim(database, "last") is None
    ended = get(database, job)
    assert (ended.state, ended.error) == ("failed", CRASHED)


@pytest.mark.parametrize(("retry", "state"), [(False, "failed"), (True, "queued")], ids=["for good", "once more"])
def test_a_job_fails_with_its_reason(database: Database, owner: str, retry: bool, state: str) -> None:
    (job,) = add(database, owner, "analyze")
    claim(database, "w")
    fail(database, job, "w", error="no_face", detail="come closer", retry=retry)
    ended = get(database, job)
    assert (ended.state, ended.error, ended.detail) == (
        (state, None, None) if retry else (state, "no_face", "come closer")
    )
    assert (ended.finished is None) == retry


def test_a_lost_job_is_not_failed(database: Database, owner: str) -> None:
    (job,) = add(database, owner, "analyze")
    claim(database, "w")
    fail(database, job, "other", error="no_face")
    assert get(database, job).state == "running"


def test_an_orderly_stop_is_no_attempt(database: Database, owner: str) -> None:
    one, two = add(database, owner, "analyze", "analyze")
    claim(database, "w")
    claim(database, "other")
    give_back(database, "w")
    assert [(get(database, job).state, get(database, job).attempts) for job in (one, two)] == [
        ("queued", 0),
        ("running", 1),
    ]


def test_a_start_without_workers_frees_what_they_had(database: Database, owner: str) -> None:
    (job,) = add(database, owner, "analyze")
    claim(database, "dead")
    with database.write() as session:
        assert free_all(session) == 1
    assert claimed(database, "new") == job
