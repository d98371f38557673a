"""Visits: photos of one sitting from the front, the left and the right."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from comedo.service.accounts.access import own, see, see_owner
from comedo.service.accounts.actor import Actor, Scope
from comedo.service.actions.paging import piece
from comedo.service.actions.photos import views_of
from comedo.service.actions.views import Page, VisitView
from comedo.service.database.columns import new_id, now
from comedo.service.database.counts import need_room
from comedo.service.database.tables import Visit
from comedo.service.parts import Parts


def add(parts: Parts, actor: Actor, *, taken_at: datetime | None = None) -> VisitView:
    """A new visit, without photos as yet."""
    actor.need(Scope.WRITE)
    row = Visit(id=new_id(), owner=actor.account, taken_at=taken_at or now(), created=now())
    with parts.database.write() as session:
        need_room(session, Visit, actor.account, Visit.owner == actor.account)
        session.add(row)
    return VisitView(id=row.id, owner=row.owner, taken_at=row.taken_at, created=row.created, photos=[])


def list_visits(
    parts: Parts, actor: Actor, *, owner: str | None = None, limit: int = 20, cursor: str | None = None
) -> Page[VisitView]:
    """Visits with their photos, newest first."""
    whose = see_owner(parts, actor, owner, "visit.list")
    rows = select(Visit).where(Visit.owner == whose)
    with parts.database.read() as session:
        found, after = piece(session, rows, (Visit.created, Visit.id), limit=limit, cursor=cursor)
    return Page(items=[_view(parts, row) for row in found], next=after)


def get_visit(parts: Parts, actor: Actor, visit: str) -> VisitView:
    """One visit with its photos."""
    return _view(parts, see(parts, actor, Visit, visit, "visit.read"))


def delete(parts: Parts, actor: Actor, visit: str) -> None:
    """Remove the visit; its photos stay, each by itself."""
    with parts.database.write() as session:
        session.delete(own(session, actor, Visit, visit))


def _view(parts: Parts, row: Visit) -> VisitView:
    with parts.database.read() as session:
        photos = views_of(parts, session, row.owner, row.id)
    return VisitView(id=row.id, owner=row.owner, taken_at=row.taken_at, created=row.created, photos=photos)
