"""Finds out who is asking before anything of the body is read; under /api nothing is open that is not listed here."""

from __future__ import annotations

from anyio import to_thread
from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Receive, Scope, Send

from comedo.service.accounts.actor import Actor
from comedo.service.accounts.actor import Scope as TokenScope
from comedo.service.accounts.sessions import cookie_name, find_session
from comedo.service.accounts.tokens import find_token
from comedo.service.parts import Parts
from comedo.service.problems import Problem, response_of

API = "/api/v1"
OPEN = frozenset(  # method and path of what needs no sign-in
    {("POST", f"{API}/accounts"), ("POST", f"{API}/sessions"), ("POST", f"{API}/sessions/start")}
)
_NOBODY = ("/static/", "/health", "/ready", "/metrics")  # nothing there depends on who asks


class Gate:
    """Puts the actor into the request's state; a request to the API without one ends here."""

    def __init__(self, app: ASGIApp, parts: Parts) -> None:
        self.app, self.parts = app, parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on with the actor, or refuse."""
        if scope["type"] != "http" or scope["path"].startswith(_NOBODY):
            await self.app(scope, receive, send)
            return
        actor = await self._find(Headers(scope=scope), (scope.get("client") or ("",))[0])
        if actor is None and scope["path"].startswith("/api") and (scope["method"], scope["path"]) not in OPEN:
            problem = Problem("not_signed_in", "sign in, or send a token: Authorization: Bearer …")
            await response_of(problem)(scope, receive, send)
            return
        scope.setdefault("state", {})["actor"] = actor
        await self.app(scope, receive, send)

    async def _find(self, headers: Headers, address: str) -> Actor | None:
        kind, _, secret = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            return await to_thread.run_sync(actor_by_token, self.parts, secret.strip(), address)
        secret = cookie_parser(headers.get("cookie", "")).get(cookie_name(self.parts), "")
        return await to_thread.run_sync(actor_by_cookie, self.parts, secret, address) if secret else None


def actor_by_token(parts: Parts, secret: str, address: str | None) -> Actor | None:
    """The actor of an API token; None where it does not hold (any more)."""
    found = find_token(parts, secret)
    if found is None:
        return None
    account, token = found
    scopes = frozenset(TokenScope(scope) for scope in token.scopes)
    return Actor(
        account.id, account.role, "token", scopes, local=account.email is None, token=token.id, address=address
    )


def actor_by_cookie(parts: Parts, secret: str, address: str | None) -> Actor | None:
    """The actor of a session; None where it has ended."""
    found = find_session(parts, secret)
    if found is None:
        return None
    account, row = found
    return Actor(
        account.id,
        account.role,
        "cookie",
        local=account.email is None,
        session=row.token_sha256,
        confirmed_at=row.confirmed,
        address=address,
    )
