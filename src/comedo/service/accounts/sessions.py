"""Browsers that are signed in: opened by a password or a start token, kept by a cookie, ended on the server."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from starlette.responses import Response

from comedo.service.accounts.actor import Actor, digest
from comedo.service.accounts.limits import SIGN_IN_ACCOUNT, SIGN_IN_ADDRESS, SIGN_UP_ADDRESS, forget, take
from comedo.service.accounts.passwords import check_password, hash_password, is_password
from comedo.service.database.audit import record
from comedo.service.database.columns import new_id, now
from comedo.service.database.tables import Account, State, WebSession
from comedo.service.parts import Parts
from comedo.service.problems import Problem
from comedo.service.settings import Settings

START_TOKEN = "start_token_sha256"  # in State: hash of the one that `comedo serve` shows
_TOUCH = timedelta(minutes=1)  # how stale the idle clock may be: not every request writes
_LOCAL_DAYS = 3650


@dataclass(frozen=True)
class Opened:
    """A new session; `secret` goes into the cookie and nowhere else."""

    secret: str
    account: Account


def cookie_name(parts: Parts) -> str:
    """With TLS browsers refuse the name from anyone but this host over TLS."""
    return "__Host-comedo" if parts.secure else "comedo-session"


def set_cookie(response: Response, parts: Parts, opened: Opened) -> None:
    """Hand the session to the browser."""
    response.set_cookie(
        cookie_name(parts),
        opened.secret,
        max_age=int(_lifetime(parts.settings).total_seconds()),
        path="/",
        secure=parts.secure,
        httponly=True,
        samesite="lax" if parts.settings.accounts else "strict",
    )


def clear_cookie(response: Response, parts: Parts) -> None:
    """Take the session, and whatever the browser kept of our pages, away."""
    response.delete_cookie(cookie_name(parts), path="/", secure=parts.secure, httponly=True)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'


def sign_up(parts: Parts, email: str, password: str, *, locale: str, address: str | None) -> Opened:
    """Make a patient's account and sign in.

    Raises:
        Problem: There are no accounts here, the password is weak, the address is taken, or too many tries.
    """
    _need_accounts(parts)
    take(parts.database, SIGN_UP_ADDRESS, address or "")
    check_password(password, email=email)
    hashed = hash_password(password)
    with parts.database.write() as session:
        account = Account(id=new_id(), role="patient", email=email, password_hash=hashed, locale=locale)
        session.add(account)
        try:
            session.flush()
        except IntegrityError as error:
            raise Problem("conflict", "there is an account with this address; sign in instead") from error
        parts.vault.make_key(session, account.id)
        record(session, actor=account.id, owner=account.id, action="account.create", address=address)
        return _open(session, parts.settings, account)


def sign_in(parts: Parts, email: str, password: str, *, address: str | None) -> Opened:
    """Open a session; who is unknown costs the same time and gets the same answer.

    Raises:
        Problem: `sign_in_failed` or `too_many_requests`.
    """
    _need_accounts(parts)
    take(parts.database, SIGN_IN_ADDRESS, address or "")
    take(parts.database, SIGN_IN_ACCOUNT, email)
    with parts.database.read() as session:
        account = session.scalar(select(Account).where(Account.email == email, Account.disabled.is_(None)))
    if not is_password(password, None if account is None else account.password_hash) or account is None:
        raise Problem("sign_in_failed", "check the address and the password")
    forget(parts.database, SIGN_IN_ACCOUNT, email)
    with parts.database.write() as session:
        return _open(session, parts.settings, account)


def start(parts: Parts, token: str) -> Opened:
    """Open the session of the one user by the start token, which works once.

    Raises:
        Problem: It is not the token, or it was used.
    """
    if parts.settings.accounts:
        raise Problem("not_found", "this service has accounts; sign in")
    with parts.database.write() as session:
        used = session.execute(delete(State).where(State.name == START_TOKEN, State.value == digest(token)))
        if used.rowcount != 1:  # type: ignore[attr-defined]
            raise Problem("sign_in_failed", "the start link was used or is old; start comedo serve again for a new one")
        return _open(session, parts.settings, local_account(session, parts))


def new_start_token(parts: Parts) -> str:
    """A fresh one-time token; the one before it is void."""
    token = secrets.token_urlsafe(24)
    with parts.database.write() as session:
        session.merge(State(name=START_TOKEN, value=digest(token)))
    return token


def local_account(session: Session, parts: Parts) -> Account:
    """The one account of a service without sign-in, made when first needed."""
    account = session.scalar(select(Account).where(Account.email.is_(None)).order_by(Account.created))
    if account is None:
        account = Account(id=new_id(), role="patient")
        session.add(account)
        session.flush()
        parts.vault.make_key(session, account.id)
    return account


def find_session(parts: Parts, secret: str) -> tuple[Account, WebSession] | None:
    """The account and session of a cookie; None where it has ended, and its idle clock set anew where it has not."""
    moment, idle = now(), timedelta(minutes=parts.settings.session_idle_minutes)
    with parts.database.read() as session:
        row = session.get(WebSession, digest(secret))
        account = None if row is None else session.get(Account, row.account)
    if row is None or account is None or account.disabled is not None or row.expires < moment:
        return None
    if (account.email is None) == parts.settings.accounts:
        return None  # the service was started the other way round
    if parts.settings.accounts and row.used < moment - idle:
        return None
    if row.used < moment - _TOUCH:
        with parts.database.write() as session:
            session.execute(update(WebSession).where(WebSession.token_sha256 == row.token_sha256).values(used=moment))
    return account, row


def sign_out(parts: Parts, actor: Actor) -> None:
    """End this session."""
    actor.need_browser("signing out")
    with parts.database.write() as session:
        session.execute(delete(WebSession).where(WebSession.token_sha256 == actor.session))


def end_sessions(session: Session, account: str, *, but: str | None = None) -> None:
    """End every session of an account, perhaps but one."""
    session.execute(delete(WebSession).where(WebSession.account == account, WebSession.token_sha256 != (but or "")))


def _open(session: Session, settings: Settings, account: Account) -> Opened:
    secret, moment = secrets.token_urlsafe(32), now()
    session.execute(delete(WebSession).where(WebSession.account == account.id, WebSession.expires < moment))
    session.add(
        WebSession(
            token_sha256=digest(secret),
            account=account.id,
            expires=moment + _lifetime(settings),
            confirmed=moment,
        )
    )
    return Opened(secret, account)


def _lifetime(settings: Settings) -> timedelta:
    return timedelta(days=settings.session_days if settings.accounts else _LOCAL_DAYS)


def _need_accounts(parts: Parts) -> None:
    if not parts.settings.accounts:
        raise Problem("not_found", "this service has one user and no accounts; open it by its start link")
