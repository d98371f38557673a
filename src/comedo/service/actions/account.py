"""One's own account: settings, password, retention."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import update

from comedo.guidance.load import languages
from comedo.service.accounts.actor import Actor, Scope
from comedo.service.accounts.limits import CONFIRM_ACCOUNT, forget, take
from comedo.service.accounts.passwords import check_password, hash_password, is_password
from comedo.service.accounts.sessions import end_sessions
from comedo.service.actions.views import AccountView
from comedo.service.database.audit import record
from comedo.service.database.columns import now
from comedo.service.database.tables import Account, WebSession
from comedo.service.parts import Parts
from comedo.service.problems import Problem

CONFIRMED_FOR = timedelta(minutes=10)
RETENTION_DAYS = range(1, 3651)
RETENTIONS = ("keep", "without_photos", "days")


@dataclass(frozen=True)
class AccountChange:
    """What may be changed; a field that is None stays."""

    locale: str | None = None
    retention: str | None = None
    retention_days: int | None = None


def get(parts: Parts, actor: Actor) -> AccountView:
    """The actor's account."""
    actor.need(Scope.READ)
    with parts.database.read() as session:
        return account_view(session.get_one(Account, actor.account))


def account_view(row: Account) -> AccountView:
    """What a person is shown of their account."""
    return AccountView(
        id=row.id,
        role=row.role,  # type: ignore[arg-type]  # the database holds it to the two
        email=row.email,
        name=row.name,
        locale=row.locale,
        retention=row.retention,  # type: ignore[arg-type]  # as above
        retention_days=row.retention_days,
        created=row.created,
        local=row.email is None,
    )


def change(parts: Parts, actor: Actor, wanted: AccountChange) -> AccountView:
    """Change language and retention; role, name and address are not the owner's to change."""
    actor.need_browser("changing the account")
    if wanted.locale is not None and wanted.locale not in languages():
        raise Problem("invalid", "there is no such language", fields={"locale": f"must be one of {languages()}"})
    with parts.database.write() as session:
        row = session.get_one(Account, actor.account)
        row.locale = wanted.locale or row.locale
        if wanted.retention is not None:
            _check_retention(wanted)
            row.retention, row.retention_days = wanted.retention, wanted.retention_days
            record(session, actor=actor.account, owner=actor.account, action=f"retention.{wanted.retention}")
        return account_view(row)


def _check_retention(wanted: AccountChange) -> None:
    if wanted.retention not in RETENTIONS:
        raise Problem("invalid", "there is no such retention", fields={"retention": f"must be one of {RETENTIONS}"})
    if (wanted.retention == "days") != (wanted.retention_days is not None):
        reason = 'is given with retention "days", and only then'
        raise Problem("invalid", f"retention_days {reason}", fields={"retention_days": reason})
    if wanted.retention_days is not None and wanted.retention_days not in RETENTION_DAYS:
        reason = f"must be {RETENTION_DAYS[0]} to {RETENTION_DAYS[-1]}"
        raise Problem("invalid", f"retention_days {reason}", fields={"retention_days": reason})


def change_password(parts: Parts, actor: Actor, current: str, new: str) -> None:
    """Set a new password and end every other session."""
    if actor.local:
        raise Problem("not_found", "the one user of a service on loopback has no password")
    confirm(parts, actor, current)
    with parts.database.read() as session:
        check_password(new, email=session.get_one(Account, actor.account).email or "")
    hashed = hash_password(new)  # before the transaction: it takes a while
    with parts.database.write() as session:
        row = session.get_one(Account, actor.account)
        row.password_hash = hashed
        end_sessions(session, row.id, but=actor.session)
        record(session, actor=row.id, owner=row.id, action="password.change", address=actor.address)


def confirm(parts: Parts, actor: Actor, password: str) -> None:
    """Prove once more who is asking, before something that cannot be undone.

    Raises:
        Problem: `sign_in_failed` or `too_many_requests`.
    """
    actor.need_browser("confirming")
    if actor.local:
        return
    take(parts.database, CONFIRM_ACCOUNT, actor.account)
    with parts.database.read() as session:
        row = session.get_one(Account, actor.account)
    if not is_password(password, row.password_hash):
        raise Problem("sign_in_failed", "check the password")
    forget(parts.database, CONFIRM_ACCOUNT, actor.account)
    mine = WebSession.token_sha256 == actor.session
    with parts.database.write() as session:
        session.execute(update(WebSession).where(mine).values(confirmed=now()))


def need_confirmed(actor: Actor) -> None:
    """Refuse unless the password was given just now; the one user on loopback has none."""
    if not actor.local and (actor.confirmed_at is None or actor.confirmed_at < now() - CONFIRMED_FOR):
        raise Problem("ask_again", "give your password once more: POST /api/v1/sessions/confirm")
