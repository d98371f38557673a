"""Jobs: what goes on in the background, and what became of it."""

from __future__ import annotations

from sqlalchemy import select

from comedo.service.accounts.access import may_look, note_look
from comedo.service.accounts.actor import Actor, Scope
from comedo.service.actions.paging import piece
from comedo.service.actions.views import JobView, Page
from comedo.service.database.tables import Job
from comedo.service.parts import Parts
from comedo.service.problems import absent


def job_view(job: Job) -> JobView:
    """What is shown of a job."""
    return JobView(
        id=job.id,
        kind=job.kind,
        photo=job.photo,
        state=job.state,  # type: ignore[arg-type]  # the database holds it to the four
        progress=job.progress,
        error=job.error,
        detail=job.detail,
        result=job.result,
        created=job.created,
        finished=job.finished,
    )


def list_jobs(parts: Parts, actor: Actor, *, limit: int = 50, cursor: str | None = None) -> Page[JobView]:
    """The actor's jobs, newest first."""
    actor.need(Scope.READ)
    mine = select(Job).where(Job.owner == actor.account)
    with parts.database.read() as session:
        found, after = piece(session, mine, (Job.created, Job.id), limit=limit, cursor=cursor)
        return Page(items=[job_view(job) for job in found], next=after)


def get_job(parts: Parts, actor: Actor, job: str) -> JobView:
    """One job; a clinician's look is written down once, not at every question about its progress."""
    view, owner = _peek(parts, actor, job)
    note_look(parts, actor, owner, "job.look", job, "job")
    return view


def watch_job(parts: Parts, actor: Actor, job: str) -> JobView:
    """The job again for one who was shown it before; the right to look is asked anew each time."""
    return _peek(parts, actor, job)[0]


def _peek(parts: Parts, actor: Actor, job: str) -> tuple[JobView, str]:
    actor.need(Scope.READ)
    with parts.database.read() as session:
        row = session.get(Job, job)
        if row is None or not may_look(session, actor, row.owner):
            raise absent("job")
        return job_view(row), row.owner
