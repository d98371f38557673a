"""The audit log, as the person whose data it is about reads it."""

from __future__ import annotations

from sqlalchemy import select

from comedo.service.accounts.actor import Actor, Scope
from comedo.service.actions.paging import piece
from comedo.service.actions.views import AuditView, Page
from comedo.service.database.tables import Account, Audit
from comedo.service.parts import Parts


def list_audit(parts: Parts, actor: Actor, *, limit: int = 50, cursor: str | None = None) -> Page[AuditView]:
    """What was done to the actor's data and by whom, newest first."""
    actor.need(Scope.READ)
    mine = select(Audit).where(Audit.owner == actor.account)
    with parts.database.read() as session:
        rows, after = piece(session, mine, (Audit.at, Audit.id), limit=limit, cursor=cursor)
        ids = {row.actor for row in rows if row.actor is not None}
        names = {a.id: a.name or a.email for a in session.scalars(select(Account).where(Account.id.in_(ids)))}
    return Page(items=[_view(row, names) for row in rows], next=after)


def _view(row: Audit, names: dict[str, str | None]) -> AuditView:
    return AuditView(
        id=row.id,
        at=row.at,
        actor=row.actor,
        actor_name=None if row.actor is None else names.get(row.actor),
        action=row.action,
        object_id=row.object_id,
        address=row.address,
    )
