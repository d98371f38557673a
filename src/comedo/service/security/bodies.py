"""How much may come and how slowly: enforced while a body is received, before anything reads it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from comedo.service.problems import Problem, response_of

DEFAULT_BYTES = 256 * 1024  # of every body that is not a photo


@dataclass(frozen=True)
class BodyLimits:
    """Limits on bodies.

    A body may take `grace_s`, and beyond that must have come at `least_bytes_per_s` on the whole.
    """

    uploads: Mapping[str, int]  # paths that take photos, and their bytes
    other_bytes: int = DEFAULT_BYTES
    grace_s: float = 20.0
    least_bytes_per_s: float = 16 * 1024

    def bytes_at(self, path: str) -> int:
        """Most bytes of a body at a path."""
        return self.uploads.get(path, self.other_bytes)


class BodyRefused(HTTPException):
    """The body must not be read on. An HTTPException, because FastAPI lets no other error out of reading a body."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.status)
        self.problem = problem


class BodyGuard:
    """Refuses bodies that are too long, compressed or too slow, also when they come in chunks without a length."""

    def __init__(self, app: ASGIApp, limits: BodyLimits) -> None:
        self.app, self.limits = app, limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on with a guarded `receive`, or refuse by the headers alone."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        most = self.limits.bytes_at(scope["path"])
        refused = _by_headers(Headers(scope=scope), most)
        if refused is not None:
            await response_of(refused)(scope, receive, send)
            return
        await self.app(scope, _Receiver(receive, most, self.limits), send)


def _by_headers(headers: Headers, most: int) -> Problem | None:
    if headers.get("content-encoding", "identity").lower() != "identity":
        return Problem("encoded_body", "send the body as it is, without Content-Encoding")
    lengths = headers.getlist("content-length")
    if any(not (text.isascii() and text.isdigit()) for text in lengths) or len(set(lengths)) > 1:
        return Problem("bad_request", "Content-Length must be one whole number")
    return _too_large(most) if lengths and int(lengths[0]) > most else None


def _too_large(most: int) -> Problem:
    return Problem("too_large", f"a body may have at most {most:,} bytes here", headers={"Connection": "close"})


class _Receiver:
    """`receive` of one request, counting and timing what comes."""

    def __init__(self, receive: Receive, most: int, limits: BodyLimits) -> None:
        self.receive, self.most, self.limits = receive, most, limits
        self.count = 0
        self.began: float | None = None
        self.whole = False

    async def __call__(self) -> Message:
        if self.whole:  # only a disconnect can follow, and that may take as long as it likes
            return await self.receive()
        now = time.monotonic()
        self.began = now if self.began is None else self.began
        due = self.began + self.limits.grace_s + self.count / self.limits.least_bytes_per_s
        try:
            message = await asyncio.wait_for(self.receive(), max(due - now, 0.001))
        except TimeoutError as error:
            detail = "the body came too slowly; try again on a better connection"
            raise BodyRefused(Problem("too_slow", detail, headers={"Connection": "close"})) from error
        if message["type"] == "http.request":
            self.count += len(message.get("body", b""))
            self.whole = not message.get("more_body", False)
            if self.count > self.most:
                raise BodyRefused(_too_large(self.most))
        return message
