"""Analyses: asked for, listed, read, and shown as pictures."""

from __future__ import annotations

from sqlalchemy import select

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
from comedo.service.database.tables import Analysis, Photo
from comedo.service.errors import PhotoGone
from comedo.service.parts import Parts
from comedo.service.problems import Problem, absent

OVERLAY_SIDE = 1600


def start(parts: Parts, actor: Actor, photo: str, *, allow_poor: bool = False, convention: str = "visible") -> JobView:
    """Queue another analysis of a photo.

    Raises:
        ComedoError: There is no such photo, its picture is gone, or too much waits.
    """
    try:
        check_convention(convention)
    except ValueError as error:
        raise Problem("invalid", str(error), fields={"convention": "is not known"}) from error
    with parts.database.write() as session:
        row = own(session, actor, Photo, photo)
        if row.blob is None:
            raise PhotoGone("the photo's picture was removed; only its results were kept")
        options = {"allow_poor": allow_poor, "convention": convention}
        limit = parts.settings.queue_limit
        return job_view(enqueue(session, row.owner, "analyze", photo=photo, arguments=options, limit=limit))


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
    owner = see(parts, actor, Photo, photo, action).owner
    with parts.database.read() as session:
        newest = select(Analysis).where(Analysis.photo == photo, Analysis.owner == owner)
        row = session.scalar(newest.order_by(Analysis.created.desc()).limit(1))
    if row is None:
        raise absent("analysis")
    return row


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
