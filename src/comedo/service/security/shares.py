"""What one account may take of the service at a time, and all accounts together: bytes on their way in, and work."""

from __future__ import annotations

import re

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from comedo.service.accounts.actor import Actor
from comedo.service.problems import Problem, response_of
from comedo.service.security.bodies import BodyLimits
from comedo.service.security.places import Places

WAIT_S = 10.0  # a page asks for many pictures at once and gets them one after the other
_MADE_WHEN_ASKED = re.compile(
    r"/api/v1/(photos/\w+/(image|overlay|mask)|analyses/\w+/reports/\w+|changes/\w+/ledger|export)"
    r"|/photos/\w+/layers/\w+\.png|(/clinic/\w+)?/compare"
)


def is_heavy(method: str, path: str) -> bool:
    """Whether the answer is a file that is made when it is asked for: a picture, a report, an archive."""
    return method == "GET" and _MADE_WHEN_ASKED.fullmatch(path) is not None


class HeavyGuard:
    """Holds a place for each heavy answer until it is sent; who has too many waits a while, and is then refused."""

    def __init__(self, app: ASGIApp, places: Places, *, wait_s: float = WAIT_S) -> None:
        self.app, self.places, self.wait_s = app, places, wait_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, perhaps after a while, or refuse."""
        account = _account(scope)
        if account is None or not is_heavy(scope["method"], scope["path"]):
            await self.app(scope, receive, send)
            return
        async with self.places.wait(account, self.wait_s) as held:
            if held:
                await self.app(scope, receive, send)
                return
        detail = "too many pictures or reports at once; wait for those that were asked for"
        await response_of(Problem("too_many_requests", detail, headers={"Retry-After": "5"}))(scope, receive, send)


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
