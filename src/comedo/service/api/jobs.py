"""Routes of jobs: asked for one by one, or followed as events while they run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from anyio import to_thread
from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from comedo.errors import ComedoError
from comedo.service.accounts.access import still_signed_in
from comedo.service.accounts.actor import Actor, SignedIn
from comedo.service.actions import jobs
from comedo.service.actions.views import JobView, Page
from comedo.service.api.common import Cursor, Id, Limit, TheParts
from comedo.service.parts import Parts
from comedo.service.security.gate import API
from comedo.service.security.places import Places

router = APIRouter(prefix=API, tags=["jobs"])
POLL_S = 1.0
HEARTBEAT_S = 15.0
MAX_STREAM_S = 600.0


@router.get("/jobs")
def list_jobs(parts: TheParts, actor: SignedIn, limit: Limit = 50, cursor: Cursor = None) -> Page[JobView]:
    """Your jobs, newest first."""
    return jobs.list_jobs(parts, actor, limit=limit, cursor=cursor)


@router.get("/jobs/{job}")
def get_job(parts: TheParts, actor: SignedIn, job: Id) -> JobView:
    """One job."""
    return jobs.get_job(parts, actor, job)


@router.get(
    "/jobs/{job}/events",
    response_class=StreamingResponse,
    responses={200: {"description": "Events `job`, each a job as JSON.", "content": {"text/event-stream": {}}}},
)
async def follow_job(request: Request, parts: TheParts, actor: SignedIn, job: Id) -> StreamingResponse:
    """Follow a job until it ends, as server-sent events. The stream ends, too, when you may no longer look."""
    await to_thread.run_sync(jobs.get_job, parts, actor, job)
    events = _events(parts, request.app.state.streams, actor, job)
    return StreamingResponse(events, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


async def _events(parts: Parts, streams: Places, actor: Actor, job: str) -> AsyncIterator[str]:
    with streams.hold(actor.account) as held:  # here, not in the route: what never begins must not hold a place
        if not held:
            yield "event: busy\ndata: {}\n\n"
            return
        before, silent = "", 0.0
        for _ in range(int(MAX_STREAM_S / POLL_S)):
            view = await to_thread.run_sync(_look, parts, actor, job)
            if view is None:
                yield "event: gone\ndata: {}\n\n"
                return
            now = view.model_dump_json()
            silent = silent + POLL_S if now == before else 0.0
            if now != before:
                yield f"event: job\ndata: {now}\n\n"
            elif silent >= HEARTBEAT_S:
                silent = 0.0
                yield ": still here\n\n"
            before = now
            if view.state in ("done", "failed"):
                return
            await asyncio.sleep(POLL_S)


def _look(parts: Parts, actor: Actor, job: str) -> JobView | None:
    """The job as it is now; None: the session or the consent has ended, or the job is gone."""
    try:
        return jobs.watch_job(parts, actor, job) if still_signed_in(parts, actor) else None
    except ComedoError:
        return None
