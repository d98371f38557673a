"""Who may open what: every page, every role, read from the route table so that none can be forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts

from comedo.service.app import create_app
from service.api.conftest import Service, make_settings
from service.api.world import World, build_world

ROLES = ("nobody", "other", "withdrawn", "consented", "owner")
# open: anyone. self: about whoever asks. shared: consented clinicians may look. own: the owner's alone. review: what a
# consented clinician does. last: ends the session or the account, so that only nobody is tried here. "in": to sign in.
RULES = {
    #          nobody other withdrawn consented owner
    "open":   ("ok", "ok", "ok", "ok", "ok"),
    "self":   ("in", "ok", "ok", "ok", "ok"),
    "shared": ("in", 404,  404,  "ok", "ok"),
    "own":    ("in", 404,  404,  404,  "ok"),
    "review": ("in", 404,  404,  "ok", 403),
    "doctor": ("in", 403,  "ok", "ok", 403),
    "last":   ("in", None, None, None, None),
}  # fmt: skip
ROUTES = {
    "GET /": "open",
    "GET /about": "open",
    "GET /start": "open",
    "GET /sign-in": "open",
    "GET /sign-up": "open",
    "GET /offline": "open",
    "GET /sw.js": "open",
    "GET /favicon.ico": "open",
    "GET /static/{name}": "open",
    "POST /sign-in": "open",
    "POST /sign-up": "open",
    "POST /display": "open",
    "GET /reset": "open",
    "POST /reset": "open",
    "GET /account": "self",
    "POST /account/password": "self",
    "POST /account/tokens": "self",
    "POST /account/tokens/{token}/revoke": "own",
    "GET /more": "self",
    "GET /capture": "self",
    "POST /capture/pose": "self",
    "POST /photos/upload": "self",
    "GET /photos/{photo}": "shared",
    "GET /photos/{photo}/layers/{name}.png": "shared",
    "GET /photos/{photo}/review": "review",
    "POST /photos/{photo}/review": "review",
    "GET /photos/{photo}/refusal": "shared",
    "POST /photos/{photo}/anyway": "own",
    "POST /photos/{photo}/again": "own",
    "POST /photos/{photo}/delete": "own",
    "POST /photos/{photo}/mirrored": "own",
    "GET /diary": "self",
    "POST /diary/baseline": "self",
    "POST /treatments": "self",
    "POST /treatments/{treatment}/end": "own",
    "POST /treatments/{treatment}/delete": "own",
    "POST /notes": "self",
    "POST /notes/{note}/delete": "own",
    "GET /compare": "self",
    "GET /guidance": "self",
    "GET /guidance/questions": "self",
    "POST /guidance/questions": "self",
    "GET /reports": "self",
    "GET /privacy": "self",
    "POST /privacy/retention": "self",
    "POST /privacy/confirm": "self",
    "POST /privacy/consents": "self",
    "POST /privacy/consents/{consent}/withdraw": "own",
    "GET /privacy/erase": "self",
    "POST /privacy/erase": "last",
    "POST /sign-out": "last",
    "GET /clinic": "doctor",
    "GET /clinic/{patient}": "review",
    "GET /clinic/{patient}/compare": "shared",
    "POST /clinic/{patient}/notes": "shared",
}
FORMS: dict[str, dict[str, str]] = {
    "POST /treatments": {"name": "a gel", "started": "2026-01-10"},
    "POST /notes": {"text": "calm"},
    "POST /clinic/{patient}/notes": {"text": "calm"},
    "POST /privacy/retention": {"retention": "keep"},
    "POST /privacy/consents": {"clinician": "consented@example.org"},
}
REFUSED = (401, 409, 415, 422)  # understood and not done: the form was empty or no form, or the thing is there already


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    service = Service(create_app(make_settings(tmp_path_factory.mktemp("pages"))))
    yield build_world(service)
    for client in service.clients:
        client.close()
    service.parts.database.close()


def pages_of(app: Any) -> list[str]:
    """Every route of a page."""
    contexts = [c for c in iter_route_contexts(app.routes) if not str(c.path).startswith(("/api", "/health", "/ready"))]
    found = [f"{method} {c.path}" for c in contexts if str(c.path) != "/metrics" for method in sorted(c.methods or ())]
    return [route.replace("{name:path}", "{name}") for route in found]


def test_every_page_has_its_line(world):
    assert sorted(pages_of(world.service.app)) == sorted(ROUTES)


@pytest.mark.parametrize("role", ROLES)
def test_who_may_open_what(world, role):
    ids = {**world.ids, "patient": world.ids["owner"]}
    for route in sorted(ROUTES, key=lambda name: name.endswith(("delete", "withdraw"))):  # what removes comes last
        expected = RULES[ROUTES[route]][ROLES.index(role)]
        if expected is None:
            continue
        method, _, path = route.partition(" ")
        name = "redness" if "layers" in path else "favicon.svg"
        answer = world.people[role].request(
            method,
            path.format(**{**ids, "name": name}),
            data=FORMS.get(route),
            headers={"accept": "text/html"},
            follow_redirects=False,
        )
        assert _seen(answer) == expected, (role, route, answer.status_code)


def _seen(answer: Any) -> str | int:
    if answer.status_code == 303 and answer.headers["location"].startswith("/sign-in?"):
        return "in"
    return "ok" if answer.status_code in (200, 303, *REFUSED) else int(answer.status_code)
