"""One patient with one of everything, and the people who may or may not look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient

from service.api.conftest import PASSWORD, Service

API = "/api/v1"
ROLES = ("nobody", "owner", "other", "consented", "stranger", "withdrawn", "erased", "reader", "writer")
ABSENT = "0" * 32


@dataclass
class World:
    """A service with its people; `ids` are the owner's things by the names that paths give them."""

    service: Service
    people: dict[str, TestClient]
    ids: dict[str, str]

    def ask(self, role: str, route: str, *, ids: dict[str, str] | None = None, **more: Any) -> Any:
        """Send the request of a route as somebody, about the owner's things."""
        method, _, path = route.partition(" ")
        path, _, query = path.partition("?")
        path = API + path.format(**(ids or self.ids))
        params = {"owner": self.ids["owner"]} if query == "owner" else {}
        body = {} if "json" in more or "files" in more else body_of(route, self.ids)
        return self.people[role].request(method, path, params=params, **body, **more)


def body_of(route: str, ids: dict[str, str]) -> dict[str, Any]:
    """A body that the route takes."""
    from service.api.conftest import drawn_jpeg

    sent = {
        "POST /photos": {"files": {"file": ("x.jpg", drawn_jpeg(7))}},
        "POST /photos/batch": {"files": [("files", ("x.jpg", drawn_jpeg(8)))]},
        "PATCH /photos/{photo}": {"json": {"note": "calm"}},
        "POST /photos/{photo}/analyses": {"json": {}},
        "POST /analyses/{analysis}/corrections": {"json": {"lesions": [{"action": "reject", "id": 1}]}},
        "POST /visits": {"json": {}},
        "POST /changes": {"json": {"view": "front"}},
        "POST /treatments": {"json": {"name": "a gel", "started": "2026-01-10"}},
        "PUT /treatments/{treatment}": {"json": {"name": "a gel", "started": "2026-01-11"}},
        "POST /answers": {"json": {"age": 24}},
        "POST /advice": {"json": {"analysis": ids.get("analysis", ABSENT)}},
        "POST /notes": {"json": {"text": "calm"}},
        "POST /notes?about": {"json": {"text": "calm", "owner": ids.get("owner", ABSENT)}},
        "PATCH /account": {"json": {"locale": "de"}},
        "PUT /account/password": {"json": {"current": PASSWORD, "new": "other plain words"}},
        "POST /sessions/confirm": {"json": {"password": PASSWORD}},
        "POST /tokens": {"json": {"name": "mine", "scopes": ["read"]}},
        "POST /consents": {"json": {"clinician_email": "stranger@example.org"}},
        "POST /accounts": {"json": {"email": "nobody", "password": "x"}},
        "POST /sessions": {"json": {"email": "nobody", "password": "x"}},
        "POST /sessions/start": {"json": {"token": "x"}},
    }
    return sent.get(route, {})


def build_world(service: Service) -> World:
    """Everything once, and everyone."""
    owner = service.patient("owner@example.org")
    people = {"owner": owner, "nobody": service.visitor(), "other": service.patient("other@example.org")}
    for name in ("consented", "stranger", "withdrawn"):
        people[name] = service.clinician(f"{name}@example.org")
    people["erased"] = service.patient("erased@example.org")
    assert people["erased"].delete(f"{API}/account").status_code == 200
    made = {name: give_consent(owner, f"{name}@example.org") for name in ("consented", "withdrawn")}
    assert owner.delete(f"{API}/consents/{made['withdrawn']}").status_code == 204
    for name in ("reader", "writer"):
        people[name] = with_token(service, owner, "read" if name == "reader" else "write")
    return World(
        service, people, {"owner": owner.account, "consent": made["consented"], **fill(service, owner, people)}
    )


def give_consent(patient: TestClient, email: str) -> str:
    return patient.post(f"{API}/consents", json={"clinician_email": email}).json()["id"]


def with_token(service: Service, owner: TestClient, *scopes: str) -> TestClient:
    """A program with a token of the owner's."""
    token = owner.post(f"{API}/tokens", json={"name": "program", "scopes": list(scopes)}).json()
    client = service.visitor()
    client.headers = {"Authorization": f"Bearer {token['token']}"}
    client.token = token["id"]
    return client


def fill(service: Service, owner: TestClient, people: dict[str, TestClient]) -> dict[str, str]:
    """One of everything."""

    def made(path: str, body: dict[str, Any], client: TestClient = owner) -> str:
        answer = client.post(API + path, json=body)
        assert answer.status_code in (201, 202), (path, answer.text)
        return answer.json()["id"]

    first, photo = (service.photo(owner, seed, view="front") for seed in (1, 2))
    assert first["analysis"] is not None
    analysis = photo["analysis"]["id"]
    rejected = {"lesions": [{"action": "reject", "id": 1}]}
    made_things = {
        "photo": photo["id"],
        "analysis": analysis,
        "correction": made(f"/analyses/{analysis}/corrections", rejected, people["consented"]),
        "visit": made("/visits", {}),
        "change": owner.get(f"{API}/changes").json()["items"][0]["id"],
        "treatment": made("/treatments", {"name": "a gel", "started": "2026-01-10"}),
        "answers": made("/answers", {"age": 24}),
        "advice": made("/advice", {"analysis": analysis}),
        "note": made("/notes", {"text": "calm"}),
        "job": made(f"/photos/{photo['id']}/analyses", {"allow_poor": True}),
        "token": people["reader"].token,
        "kind": "json",
    }
    service.work()  # whoever follows the job meets its end
    return made_things


def routes_of(app: Any) -> list[str]:
    """Every route under /api, shown in the document or not, and once more with `?owner` where it takes one."""
    found = []
    for route in iter_route_contexts(app.routes):
        if not str(route.path).startswith("/api") or str(route.path) == f"{API}/openapi.json":
            continue
        for method in sorted(route.methods or ()):
            name = f"{method} {str(route.path).removeprefix(API)}"
            found.append(name)
            if any(p.name == "owner" for p in route.original_route.dependant.query_params):
                found.append(f"{name}?owner")
    return found
