"""API tokens: for programs, with scopes, shown once and kept as a hash."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, select, update

from comedo.service.accounts.actor import Actor, Scope, digest
from comedo.service.actions.views import TokenMade, TokenView
from comedo.service.database.audit import record
from comedo.service.database.columns import new_id, now
from comedo.service.database.counts import need_room
from comedo.service.database.tables import Account, ApiToken
from comedo.service.parts import Parts
from comedo.service.problems import absent

PREFIX = "comedo_"  # so that scanners for leaked secrets know one
_TOUCH = timedelta(minutes=10)


def make(parts: Parts, actor: Actor, name: str, scopes: Sequence[Scope], *, expires_in_days: int | None) -> TokenMade:
    """A new token; its secret is in the answer and is never shown again."""
    actor.need_browser("making a token")
    secret, moment = PREFIX + secrets.token_urlsafe(32), now()
    row = ApiToken(
        id=new_id(),
        account=actor.account,
        name=name,
        token_sha256=digest(secret),
        scopes=sorted(set(scopes)),
        created=moment,
        expires=None if expires_in_days is None else moment + timedelta(days=expires_in_days),
    )
    mine = ApiToken.account == actor.account
    with parts.database.write() as session:
        session.execute(delete(ApiToken).where(mine, ApiToken.revoked.is_not(None)))  # the audit log knows them
        need_room(session, ApiToken, actor.account, mine)
        session.add(row)
        record(session, actor=actor.account, owner=actor.account, action="token.create", object_id=row.id)
    return TokenMade(**_view(row).model_dump(), token=secret)


def list_tokens(parts: Parts, actor: Actor) -> list[TokenView]:
    """The tokens that were not revoked, newest first."""
    actor.need_browser("looking at tokens")
    mine = select(ApiToken).where(ApiToken.account == actor.account, ApiToken.revoked.is_(None))
    with parts.database.read() as session:
        return [_view(row) for row in session.scalars(mine.order_by(ApiToken.created.desc()))]


def revoke(parts: Parts, actor: Actor, token: str) -> None:
    """End a token at once."""
    actor.need_browser("revoking a token")
    mine = (ApiToken.id == token, ApiToken.account == actor.account, ApiToken.revoked.is_(None))
    with parts.database.write() as session:
        if session.scalar(select(ApiToken.id).where(*mine)) is None:
            raise absent("token")
        session.execute(update(ApiToken).where(*mine).values(revoked=now()))
        record(session, actor=actor.account, owner=actor.account, action="token.revoke", object_id=token)


def find_token(parts: Parts, secret: str) -> tuple[Account, ApiToken] | None:
    """The account and token of a secret; None where it is unknown, revoked or past its day."""
    moment = now()
    with parts.database.read() as session:
        row = session.scalar(select(ApiToken).where(ApiToken.token_sha256 == digest(secret)))
        account = None if row is None else session.get(Account, row.account)
    if row is None or account is None or row.revoked is not None or account.disabled is not None:
        return None
    if row.expires is not None and row.expires < moment:
        return None
    if row.used is None or row.used < moment - _TOUCH:
        with parts.database.write() as session:
            session.execute(update(ApiToken).where(ApiToken.id == row.id).values(used=moment))
    return account, row


def _view(row: ApiToken) -> TokenView:
    scopes = [Scope(scope) for scope in row.scopes]
    return TokenView(id=row.id, name=row.name, scopes=scopes, created=row.created, used=row.used, expires=row.expires)
