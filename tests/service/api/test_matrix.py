"""Who may do what: every route of the API, every role, read from the route table so that none can be forgotten."""

import pytest

from service.api.conftest import Service, make_settings
from service.api.world import ABSENT, API, ROLES, body_of, build_world, routes_of

# What a rule means for each role. own: the owner's alone. shared: consented clinicians may look. self: about whoever
# asks. signed: only in a browser, about whoever asks. review: what only a consented clinician does.
RULES = {
    #          nobody owner other consented stranger withdrawn erased reader writer
    "own":    (401,  "ok",  404,  404,      404,     404,      401,   403,   "ok"),
    "shared": (401,  "ok",  404,  "ok",     404,     404,      401,   "ok",  403),
    "self":   (401,  "ok",  "ok", "ok",     "ok",    "ok",     401,   "ok",  403),
    "write":  (401,  "ok",  "ok", "ok",     "ok",    "ok",     401,   403,   "ok"),
    "signed": (401,  "ok",  "ok", "ok",     "ok",    "ok",     401,   403,   403),
    "mine":   (401,  "ok",  404,  404,      404,     404,      401,   403,   403),
    "review": (401,  403,   404,  "ok",     404,     404,      401,   403,   403),
    "doctor": (401,  403,   403,  "ok",     "ok",    "ok",     401,   403,   403),
    "open":   ("in", "in",  "in", "in",     "in",    "in",     "in",  "in",  "in"),
}  # fmt: skip
ROUTES = {
    "POST /accounts": "open",
    "POST /sessions": "open",
    "POST /sessions/start": "open",
    "GET /account": "self",
    "PATCH /account": "signed",
    "PUT /account/password": "last",
    "DELETE /account": "last",
    "POST /sessions/confirm": "signed",
    "DELETE /sessions/current": "last",
    "GET /tokens": "signed",
    "POST /tokens": "signed",
    "DELETE /tokens/{token}": "mine",
    "GET /consents": "signed",
    "POST /consents": "consent",
    "DELETE /consents/{consent}": "mine",
    "GET /patients": "doctor",
    "GET /audit": "self",
    "POST /photos": "write",
    "POST /photos/batch": "write",
    "GET /photos": "self",
    "GET /photos?owner": "shared",
    "GET /photos/{photo}": "shared",
    "PATCH /photos/{photo}": "own",
    "DELETE /photos/{photo}": "own",
    "GET /photos/{photo}/image": "shared",
    "GET /photos/{photo}/overlay": "shared",
    "GET /photos/{photo}/mask": "shared",
    "GET /photos/{photo}/analyses": "shared",
    "POST /photos/{photo}/analyses": "own",
    "GET /analyses/{analysis}": "shared",
    "GET /analyses/{analysis}/corrections": "shared",
    "POST /analyses/{analysis}/corrections": "review",
    "GET /analyses/{analysis}/reports/{kind}": "shared",
    "GET /corrections/{correction}/review": "shared",
    "GET /visits": "self",
    "GET /visits?owner": "shared",
    "POST /visits": "write",
    "GET /visits/{visit}": "shared",
    "DELETE /visits/{visit}": "own",
    "GET /changes": "self",
    "GET /changes?owner": "shared",
    "POST /changes": "two",
    "GET /changes/{change}": "shared",
    "GET /changes/{change}/ledger": "shared",
    "GET /treatments": "self",
    "GET /treatments?owner": "shared",
    "POST /treatments": "write",
    "PUT /treatments/{treatment}": "own",
    "DELETE /treatments/{treatment}": "own",
    "GET /questions": "any",
    "GET /answers": "self",
    "GET /answers?owner": "shared",
    "POST /answers": "write",
    "GET /advice": "self",
    "GET /advice?owner": "shared",
    "POST /advice": "own",
    "GET /advice/{advice}": "shared",
    "GET /notes": "self",
    "GET /notes?owner": "shared",
    "POST /notes": "write",
    "DELETE /notes/{note}": "own",
    "GET /export": "export",
    "GET /jobs": "self",
    "GET /jobs/{job}": "shared",
    "GET /jobs/{job}/events": "shared",
}
RULES |= {
    "last": (401, None, None, None, None, None, 401, 403, 403),  # ends the session or the account: see other tests
    "two": (401, "ok", 422, 422, 422, 422, 401, 403, "ok"),  # compares one's own photos; the others have none
    "consent": (401, "ok", "ok", "ok", 422, "ok", 401, 403, 403),  # the stranger would consent to herself
    "export": (401, "ok", "ok", "ok", "ok", "ok", 401, 403, 403),  # a token needs the scope export
    "any": (401, "ok", "ok", "ok", "ok", "ok", 401, "ok", "ok"),
}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    from comedo.service.app import create_app

    service = Service(create_app(make_settings(tmp_path_factory.mktemp("matrix")), pages=False))
    built = build_world(service)
    yield built
    for client in service.clients:
        client.close()
    service.parts.database.close()


def test_every_route_has_its_line(world):
    assert sorted(routes_of(world.service.app)) == sorted(ROUTES)


def test_a_route_without_a_line_is_noticed(world):
    from fastapi import APIRouter

    extra = APIRouter()
    extra.add_api_route(f"{API}/photos/{{photo}}/secrets", lambda photo: photo)
    assert "GET /photos/{photo}/secrets" in routes_of(extra)
    assert "GET /photos/{photo}/secrets" not in ROUTES


@pytest.mark.parametrize("role", ["owner", "other", "consented", "stranger"])
def test_what_is_anothers_and_what_is_absent_look_alike(world, role):
    absent = {name: ABSENT if len(value) == 32 else value for name, value in world.ids.items()}
    for route in ROUTES:
        if "{" not in route or route.startswith("DELETE") or ROUTES[route] == "review":
            continue
        nothing = world.ask(
            role, route, ids=absent, **({"json": {"analysis": ABSENT}} if route == "POST /advice" else {})
        )
        assert nothing.status_code == 404, route
        if role in ("other", "stranger"):
            foreign = world.ask(role, route)
            assert foreign.json() == nothing.json(), route


def test_foreign_reads_are_written_down_one_by_one(world):
    def entries():
        items, cursor = [], ""
        while cursor is not None:
            page = world.people["owner"].get(f"{API}/audit?limit=200" + (f"&cursor={cursor}" if cursor else "")).json()
            items, cursor = items + page["items"], page["next"]
        return [e for e in items if e["actor"] == world.people["consented"].account]

    before, reads = len(entries()), 0
    for route, rule in ROUTES.items():
        if rule == "shared" and "{job}" not in route and "{" in route:
            answer = world.ask("consented", route)
            reads += answer.status_code == 200
    seen = entries()
    assert len(seen) - before == reads
    assert {e["actor_name"] for e in seen} == {"Dr Who"}


@pytest.mark.parametrize("role", ["owner", "other"])
def test_a_body_cannot_raise_rights(world, role):
    """No route takes a field of a row that is not its own to take."""
    forbidden = {"id": ABSENT, "owner_id": ABSENT, "role": "clinician", "scopes_": ["export"], "created": "2026-01-01"}
    for route in ROUTES:
        body = body_of(route, world.ids).get("json")
        if body is None:
            continue
        for name, value in forbidden.items():
            answer = world.ask(role, route, json=body | {name: value})
            assert answer.status_code in (403, 404, 422), (route, name, answer.text)


def order(route):
    """Looks first, then additions, then changes, then removals: nothing is gone before it was asked for."""
    return ("GET", "POST", "PATCH", "PUT", "DELETE").index(route.partition(" ")[0])


@pytest.mark.parametrize("role", [r for r in ROLES if r not in ("owner", "writer")] + ["writer", "owner"])
def test_verdicts(world, role):
    found, wanted = {}, {}
    for route in sorted(ROUTES, key=order):
        expected = RULES[ROUTES[route]][ROLES.index(role)]
        if expected is None or (role == "writer" and route.startswith("DELETE")):
            continue
        status = world.ask(role, route).status_code
        wanted[route] = expected
        found[route] = "ok" if expected == "ok" and 200 <= status < 300 else "in" if expected == "in" else status
        assert expected != "in" or status in (401, 404, 422), route
    assert found == wanted
