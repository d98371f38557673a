"""What one account may take of the service at a time, and all accounts together: bytes on their way in, and work."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from comedo.service.accounts.actor import Actor
from comedo.service.problems import Problem, response_of
from comedo.service.security.bodies import BodyLimits
from comedo.service.security.places import Places

WAIT_S = 10.0  # a page asks for many pictures at once and gets them one after the other
PIECE_BYTES = 256 * 1024  # of an answer, in memory for a slow reader
_KINDS = {
    "archive": re.compile(r"/api/v1/export"),
    "picture": re.compile(
        r"/api/v1/(photos/\w+/(image|overlay|mask)|analyses/\w+/reports/\w+|changes/\w+/ledger)"
        r"|/photos/\w+/layers/\w+\.png|(/clinic/\w+)?/compare"
    ),
}


def heavy_kind(method: str, path: str) -> str | None:
    """Which places an answer needs that is made when it is asked for: "picture" (or report), "archive"; None: none."""
    return next((kind for kind, paths in _KINDS.items() if method == "GET" and paths.fullmatch(path)), None)


class HeavyGuard:
    """Holds a place for each heavy answer until it is sent; who has too many waits a while, and is then refused."""

    def __init__(
        self, app: ASGIApp, places: Mapping[str, Places], limits: BodyLimits, *, wait_s: float = WAIT_S
    ) -> None:
        self.app, self.places, self.limits, self.wait_s = app, places, limits, wait_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, perhaps after a while, or refuse."""
        account = _account(scope)
        kind = None if account is None else heavy_kind(scope["method"], scope["path"])
        if account is None or kind is None:
            await self.app(scope, receive, send)
            return
        async with self.places[kind].wait(account, self.wait_s) as held:
            if held:
                await self.app(scope, receive, in_pieces(send, self.limits))
                return
        detail = "too many pictures or reports at once; wait for those that were asked for"
        await response_of(Problem("too_many_requests", detail, headers={"Retry-After": "5"}))(scope, receive, send)


def in_pieces(send: Send, limits: BodyLimits) -> Send:
    """`send` that hands a large body on in pieces, and gives up on who reads slower than a body may come.

    So what waits for a slow reader in memory is a piece, and nobody keeps a place by not reading.
    """
    began, count = time.monotonic(), 0

    async def send_pieces(message: Message) -> None:
        nonlocal count
        body = message.get("body", b"")
        for start in range(0, max(len(body), 1), PIECE_BYTES):
            piece = message
            if len(body) > PIECE_BYTES:
                more = message.get("more_body", False) or start + PIECE_BYTES < len(body)
                piece = {**message, "body": body[start : start + PIECE_BYTES], "more_body": more}
            due = began + limits.grace_s + count / limits.least_bytes_per_s
            await asyncio.wait_for(send(piece), max(due - time.monotonic(), 0.001))
            count += len(piece.get("body", b""))

    return send_pieces


class IncomingGuard:
    """Holds room for the bytes of photos while they come, by what the headers announce; `places` counts bytes."""

    def __init__(self, app: ASGIApp, places: Places, limits: BodyLimits) -> None:
        self.app, self.places, self.limits = app, places, limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or refuse before a byte of the body is read."""
        account = _account(scope)
        most = None if account is None else self.limits.uploads.get(scope["path"])
        if account is None or most is None or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        size = int(Headers(scope=scope).get("content-length", most))  # a number: the body's guard has checked it
        with self.places.hold(account, size) as held:
            if held:
                await self.app(scope, receive, send)
                return
        problem = Problem("queue_full", "too many photos are on their way; try again", headers={"Retry-After": "5"})
        await response_of(problem)(scope, receive, send)


def _account(scope: Scope) -> str | None:
    """Who asks, where anybody does; the gate has found out."""
    actor: Actor | None = scope.get("state", {}).get("actor")
    return None if actor is None else actor.account
