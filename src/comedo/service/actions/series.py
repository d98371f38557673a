"""Change over time: asked for as a job, because every photo of the series has to be decoded and aligned again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from sqlalchemy import Select, delete, select, update
from sqlalchemy.orm import Session

from comedo.progress.values import LeftOut
from comedo.report.change_document import ChangeDocument
from comedo.report.change_tables import ledger_csv as ledger_of
from comedo.service.accounts.access import own, see, see_owner
from comedo.service.accounts.actor import Actor, Scope
from comedo.service.actions.jobs import job_view
from comedo.service.actions.paging import piece
from comedo.service.actions.stored import name_of, when_of
from comedo.service.actions.views import ChangeView, JobView, Page, Side
from comedo.service.database.jobs import enqueue
from comedo.service.database.tables import Analysis, Change, ChangePhoto, Job, Photo
from comedo.service.parts import Parts
from comedo.service.problems import Problem

MOST_PHOTOS = 60
_NO_END = "its analysis came to no end"  # a job that a crash ended has no words of its own
_FOLLOW_UPS = 10  # times the queue's limit: work that comedo gives itself is not turned away by people's


def start_change(
    parts: Parts,
    actor: Actor,
    photos: Sequence[str] | None = None,
    *,
    view: Side | None = None,
    treatment_start: date | None = None,
) -> JobView:
    """Queue a comparison of one's own photos.

    Args:
        parts: Of the service.
        actor: Whose photos.
        photos: Which; None: all of the view that were analysed.
        view: Of the photos, None for photos without one; kept with the change.
        treatment_start: Day on which treatment began, for the review after twelve weeks.

    Raises:
        Problem: There are fewer than two, too many, or one is not there, not analysed, or gone.
    """
    actor.need(Scope.WRITE)
    with parts.database.write() as session:
        ids = analysed(session, actor.account, view) if photos is None else _checked(session, actor, photos)
        if not 2 <= len(ids) <= MOST_PHOTOS:
            reason = f"must be 2 to {MOST_PHOTOS} analysed photos, got {len(ids)}"
            raise Problem("invalid", f"photos {reason}", fields={"photos": reason})
        arguments = _arguments(view, None if photos is None else ids, treatment_start)
        limit = parts.settings.queue_limit
        return job_view(enqueue(session, actor.account, "change", arguments=arguments, limit=limit))


def compare_soon(session: Session, parts: Parts, owner: str, view: str | None) -> None:
    """Queue the comparison of an owner's photos of one view, unless it waits already or there is nothing to compare."""
    if len(analysed(session, owner, view)) < 2:
        return
    waiting = select(Job).where(Job.owner == owner, Job.kind == "change", Job.state == "queued")
    arguments = _arguments(view)
    if any(job.arguments == arguments for job in session.scalars(waiting)):
        return
    limit = _FOLLOW_UPS * parts.settings.queue_limit
    enqueue(session, owner, "change", arguments=arguments, limit=limit)


def leave_view(session: Session, parts: Parts, photo: Photo, view: str | None) -> None:
    """Compare the photos of a view that a photo has left; where one is left alone, what held both there goes."""
    compare_soon(session, parts, photo.owner, view)
    if len(analysed(session, photo.owner, view)) < 2:
        holding = select(ChangePhoto.change).where(ChangePhoto.photo == photo.id)
        of_view = (Change.owner == photo.owner, Change.view == view)
        session.execute(delete(Change).where(*of_view, Change.id.in_(holding)))


def _arguments(view: str | None, photos: list[str] | None = None, start: date | None = None) -> dict[str, object]:
    """Of a comparison; without photos it takes those that are there when its turn comes."""
    return {"photos": photos, "view": view, "treatment_start": start and str(start)}


def analysed(session: Session, owner: str, view: str | None) -> list[str]:
    """The newest analysed photos of one view (None: those without) that have their pixels, oldest first."""
    wanted = _with_pixels(owner, view).where(Photo.id.in_(_measured(owner)))
    newest = sorted(session.scalars(wanted.order_by(Photo.created.desc()).limit(MOST_PHOTOS)), key=when_of)
    chosen = session.scalar(wanted.where(Photo.baseline.is_(True)))
    return [photo.id for photo in (newest if chosen is None else _since(chosen, newest))]


def _since(baseline: Photo, photos: Sequence[Photo]) -> list[Photo]:
    """The chosen baseline, and what was taken after it."""
    later = [p for p in photos if p.id != baseline.id and when_of(p) > when_of(baseline)]
    return [baseline, *later[1 - MOST_PHOTOS :]]


def unread(session: Session, owner: str, view: str | None, photos: Sequence[str]) -> Mapping[str, LeftOut]:
    """By its id each photo of a view that could not be analysed, since the first of the photos that are compared.

    Only the last try counts: a photo that waits for another one is not missed yet.
    """
    first = min(when_of(photo) for photo in session.scalars(select(Photo).where(Photo.id.in_(photos))))
    missed = _with_pixels(owner, view).where(Photo.id.not_in(_measured(owner)))
    newest = list(session.scalars(missed.order_by(Photo.created.desc()).limit(MOST_PHOTOS)))
    tries = select(Job).where(Job.kind == "analyze", Job.photo.in_([photo.id for photo in newest]))
    last = {job.photo: job for job in session.scalars(tries.order_by(Job.created, Job.id))}
    return {
        photo.id: LeftOut(name_of(photo), job.detail or _NO_END, when_of(photo), job.error or "error")
        for photo in sorted(newest, key=when_of)
        if (job := last.get(photo.id)) is not None and job.state == "failed" and when_of(photo) >= first
    }


def _with_pixels(owner: str, view: str | None) -> Select[Photo]:
    return select(Photo).where(Photo.owner == owner, Photo.view == view, Photo.blob.is_not(None))


def _measured(owner: str) -> Select[str]:
    return select(Analysis.photo).where(Analysis.owner == owner)


def choose_baseline(parts: Parts, actor: Actor, photo: str) -> None:
    """Compare later photos of its view with this one from now on; earlier ones stay, uncompared.

    Raises:
        Problem: It is not there, not measured, or nothing was taken after it.
    """
    with parts.database.write() as session:
        row = own(session, actor, Photo, photo)
        others = update(Photo).where(Photo.owner == row.owner, Photo.view == row.view, Photo.id != photo)
        session.execute(others.values(baseline=None))
        row.baseline = True
        session.flush()
        series = analysed(session, row.owner, row.view)
        if photo not in series or len(series) < 2:
            raise Problem("not_ready", "choose a measured photo with at least one later photo of the same view")
        compare_soon(session, parts, row.owner, row.view)


def _checked(session: Session, actor: Actor, photos: Sequence[str]) -> list[str]:
    ids = list(dict.fromkeys(photos))
    ready = set(session.scalars(select(Analysis.photo).where(Analysis.photo.in_(ids))))
    for photo in ids:
        if own(session, actor, Photo, photo).blob is None or photo not in ready:
            raise Problem("not_ready", f"photo {photo} is not analysed, or its picture is gone")
    return ids


def list_changes(
    parts: Parts,
    actor: Actor,
    *,
    owner: str | None = None,
    view: Side | None = None,
    limit: int = 20,
    cursor: str | None = None,
) -> Page[ChangeView]:
    """Comparisons, newest first."""
    whose = see_owner(parts, actor, owner, "change.list")
    rows = select(Change).where(Change.owner == whose)
    rows = rows if view is None else rows.where(Change.view == view)
    with parts.database.read() as session:
        found, after = piece(session, rows, (Change.created, Change.id), limit=limit, cursor=cursor)
        return Page(items=[_view(parts, session, row) for row in found], next=after)


def newest(parts: Parts, actor: Actor, *, owner: str | None = None, view: Side | None = None) -> ChangeView | None:
    """The newest comparison; None: there is none."""
    return next(iter(list_changes(parts, actor, owner=owner, view=view, limit=1).items), None)


def get_change(parts: Parts, actor: Actor, change: str) -> ChangeView:
    """One comparison with its document."""
    row = see(parts, actor, Change, change, "change.read")
    with parts.database.read() as session:
        return _view(parts, session, row)


def ledger_csv(parts: Parts, actor: Actor, change: str) -> str:
    """One row a lesion, one column a photo."""
    return ledger_of(ChangeDocument.model_validate(get_change(parts, actor, change).document))


def _view(parts: Parts, session: Session, row: Change) -> ChangeView:
    key = parts.vault.key_of(session, row.owner)
    made_of = session.scalars(select(ChangePhoto.photo).where(ChangePhoto.change == row.id))
    return ChangeView(
        id=row.id,
        owner=row.owner,
        view=row.view,  # type: ignore[arg-type]  # checked on the way in
        photos=list(made_of),
        created=row.created,
        document=key.open_json(row.document, about=row.id),
    )
