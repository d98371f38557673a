"""Who is asking: found from the headers of a request before its body is read."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated, cast

from fastapi import Depends, Request

from comedo.service.problems import Problem


class Scope(StrEnum):
    """What a token may do. A signed-in browser may do all of it, and what no token may."""

    READ = "read"
    WRITE = "write"
    REVIEW = "review"
    EXPORT = "export"


@dataclass(frozen=True)
class Actor:
    """The person, or the program with a person's token, behind a request."""

    account: str
    role: str  # one of tables.ROLES
    via: str  # "cookie" or "token"
    scopes: frozenset[Scope] = frozenset(Scope)
    local: bool = False  # the one user of a service on loopback, who has no password
    session: str | None = None  # cookie: SHA-256 of its secret
    token: str | None = None  # API token: its id
    confirmed_at: datetime | None = None  # when the password was last given
    address: str | None = field(default=None, compare=False)

    def need(self, scope: Scope) -> None:
        """Refuse a token without the scope."""
        if scope not in self.scopes:
            raise Problem("not_allowed", f"this token lacks the scope {scope}; make one that has it")

    def need_browser(self, what: str) -> None:
        """Refuse every token: a token raises no rights."""
        if self.via != "cookie":
            raise Problem("not_allowed", f"{what} is done signed in, never by a token")


def digest(secret: str) -> str:
    """What is kept of a random secret: its SHA-256; guessing is hopeless, so nothing slower is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def maybe_signed_in(request: Request) -> Actor | None:
    """The actor that the gate found."""
    return cast("Actor | None", request.scope["state"].get("actor"))


def signed_in(request: Request) -> Actor:
    """The actor; nobody is refused."""
    actor = maybe_signed_in(request)
    if actor is None:
        raise Problem("not_signed_in", "sign in, or send a token: Authorization: Bearer …")
    return actor


SignedIn = Annotated[Actor, Depends(signed_in)]
MaybeSignedIn = Annotated[Actor | None, Depends(maybe_signed_in)]
