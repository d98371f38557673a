"""The application: parts wired, guards put up, routes included. Importing it opens nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from fastapi import FastAPI
from starlette.types import ASGIApp
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from comedo import __version__
from comedo.service.api import diary, jobs, operations, people, photos
from comedo.service.api.common import PROBLEMS, ProblemDocument
from comedo.service.api.waiting import Waiting
from comedo.service.database.engine import open_database
from comedo.service.database.migrate import migrate
from comedo.service.faults import LastResort, answer_faults
from comedo.service.logs import set_up_logs
from comedo.service.memory import share_arenas
from comedo.service.metrics import Measured, Metrics
from comedo.service.parts import Parts
from comedo.service.security.bodies import BodyGuard, BodyLimits
from comedo.service.security.gate import API, Gate
from comedo.service.security.places import Places
from comedo.service.security.shares import HeavyGuard, IncomingGuard
from comedo.service.security.web import HostGuard, OriginGuard, SafeHeaders
from comedo.service.settings import MIB, Settings, read_settings
from comedo.service.storage.open import open_storage

THREADS = 40  # of anyio's pool: each may hold a connection to the database
STORED_AT_ONCE = 8  # uploads that are checked and written at a time: bounds memory and threads
MAX_BATCH_BYTES = 128 * MIB
INCOMING_BYTES, INCOMING_BYTES_EACH = 512 * MIB, 160 * MIB  # of bodies with photos that are on their way
HEAVY, HEAVY_EACH = 24, 4  # pictures and reports that are made at a time: fewer than there are threads
ARCHIVES, ARCHIVES_EACH = 8, 1
DESCRIPTION = (
    "Face photos in, acne measurements out, followed over time. comedo measures appearance: it is research software, "
    "not a medical device, and makes no diagnosis."
)


def app_from_environment() -> FastAPI:
    """The application by the settings of the environment: what a web process runs."""
    set_up_logs()
    share_arenas()
    return create_app(read_settings())


def create_app(settings: Settings, *, pages: bool = True) -> FastAPI:
    """The application with its database upgraded and its storage opened.

    Args:
        settings: Of the service.
        pages: Whether there are pages for people beside the API.

    Raises:
        UnusableInput: A setting is wrong.
        WrongStore, WrongMasterKey: Database, store and key do not belong together.
    """
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    database = open_database(settings.database, connections=THREADS + 6)
    migrate(database)
    parts = Parts(settings, database, open_storage(settings, database))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        database.close()

    app = FastAPI(
        title="comedo",
        version=__version__,
        description=DESCRIPTION,
        lifespan=lifespan,
        openapi_url=None,  # served below, to those who are signed in
        docs_url=None,
        redoc_url=None,
    )
    app.state.parts = parts
    app.state.metrics = Metrics()
    app.state.streams = Places(most=200, most_each=10)
    app.state.uploads = Places(most=48, most_each=8)
    app.state.incoming = incoming_bytes(settings)
    app.state.waiting = Waiting(database)
    app.state.storing = asyncio.Semaphore(STORED_AT_ONCE)
    answer_faults(app)
    for module in (people, photos, diary, jobs):
        app.include_router(module.router, responses=PROBLEMS)
    app.include_router(operations.router)
    app.add_api_route(f"{API}/openapi.json", lambda: app.openapi(), include_in_schema=False)
    _describe(app)
    if pages:
        import_module("comedo.service.pages").register(app)
    _guard(app, parts)
    return app


def _guard(app: FastAPI, parts: Parts) -> None:
    """The layers before the routes, from the innermost to the outermost."""
    settings = parts.settings
    heavy = {"picture": Places(most=HEAVY, most_each=HEAVY_EACH), "archive": Places(ARCHIVES, ARCHIVES_EACH)}
    app.add_middleware(HeavyGuard, places=heavy, limits=body_limits(settings))
    app.add_middleware(IncomingGuard, places=app.state.incoming, limits=body_limits(settings))
    app.add_middleware(Gate, parts=parts)
    app.add_middleware(BodyGuard, limits=body_limits(settings))
    app.add_middleware(OriginGuard)
    app.add_middleware(HostGuard, hosts=allowed_hosts(settings))
    app.add_middleware(LastResort)
    app.add_middleware(SafeHeaders, secure=parts.secure)
    app.add_middleware(Measured, metrics=app.state.metrics)
    if settings.trusted_proxies:
        app.add_middleware(_behind_proxies, trusted=list(settings.trusted_proxies))


def _behind_proxies(app: ASGIApp, trusted: list[str]) -> ASGIApp:
    """The client's address from X-Forwarded-For, of these proxies alone and read from the right."""
    return ProxyHeadersMiddleware(app, trusted_hosts=trusted)  # type: ignore[arg-type, return-value]


def body_limits(settings: Settings) -> BodyLimits:
    """Limits on bodies: one photo, or a batch of them, with room for a form around it."""
    batch = min(settings.max_upload_bytes * settings.max_batch_photos, max(MAX_BATCH_BYTES, settings.max_upload_bytes))
    room = 64 * 1024
    one = settings.max_upload_bytes + room
    return BodyLimits({f"{API}/photos": one, f"{API}/photos/batch": batch + room, "/photos/upload": batch + room})


def incoming_bytes(settings: Settings) -> Places:
    """Room for bodies with photos, in bytes; the largest that is allowed always fits."""
    largest = max(body_limits(settings).uploads.values())
    return Places(most=max(INCOMING_BYTES, largest), most_each=max(INCOMING_BYTES_EACH, largest))


def allowed_hosts(settings: Settings) -> frozenset[str]:
    """The hosts that are answered to: where it listens, its public address, and those that are named."""
    hosts = {settings.host, *settings.allowed_hosts}
    if settings.public_url is not None:
        hosts.add(urlsplit(settings.public_url).hostname or "")
    if settings.on_loopback:
        hosts |= {"127.0.0.1", "localhost", "::1"}
    return frozenset(hosts - {"", "0.0.0.0", "::"})


def _describe(app: FastAPI) -> None:
    """The OpenAPI document with problem documents and ways to sign in."""
    made = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = made()
            parts = document.setdefault("components", {})
            parts.setdefault("schemas", {})["ProblemDocument"] = ProblemDocument.model_json_schema()
            parts["securitySchemes"] = {
                "token": {"type": "http", "scheme": "bearer"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": "comedo-session"},
            }
            document["security"] = [{"token": []}, {"cookie": []}]
            for path in ("/accounts", "/sessions", "/sessions/start"):
                document["paths"][API + path]["post"]["security"] = []
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's own way to extend it
