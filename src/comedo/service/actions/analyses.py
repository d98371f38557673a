"""Analyses: asked for, listed, read, and shown as pictures."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from comedo.lesions.counting import check_convention
from comedo.report.overlay import draw_overlay
from comedo.report.pictures import to_jpeg, to_png
from comedo.service.accounts.access import own, see
from comedo.service.accounts.actor import Actor
from comedo.service.actions.jobs import job_view
from comedo.service.actions.photos import Picture
from comedo.service.actions.stored import analysis_of, case_of, document_of, mask_file
from comedo.service.actions.views import AnalysisView, JobView
from comedo.service.database.jobs import enqueue
from comedo.service.database.tables import Analysis, Job, Photo
from comedo.service.errors import PhotoGone
from comedo.service.parts import Parts
from comedo.service.problems import Problem, absent
from comedo.types import Verdict

OVERLAY_SIDE = 1600
VISIBLE = "visible"  # the convention of counting where none is asked for


def start(
    parts: Parts, actor: Actor, photo: str, *, allow_poor: bool | None = None, convention: str | None = None
) -> JobView:
    """Queue another analysis of a photo; while the same one waits or runs, it is that one.

    Args:
        parts: Of the service.
        actor: Whose photo.
        photo: Its id.
        allow_poor: Whether to measure a poor photo; None: as its newest analysis did.
        convention: Of counting; None: likewise.

    Raises:
        ComedoError: There is no such photo, its picture is gone, or too much waits.
    """
    try:
        check_convention(convention or VISIBLE)
    except ValueError as error:
        raise Problem("invalid", str(error), fields={"convention": "is not known"}) from error
    with parts.database.write() as session:
        row = own(session, actor, Photo, photo)
        if row.blob is None:
            raise PhotoGone("the photo's picture was removed; only its results were kept")
        asked = {"allow_poor": allow_poor, "convention": convention}
        options = _as_before(parts, session, row) | {name: one for name, one in asked.items() if one is not None}
        job = _under_way(session, photo, options)
        limit = parts.settings.queue_limit
        return job_view(job or enqueue(session, row.owner, "analyze", photo=photo, arguments=options, limit=limit))


def options_of(job: Job) -> dict[str, Any]:
    """How a job analyses; an upload's names no options."""
    return {"allow_poor": False, "convention": VISIBLE, **job.arguments}


def _as_before(parts: Parts, session: Session, photo: Photo) -> dict[str, Any]:
    """How the newest analysis was made: a poor photo was measured only because its owner wanted it."""
    newest = _newest(session, photo.id)
    if newest is None:
        return {"allow_poor": False, "convention": VISIBLE}
    document = document_of(newest, parts.vault.key_of(session, photo.owner))
    return {"allow_poor": document.quality.verdict is Verdict.POOR, "convention": document.counts.convention}


def _under_way(session: Session, photo: str, options: dict[str, Any]) -> Job | None:
    jobs = select(Job).where(Job.photo == photo, Job.kind == "analyze", Job.state.in_(("queued", "running")))
    return next((job for job in session.scalars(jobs.order_by(Job.created)) if options_of(job) == options), None)


def list_analyses(parts: Parts, actor: Actor, photo: str) -> list[AnalysisView]:
    """The analyses of a photo, newest first."""
    see(parts, actor, Photo, photo, "analysis.list")
    with parts.database.read() as session:
        rows = session.scalars(select(Analysis).where(Analysis.photo == photo).order_by(Analysis.created.desc()))
        return [_view(parts, row) for row in rows]


def get_analysis(parts: Parts, actor: Actor, analysis: str) -> AnalysisView:
    """One analysis with its document."""
    return _view(parts, see(parts, actor, Analysis, analysis, "analysis.read"))


def _view(parts: Parts, row: Analysis) -> AnalysisView:
    with parts.database.read() as session:
        document = document_of(row, parts.vault.key_of(session, row.owner))
    shown = document.model_dump(mode="json", by_alias=True)
    return AnalysisView(id=row.id, photo=row.photo, owner=row.owner, created=row.created, document=shown)


def newest_of(parts: Parts, actor: Actor, photo: str, action: str) -> Analysis:
    """The newest analysis of a photo.

    Raises:
        Problem: There is no photo to see, or it was not analysed.
    """
    see(parts, actor, Photo, photo, action)
    with parts.database.read() as session:
        row = _newest(session, photo)
    if row is None:
        raise absent("analysis")
    return row


def _newest(session: Session, photo: str) -> Analysis | None:
    of_it = select(Analysis).where(Analysis.photo == photo)
    return session.scalar(of_it.order_by(Analysis.created.desc()).limit(1))


def overlay(parts: Parts, actor: Actor, photo: str, *, max_side: int = OVERLAY_SIDE, png: bool = False) -> Picture:
    """The newest analysis drawn over the photo, as JPEG or PNG."""
    row = newest_of(parts, actor, photo, "overlay.read")
    with parts.database.read() as session:
        case = case_of(parts, session, row)
    drawn = draw_overlay(case.need_photo("an overlay").image, analysis_of(case), max_side=max_side)
    return Picture(to_png(drawn), "image/png") if png else Picture(to_jpeg(drawn), "image/jpeg")


def mask(parts: Parts, actor: Actor, photo: str) -> Picture:
    """The mask of the newest analysis, as PNG."""
    row = newest_of(parts, actor, photo, "mask.read")
    with parts.database.read() as session:
        return Picture(mask_file(row, parts.vault.key_of(session, row.owner)), "image/png")
