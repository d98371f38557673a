"""Refusals of the service: each has a stable code and a status, and goes out as a problem document (RFC 9457)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from starlette.responses import Response

from comedo.errors import ComedoError

MEDIA_TYPE = "application/problem+json"


class Kind(NamedTuple):
    """What every problem of one code shares."""

    status: int
    title: str


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "bad_request": Kind(400, "The request cannot be read"),
        "not_signed_in": Kind(401, "Sign in first"),
        "sign_in_failed": Kind(401, "Name or password is wrong"),
        "not_allowed": Kind(403, "Not allowed"),
        "cross_site": Kind(403, "The request comes from another site"),
        "ask_again": Kind(403, "Confirm with your password"),
        "not_found": Kind(404, "There is no such thing"),
        "method_not_allowed": Kind(405, "The method is not allowed here"),
        "too_slow": Kind(408, "The request came too slowly"),
        "conflict": Kind(409, "It contradicts what is stored"),
        "not_ready": Kind(409, "Its result is not there yet"),
        "idempotency_conflict": Kind(409, "The idempotency key was used for another request"),
        "erased": Kind(410, "The data were erased"),
        "photo_gone": Kind(410, "The photo was removed; its results were kept"),
        "too_large": Kind(413, "The request is too large"),
        "quota_exceeded": Kind(413, "The quota is used up"),
        "encoded_body": Kind(415, "The body must not be compressed"),
        "wrong_type": Kind(415, "The body has the wrong type"),
        "wrong_host": Kind(421, "The host is not served here"),
        "invalid": Kind(422, "A field is not what it must be"),
        "unusable_input": Kind(422, "The input cannot be used"),
        "unstorable_text": Kind(422, "A text cannot be stored"),
        "unsupported_format": Kind(422, "Not a photo that comedo reads"),
        "damaged_photo": Kind(422, "The photo is damaged"),
        "photo_too_large": Kind(422, "The photo is too large"),
        "photo_too_small": Kind(422, "The photo is too small"),
        "poor_photo": Kind(422, "The photo is too poor to be measured"),
        "no_face": Kind(422, "No face was found"),
        "too_many_requests": Kind(429, "Too many requests"),
        "error": Kind(500, "Something went wrong here"),
        "model_error": Kind(500, "The networks cannot be used"),
        "storage_error": Kind(500, "The store cannot be used"),
        "sealed_unreadable": Kind(500, "What is stored does not open"),
        "file_missing": Kind(500, "The stored file is missing"),
        "lease_lost": Kind(500, "The work took too long"),
        "missing_extra": Kind(501, "Not installed on this server"),
        "queue_full": Kind(503, "Too much work is waiting"),
        "not_available": Kind(503, "The service is not ready"),
        "wrong_master_key": Kind(503, "The service is not ready"),
        "wrong_store": Kind(503, "The service is not ready"),
        "store_full": Kind(507, "There is no room left"),
    }
)


_LATER = ("queue_full", "not_available")  # worth another try soon


class Problem(ComedoError):
    """A refusal with a code of `KINDS`; `fields` names the fields that are wrong, `headers` go with the answer."""

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        fields: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.fields = dict(fields or {})
        self.headers = dict(headers or {})

    @property
    def status(self) -> int:
        """Of the HTTP answer."""
        return KINDS[self.code].status


def absent(what: str) -> Problem:
    """What is not there and what is another person's get the same answer."""
    return Problem("not_found", f"there is no such {what}, or it is not yours to see")


def document_of(problem: Problem) -> dict[str, object]:
    """The problem document; it names no path, no query and nothing of the inside."""
    kind = KINDS[problem.code]
    document: dict[str, object] = {
        "type": f"urn:comedo:problem:{problem.code}",
        "title": kind.title,
        "status": kind.status,
        "code": problem.code,
        "detail": problem.detail,
    }
    return document | ({"fields": problem.fields} if problem.fields else {})


def response_of(problem: Problem) -> Response:
    """The HTTP answer."""
    headers = dict(problem.headers)
    if problem.status == 401:
        headers.setdefault("WWW-Authenticate", 'Bearer realm="comedo"')
    body = json.dumps(document_of(problem), ensure_ascii=False).encode("utf-8", "replace")
    return Response(body, problem.status, headers, MEDIA_TYPE)


def problem_of(error: ComedoError) -> Problem:
    """The refusal for an error of the library; one without a status of its own says no more than its code."""
    if isinstance(error, Problem):
        return error
    code = error.code if error.code in KINDS else "error"
    detail = (
        str(error) if KINDS[code].status < 500 else "the request could not be served; the log of the server says why"
    )
    return Problem(code, detail, headers={"Retry-After": "30"} if code in _LATER else None)
