"""The web app: pages made by the server, small modules for what only a browser can do."""

from __future__ import annotations

from urllib.parse import urlencode

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response

from comedo.service.pages.pose import PoseJudge
from comedo.service.pages.routes import (
    account,
    capture,
    clinic,
    compare,
    diary,
    front,
    guidance,
    privacy,
    reports,
    results,
    shell,
)
from comedo.service.pages.site import render, words_of
from comedo.service.problems import Problem

_ROUTERS = (shell, front, account, capture, results, diary, compare, guidance, reports, privacy, clinic)
_WORDS = {
    401: "not_opened",
    404: "not_found",
    403: "not_allowed",
    410: "not_found",
    422: "unusable",
    409: "unusable",
    413: "unusable",
}


def register(app: FastAPI) -> None:
    """Add every page to the service."""
    for module in _ROUTERS:
        app.include_router(module.router, include_in_schema=False)
    app.state.pose = PoseJudge()


def error_page(request: Request, problem: Problem) -> Response:
    """A refusal in plain words, with a way on; who is not signed in is asked to."""
    words = words_of(request)
    accounts: bool = request.app.state.parts.settings.accounts
    if problem.status == 401 and accounts:
        return RedirectResponse(f"/sign-in?{urlencode({'next': request.url.path})}", 303)
    key = "busy" if problem.status in (429, 503, 507) else _WORDS.get(problem.status, "broken")
    return render(
        request,
        "error.html",
        status=problem.status,
        title=words.say(f"error.{key}.title"),
        text=words.say(f"error.{key}.text"),
        detail=words.refuse(problem.code, problem.detail) if key == "unusable" else "",
    )
