"""Guards against other web pages: the host asked for, where a request comes from, and headers on every answer.

Each is a plain ASGI layer, so that it sees a request before anything of its body is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from comedo.service.problems import Problem, response_of

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_DEFAULT_PORTS = {"http": 80, "https": 443}

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; worker-src 'self'; media-src 'self' blob:; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; object-src 'none'"
)
FILE_POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"  # of photos and files: shown, never run

HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Content-Security-Policy": PAGE_POLICY,
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        # With "no-referrer" browsers send "Origin: null" with a form, which the guard below has to refuse.
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(self), microphone=(), geolocation=(), interest-cohort=()",
        "Cache-Control": "no-store",
    }
)


class HostGuard:
    """Answers only to the hosts that it is meant for: a page that re-points its own name at us is turned away."""

    def __init__(self, app: ASGIApp, hosts: Iterable[str]) -> None:
        self.app = app
        self.hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or refuse."""
        if scope["type"] == "http" and host_name(Headers(scope=scope).getlist("host")) not in self.hosts:
            problem = Problem("wrong_host", "this server answers only to the hosts in COMEDO_ALLOWED_HOSTS")
            await response_of(problem)(scope, receive, send)
            return
        await self.app(scope, receive, send)


def host_name(values: list[str]) -> str | None:
    """The name in the Host header, in small letters and without its port; None unless exactly one sound one came."""
    if len(values) != 1:
        return None
    place = _place(values[0], "http")
    return None if place is None else place[0]


def _place(authority: str, scheme: str) -> tuple[str, int | None] | None:
    """Host and port, the scheme's own where none is named; None where it is malformed."""
    if any(c in authority for c in "/?#@\\ \t") or not authority:
        return None
    try:
        parts = urlsplit(f"//{authority}")
        return (parts.hostname.lower(), parts.port or _DEFAULT_PORTS.get(scheme)) if parts.hostname else None
    except ValueError:
        return None


class OriginGuard:
    """Refuses what another site sends: by fetch metadata, and by Origin where a browser sends none.

    Holds for every method that is not safe, DELETE included. A safe request from another site passes only as a visit
    (a followed link), so that no other page can embed or read anything.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or refuse."""
        if scope["type"] == "http" and not _from_here(scope["method"], Headers(scope=scope)):
            problem = Problem("cross_site", "this request must come from a page of this server; open it there")
            await response_of(problem)(scope, receive, send)
            return
        await self.app(scope, receive, send)


def _from_here(method: str, headers: Headers) -> bool:
    site = headers.get("sec-fetch-site")
    if method in SAFE_METHODS:
        visit = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
        return site in (None, "same-origin", "none") or visit
    if site is not None and site not in ("same-origin", "none"):
        return False
    origin = headers.get("origin")
    if origin is not None:
        return _same_place(origin, headers.get("host", ""))
    # No browser omits both on an unsafe request; programs do, and they carry a token instead of a cookie.
    return site is not None or "cookie" not in headers


def _same_place(origin: str, host: str) -> bool:
    scheme, _, authority = origin.partition("://")
    place = _place(authority, scheme)
    return scheme in _DEFAULT_PORTS and place is not None and place == _place(host, scheme)


class SafeHeaders:
    """Puts the headers on every answer; a route that sets one itself keeps its own."""

    def __init__(self, app: ASGIApp, *, secure: bool) -> None:
        self.app = app
        self.headers = dict(HEADERS) | ({"Strict-Transport-Security": "max-age=31536000"} if secure else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the headers."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, with_headers)
