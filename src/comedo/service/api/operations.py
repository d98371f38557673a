"""Routes for those who run the service: is it alive, is it ready, how is it doing."""

from __future__ import annotations

import hmac

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Request, Response
from sqlalchemy import func, select, text

from comedo.service.api.common import parts_of
from comedo.service.database.tables import Job
from comedo.service.metrics import Metrics
from comedo.service.parts import Parts
from comedo.service.problems import Problem

router = APIRouter(include_in_schema=False)
_APART = CapacityLimiter(2)  # threads of its own: a full pool must not make the service look dead


@router.get("/health")
async def health() -> dict[str, str]:
    """The process answers; nothing is asked of the database."""
    return {"status": "ok"}


@router.get("/ready")
async def ready(request: Request) -> dict[str, str]:
    """Database and store answer."""
    parts = parts_of(request)
    try:
        await to_thread.run_sync(_probe, parts, limiter=_APART)
    except Exception as error:
        raise Problem("not_available", "the database or the store does not answer") from error
    return {"status": "ready"}


def _probe(parts: Parts) -> None:
    with parts.database.read() as session:
        session.execute(text("SELECT 1"))
    if parts.storage.blobs.read_marker() is None:
        raise OSError("the store is not there")


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """For Prometheus; on loopback, or with COMEDO_METRICS_TOKEN as bearer token."""
    parts = parts_of(request)
    _check_metrics(request, parts)
    counted: Metrics = request.app.state.metrics
    counted.set_queue(await to_thread.run_sync(_queue, parts, limiter=_APART))
    return Response(counted.text(), media_type=counted.media_type)


def _check_metrics(request: Request, parts: Parts) -> None:
    """Open on loopback, or where the settings say so; otherwise by token, and absent without one."""
    settings = parts.settings
    is_open = settings.is_private if settings.docs_and_metrics is None else settings.docs_and_metrics
    token = None if settings.metrics_token is None else settings.metrics_token.get_secret_value()
    if token is not None:
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode(), token.encode()):
            raise Problem("not_signed_in", "send the metrics token: Authorization: Bearer …")
    elif not is_open:
        raise Problem("not_found", "there are no metrics here without COMEDO_METRICS_TOKEN")


def _queue(parts: Parts) -> dict[str, int]:
    by_state = select(Job.state, func.count()).where(Job.state.in_(("queued", "running"))).group_by(Job.state)
    with parts.database.read() as session:
        return {"queued": 0, "running": 0} | {row[0]: row[1] for row in session.execute(by_state)}
