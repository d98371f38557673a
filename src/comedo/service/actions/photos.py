"""Photos: kept without metadata, shown to their owner and to clinicians whom the owner lets look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from comedo.photo import read_photo as decode
from comedo.photo.exif import taken
from comedo.photo.limits import DEFAULT_LIMITS
from comedo.photo.strip import MEDIA_TYPES, strip_photo
from comedo.report.pictures import to_jpeg
from comedo.service.accounts.access import own, see, see_owner
from comedo.service.accounts.actor import Actor, Scope
from comedo.service.actions.jobs import job_view
from comedo.service.actions.paging import piece
from comedo.service.actions.series import compare_soon, leave_view
from comedo.service.actions.stored import summarize, when_of
from comedo.service.actions.views import Page, PhotoView, ReceiptView, Side, Uploaded
from comedo.service.database.tables import Analysis, Correction, Job, Photo, Receipt, Visit
from comedo.service.parts import Parts
from comedo.service.storage.photos import read_photo, store_photos
from comedo.service.storage.removal import delete_photo
from comedo.service.storage.store import NewPhoto
from comedo.service.storage.vault import DataKey

_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, repr=False)
class Upload:
    """A photo as it came, with what its sender says of it."""

    data: bytes
    view: Side | None = None
    taken_at: datetime | None = None
    mirrored: bool | None = None
    visit: str | None = None
    note: str | None = None


@dataclass(frozen=True)
class PhotoChange:
    """What may be changed of a photo; a field that is not named in `given` stays."""

    given: frozenset[str]
    view: Side | None = None
    taken_at: datetime | None = None
    mirrored: bool | None = None
    visit: str | None = None
    note: str | None = None


@dataclass(frozen=True, repr=False)
class Picture:
    """The bytes of a picture, to be shown."""

    data: bytes
    media_type: str


def upload(parts: Parts, actor: Actor, uploads: Sequence[Upload], *, key: str | None = None) -> list[Uploaded]:
    """Keep photos and queue their analyses, all or none. The same photos again are the same photos.

    Raises:
        UnusableInput: One is no photo, or damaged, too large, too small.
        ComedoError: No room, too much waiting, or the key was used for something else.
    """
    actor.need(Scope.WRITE)
    _check_visits(parts, actor, uploads)
    kept = [_strip(one) for one in uploads]
    stored = store_photos(
        parts.storage, actor.account, kept, key=key, job="analyze", actor=actor.account, address=actor.address
    )
    with parts.database.read() as session:
        rows = {row.id: row for row in session.scalars(select(Photo).where(Photo.id.in_([s.photo for s in stored])))}
        views = {view.id: view for view in _views(parts, session, actor.account, list(rows.values()))}
    return [Uploaded(photo=views[s.photo], job=s.job, created=s.created) for s in stored if s.photo in views]


def _check_visits(parts: Parts, actor: Actor, uploads: Sequence[Upload]) -> None:
    visits = {one.visit for one in uploads if one.visit is not None}
    if not visits:
        return
    with parts.database.read() as session:
        for visit in visits:
            own(session, actor, Visit, visit)


def _strip(upload: Upload) -> NewPhoto:
    stripped = strip_photo(upload.data)
    return NewPhoto(
        data=stripped.data,
        format=stripped.kind,
        width_px=stripped.width,
        height_px=stripped.height,
        taken_at=upload.taken_at or _taken(upload.data),
        view=upload.view,
        mirrored=upload.mirrored,
        visit=upload.visit,
        note=upload.note,
    )


def _taken(data: bytes) -> datetime | None:
    """When the camera says it was; cameras know no zone, so that it may be off by hours."""
    when = taken(data)
    known = None if when is None else when.replace(tzinfo=UTC)
    return known if known is not None and known > _EARLIEST else None


def list_photos(
    parts: Parts,
    actor: Actor,
    *,
    owner: str | None = None,
    view: Side | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Page[PhotoView]:
    """The photos of the actor, or of a patient who lets a clinician look; newest first."""
    whose = see_owner(parts, actor, owner, "photo.list")
    rows = select(Photo).where(Photo.owner == whose)
    rows = rows if view is None else rows.where(Photo.view == view)
    with parts.database.read() as session:
        found, after = piece(session, rows, (Photo.created, Photo.id), limit=limit, cursor=cursor)
        return Page(items=_views(parts, session, whose, found), next=after)


def get_photo(parts: Parts, actor: Actor, photo: str) -> PhotoView:
    """One photo, without its pixels."""
    row = see(parts, actor, Photo, photo, "photo.look")
    with parts.database.read() as session:
        return _views(parts, session, row.owner, [row])[0]


def views_of(parts: Parts, session: Session, owner: str, visit: str) -> list[PhotoView]:
    """The photos of a visit, which the caller has checked."""
    rows = session.scalars(select(Photo).where(Photo.visit == visit).order_by(Photo.created)).all()
    return _views(parts, session, owner, rows)


def image(parts: Parts, actor: Actor, photo: str, *, max_side: int | None = None) -> Picture:
    """The photo's pixels: the file that is kept, or a JPEG of at most `max_side` pixels."""
    row = see(parts, actor, Photo, photo, "photo.read")
    with parts.database.read() as session:
        data = read_photo(parts.storage, session, photo)
    if max_side is None:
        return Picture(data, MEDIA_TYPES[row.format])
    return Picture(to_jpeg(decode(data, limits=DEFAULT_LIMITS).image, max_side=max_side), "image/jpeg")


def change_photo(parts: Parts, actor: Actor, photo: str, change: PhotoChange) -> PhotoView:
    """Change what is said of a photo; its bytes never change."""
    with parts.database.write() as session:
        row = own(session, actor, Photo, photo)
        if change.visit is not None:
            own(session, actor, Visit, change.visit)
        view, before = row.view, _compared_by(row)
        for name in change.given & {"view", "taken_at", "mirrored", "visit"}:
            setattr(row, name, getattr(change, name))
        if "note" in change.given:
            key = parts.vault.key_of(session, row.owner)
            row.note = None if change.note is None else key.seal_text(change.note, about=row.id)
        if row.view != view:
            row.baseline = None  # it was chosen among photos of the other view
        session.flush()
        if _compared_by(row) != before:
            compare_soon(session, parts, row.owner, row.view)
        if row.view != view:
            leave_view(session, parts, row, view)
        return _views(parts, session, row.owner, [row])[0]


def _compared_by(photo: Photo) -> tuple[object, ...]:
    """What a comparison takes of a photo beside its analysis."""
    return photo.view, when_of(photo), photo.mirrored


def delete(parts: Parts, actor: Actor, photo: str) -> ReceiptView:
    """Remove a photo with everything made of it."""
    with parts.database.read() as session:
        view = own(session, actor, Photo, photo).view
    receipt = delete_photo(parts.storage, photo, actor=actor.account, address=actor.address)
    with parts.database.write() as session:
        compare_soon(session, parts, actor.account, view)
    return receipt_view(parts, receipt)


def receipt_view(parts: Parts, receipt: str) -> ReceiptView:
    """A receipt that was just issued."""
    with parts.database.read() as session:
        row = session.get_one(Receipt, receipt)
    return ReceiptView(id=row.id, kind=row.kind, removed=row.removed, asked=row.asked, done=row.done)


def _views(parts: Parts, session: Session, owner: str, photos: Sequence[Photo]) -> list[PhotoView]:
    """What is shown of one owner's photos, with three queries however many they are."""
    ids = [photo.id for photo in photos]
    key = parts.vault.key_of(session, owner)
    newest = {a.photo: a for a in session.scalars(_of(Analysis, ids).order_by(Analysis.created))}
    jobs = {j.photo: j for j in session.scalars(_of(Job, ids).where(Job.kind == "analyze").order_by(Job.created))}
    corrected = _corrected(session, [analysis.id for analysis in newest.values()])
    return [_view(photo, key, newest.get(photo.id), jobs.get(photo.id), corrected) for photo in photos]


def _corrected(session: Session, analyses: list[str]) -> set[str]:
    """Those of the analyses that a reviewer corrected."""
    if not analyses:
        return set()
    of_them = select(Correction.analysis).where(Correction.analysis.in_(analyses))
    return set(session.scalars(of_them.distinct()))


def _of(kind: type[Analysis] | type[Job], ids: list[str]):  # type: ignore[no-untyped-def]
    return select(kind).where(kind.photo.in_(ids))


def _view(photo: Photo, key: DataKey, analysis: Analysis | None, job: Job | None, corrected: set[str]) -> PhotoView:
    summary = None if analysis is None else summarize(analysis, key, corrected=analysis.id in corrected)
    return PhotoView(
        id=photo.id,
        owner=photo.owner,
        created=photo.created,
        taken_at=photo.taken_at,
        view=photo.view,  # type: ignore[arg-type]  # the database holds it to the three
        mirrored=photo.mirrored,
        baseline=bool(photo.baseline),
        visit=photo.visit,
        note=None if photo.note is None else key.open_text(photo.note, about=photo.id),
        format=photo.format,
        width_px=photo.width_px,
        height_px=photo.height_px,
        has_picture=photo.blob is not None,
        analysis=summary,
        job=None if job is None or job.state == "done" else job_view(job),
    )
