"""Who may see and change what: one check for the photo and for everything made of it.

One's own is one's own. A clinician sees what belongs to a patient whose consent holds at this moment, and each such
look is written into the patient's audit log before anything is handed out. All else is absent.
"""

from __future__ import annotations

from typing import Protocol, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from comedo.service.accounts.actor import Actor, Scope
from comedo.service.database.audit import record
from comedo.service.database.columns import now
from comedo.service.database.tables import Account, ApiToken, Consent, WebSession
from comedo.service.parts import Parts
from comedo.service.problems import absent


class Owned(Protocol):
    """A row of somebody's."""

    id: str
    owner: str


Row = TypeVar("Row", bound=Owned)


def see(parts: Parts, actor: Actor, kind: type[Row], object_id: str, action: str) -> Row:
    """A row to read.

    Raises:
        Problem: `not_found`: it is not there, or not for this actor.
    """
    actor.need(Scope.READ)
    with parts.database.read() as session:
        row = session.get(kind, object_id)
    if row is None:
        raise absent(kind.__name__.lower())
    note_look(parts, actor, row.owner, action, object_id, kind.__name__.lower())
    return row


def see_owner(parts: Parts, actor: Actor, owner: str | None, action: str) -> str:
    """Whose rows are to be listed: by default the actor's own.

    Raises:
        Problem: `not_found`: the owner is not there, or not for this actor.
    """
    actor.need(Scope.READ)
    if owner is not None:
        note_look(parts, actor, owner, action, None, "patient")
    return owner or actor.account


def note_look(parts: Parts, actor: Actor, owner: str, action: str, object_id: str | None, what: str) -> None:
    """Let a look pass and write it down, where it is at another's.

    Raises:
        Problem: `not_found`: there is no consent.
    """
    if owner == actor.account:
        return
    with parts.database.read() as session:  # what is not allowed costs no more than what is not there
        if not may_look(session, actor, owner):
            raise absent(what)
    with parts.database.write() as session:
        if not may_look(session, actor, owner):
            raise absent(what)
        record(session, actor=actor.account, owner=owner, action=action, object_id=object_id, address=actor.address)


def may_look(session: Session, actor: Actor, owner: str) -> bool:
    """Whether the actor may see what the owner has, at this moment."""
    if owner == actor.account:
        return True
    if actor.role != "clinician":
        return False
    held = select(Consent.id).join(Account, Account.id == Consent.patient)
    mine = held.where(Consent.patient == owner, Consent.clinician == actor.account, Consent.withdrawn.is_(None))
    return session.scalar(mine.limit(1)) is not None


def own(session: Session, actor: Actor, kind: type[Row], object_id: str) -> Row:
    """A row of the actor's to change; another's is absent whatever its owner consented to.

    Raises:
        Problem: `not_found`.
    """
    actor.need(Scope.WRITE)
    row = session.get(kind, object_id)
    if row is None or row.owner != actor.account:
        raise absent(kind.__name__.lower())
    return row


def still_signed_in(parts: Parts, actor: Actor) -> bool:
    """Whether the session or token by which a long answer began still holds."""
    moment = now()
    with parts.database.read() as session:
        if actor.token is not None:
            token = session.get(ApiToken, actor.token)
            return token is not None and token.revoked is None and (token.expires is None or token.expires > moment)
        row = session.get(WebSession, actor.session)
        return row is not None and row.expires > moment
