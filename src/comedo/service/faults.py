"""From errors to answers: problem documents for programs, a page for people, and nothing of the inside for either."""

from __future__ import annotations

import logging
from importlib import import_module

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from comedo.errors import ComedoError
from comedo.service.database.engine import AWAY
from comedo.service.problems import KINDS, Problem, problem_of, response_of
from comedo.service.security.bodies import BodyRefused

log = logging.getLogger(__name__)
_BY_STATUS = {400: "bad_request", 401: "not_signed_in", 404: "not_found", 405: "method_not_allowed", 413: "too_large"}


def answer_faults(app: FastAPI) -> None:
    """Register what every error is answered with."""

    @app.exception_handler(ComedoError)
    def known(request: Request, error: ComedoError) -> Response:
        problem = problem_of(error)
        if problem.status >= 500 and problem.code not in ("queue_full", "store_full", "missing_extra"):
            log.error("request failed", exc_info=error, extra={"code": error.code})
        return answer(request, problem)

    def away(request: Request, error: Exception) -> Response:
        return answer(request, _unexpected(error))

    for kind in AWAY:
        app.add_exception_handler(kind, away)

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> Response:
        wrong = {".".join(map(str, e["loc"][1:])) or str(e["loc"][0]): e["msg"] for e in error.errors()}
        name, reason = next(iter(wrong.items()))
        return answer(request, Problem("invalid", f"{name}: {reason}", fields=wrong))

    @app.exception_handler(BodyRefused)
    def refused(request: Request, error: BodyRefused) -> Response:
        return answer(request, error.problem)

    @app.exception_handler(HTTPException)
    def plain(request: Request, error: HTTPException) -> Response:
        code = _BY_STATUS.get(error.status_code, "bad_request" if error.status_code < 500 else "error")
        return answer(request, Problem(code, f"{KINDS[code].title}.", headers=dict(error.headers or {})))


def answer(request: Request, problem: Problem) -> Response:
    """The problem document, or a page where a person asked for one."""
    if request.url.path.startswith("/api") or "text/html" not in request.headers.get("accept", ""):
        return response_of(problem)
    page: Response = import_module("comedo.service.pages").error_page(request, problem)
    return page


def _unexpected(error: Exception) -> Problem:
    """The refusal for an error that is none of ours; the log says where it came from."""
    log.error("request failed", exc_info=error, extra={"error": type(error).__name__})
    if isinstance(error, AWAY):
        return Problem("not_available", "the database does not answer; try again soon", headers={"Retry-After": "5"})
    return Problem("error", "the request could not be served; the log of the server says why")


class LastResort:
    """Whatever else happens: a plain refusal for the asker, and where it happened for the log."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on; refuse where nothing was answered yet."""
        started = False

        async def note(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, note)
        except Exception as error:
            problem = _unexpected(error)
            if started or scope["type"] != "http":
                raise
            await response_of(problem)(scope, receive, send)
