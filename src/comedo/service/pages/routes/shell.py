"""The shell of the app: styles, modules, pictures, manifest and the service worker that keeps them."""

from __future__ import annotations

import json
from functools import cache

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from comedo.service.pages.site import STATIC, render, static_href
from comedo.service.problems import Problem

router = APIRouter()

FOR_GOOD = "public, max-age=31536000, immutable"  # the address changes with the content
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".webmanifest": "application/manifest+json",
}


@cache
def static_files() -> dict[str, bytes]:
    """Every static file by its name; read once, so that no request names a path on the disk."""
    found = {p.relative_to(STATIC).as_posix(): p.read_bytes() for p in sorted(STATIC.rglob("*")) if p.is_file()}
    return {name: data for name, data in found.items() if name[name.rfind(".") :] in MEDIA_TYPES}


@router.get("/static/{name:path}")
def static_file(name: str) -> Response:
    """A file of the shell."""
    data = static_files().get(name)
    if data is None:
        raise Problem("not_found", "there is no such file")
    return Response(data, media_type=MEDIA_TYPES[name[name.rfind(".") :]], headers={"Cache-Control": FOR_GOOD})


@router.get("/favicon.ico")
def favicon() -> Response:
    """The icon where browsers look for it unasked."""
    return static_file("favicon.svg")


@router.get("/sw.js")
def service_worker() -> Response:
    """The worker, with the addresses of the shell's files before it; at the root, for every page."""
    shell = [static_href(name) for name in static_files() if not name.endswith(("sw.js", "hero.jpg"))]
    script = f"const SHELL = {json.dumps(shell)};\n{(STATIC / 'js' / 'sw.js').read_text('utf-8')}"
    return Response(script, media_type=MEDIA_TYPES[".js"], headers={"Cache-Control": "no-cache"})


@router.get("/offline")
def offline(request: Request) -> HTMLResponse:
    """What the worker shows without a connection; it holds nothing personal."""
    return render(request, "offline.html")
