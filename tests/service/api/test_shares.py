"""What one account may take at a time, and how much it may have: nobody crowds the others out."""

import asyncio
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from comedo.service.api.waiting import Waiting
from comedo.service.app import ARCHIVES, HEAVY, HEAVY_EACH, THREADS, body_limits, incoming_bytes
from comedo.service.database import counts
from comedo.service.database.tables import Answers, ApiToken, Consent, Job, Note, Treatment, Visit
from comedo.service.security.bodies import BodyLimits
from comedo.service.security.places import Places
from comedo.service.security.shares import PIECE_BYTES, HeavyGuard, IncomingGuard, heavy_kind, in_pieces
from service.api.conftest import drawn_jpeg, make_settings
from service.api.world import API


def ask_of(account, path, method="GET", **headers):
    """The scope of a request that passed the gate."""
    coded = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {
        "type": "http",
        "method": method,
        "path": path,
        "headers": coded,
        "state": {"actor": SimpleNamespace(account=account)},
    }


class Crowd:
    """Requests that come one after the other and stay until `free` is set; the statuses of those that were refused."""

    def __init__(self):
        self.inside, self.refused, self.free = [], [], asyncio.Event()

    async def app(self, scope, receive, send):
        self.inside.append(scope["state"]["actor"].account)
        await self.free.wait()

    async def come(self, guard, *scopes):
        tasks = []
        for scope in scopes:
            tasks.append(asyncio.create_task(guard(scope, None, self.send)))
            await asyncio.sleep(0)
        return tasks

    async def send(self, message):
        if message["type"] == "http.response.start":
            self.refused.append((message["status"], dict(message["headers"])[b"retry-after"]))


LIMITS = BodyLimits({})
PICTURE = f"{API}/photos/{'0' * 32}/image"


def test_who_asks_for_too_many_pictures_is_refused_and_nobody_else():
    async def run():
        crowd, places = Crowd(), Places(most=3, most_each=2)
        guard = HeavyGuard(crowd.app, {"picture": places}, LIMITS, wait_s=0)
        tasks = await crowd.come(guard, *(ask_of(who, PICTURE) for who in "aaabc"), ask_of("a", f"{API}/photos"))
        crowd.free.set()
        await asyncio.gather(*tasks)
        return crowd, places

    crowd, places = asyncio.run(run())
    assert crowd.inside == ["a", "a", "b", "a"]  # the list of photos is no picture
    assert crowd.refused == [(429, b"5")] * 2
    assert not places.taken


def test_a_page_with_many_pictures_gets_them_one_after_the_other():
    async def run():
        crowd, places = Crowd(), Places(most=10, most_each=1)
        crowd.free.set()
        guard = HeavyGuard(crowd.app, {"picture": places}, LIMITS, wait_s=600)
        with places.hold("a"):
            tasks = await crowd.come(guard, *[ask_of("a", PICTURE)] * 3)
            assert crowd.inside == []
        await asyncio.gather(*tasks)
        return crowd

    crowd = asyncio.run(run())
    assert (crowd.inside, crowd.refused) == (["a"] * 3, [])


def test_every_file_is_a_heavy_answer(service):
    """Read from the document, so that a new route that sends files cannot be forgotten."""
    light = {"application/json", "text/event-stream"}
    for path, methods in service.app.openapi()["paths"].items():
        kinds = set(methods.get("get", {}).get("responses", {}).get("200", {}).get("content", ()))
        filled = path.replace("{", "").replace("}", "")
        assert (heavy_kind("GET", filled) is not None) == bool(kinds - light), path


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/photos/0a/layers/redness.png", "picture"),
        ("/compare", "picture"),
        ("/clinic/0a/compare", "picture"),
        (f"{API}/export", "archive"),
    ],
)
def test_heavy_pages(path, kind):
    assert heavy_kind("GET", path) == kind
    assert heavy_kind("POST", path) is None
    assert heavy_kind("GET", f"{path}/x") is None


@pytest.mark.parametrize("more", [True, False])
@pytest.mark.parametrize("size", [0, 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES])
def test_a_large_answer_goes_in_pieces_and_is_whole(size, more):
    sent = []

    async def send(message):
        sent.append(message)

    body = bytes(size)
    message = {"type": "http.response.body", "body": body, "more_body": more}
    asyncio.run(in_pieces(send, LIMITS)(message))
    assert b"".join(piece["body"] for piece in sent) == body
    assert [piece["more_body"] for piece in sent] == [True] * (len(sent) - 1) + [more]
    assert max(len(piece["body"]) for piece in sent) <= PIECE_BYTES


def test_nobody_keeps_a_place_by_not_reading():
    async def send(message):
        await asyncio.Event().wait()

    message = {"type": "http.response.body", "body": bytes(PIECE_BYTES + 1)}
    with pytest.raises(TimeoutError):
        asyncio.run(in_pieces(send, BodyLimits({}, grace_s=0.01))(message))


def test_heavy_answers_leave_threads_for_the_others():
    assert HEAVY_EACH < HEAVY + ARCHIVES < THREADS


def test_bytes_on_their_way_are_bounded_for_each_and_for_all():
    async def run():
        crowd, places = Crowd(), Places(most=100, most_each=60)
        guard = IncomingGuard(crowd.app, places, BodyLimits({"/up": 50}))
        sent = [("a", "40"), ("a", "40"), ("b", "40"), ("c", "40"), ("c", "20"), ("d", None)]
        scopes = [ask_of(who, "/up", "POST", **({"content_length": size} if size else {})) for who, size in sent]
        tasks = await crowd.come(guard, *scopes, ask_of("a", "/down", "POST", content_length="9999"))
        crowd.free.set()
        await asyncio.gather(*tasks)
        return crowd, places

    crowd, places = asyncio.run(run())
    assert crowd.inside == ["a", "b", "c", "a"]  # without a length it counts as the longest: no room for d
    assert crowd.refused == [(503, b"5")] * 3
    assert not places.taken


def test_the_largest_body_always_fits(tmp_path):
    settings = make_settings(tmp_path, max_upload_bytes=10**9, max_batch_photos=2)
    places = incoming_bytes(settings)
    assert max(body_limits(settings).uploads.values()) <= places.most_each <= places.most


@pytest.mark.parametrize(
    ("kind", "path", "body"),
    [
        (Note, "/notes", {"text": "calm"}),
        (Visit, "/visits", {}),
        (Treatment, "/treatments", {"name": "a gel", "started": "2026-01-10"}),
        (Answers, "/answers", {"age": 24}),
        (ApiToken, "/tokens", {"name": "phone", "scopes": ["read"]}),
        (Consent, "/consents", {"clinician_email": "doctor@example.org"}),
    ],
    ids=lambda value: getattr(value, "__tablename__", None),
)
def test_an_account_has_so_many_entries_and_no_more(service, monkeypatch, kind, path, body):
    monkeypatch.setattr(counts, "MOST", {kind: 1})
    service.clinician()
    anna, berta = service.patient(), service.patient("berta@example.org")
    assert anna.post(API + path, json=body).status_code == 201
    answer = anna.post(API + path, json=body)
    assert (answer.status_code, answer.json()["code"]) == (413, "quota_exceeded")
    assert berta.post(API + path, json=body).status_code == 201


def test_a_revoked_token_makes_room(service, monkeypatch):
    monkeypatch.setattr(counts, "MOST", {ApiToken: 1})
    anna = service.patient()
    body = {"name": "phone", "scopes": ["read"]}
    token = anna.post(f"{API}/tokens", json=body).json()["id"]
    assert anna.delete(f"{API}/tokens/{token}").status_code == 204
    assert anna.post(f"{API}/tokens", json=body).status_code == 201


def test_many_who_wait_look_together(service):
    anna = service.patient()
    jobs = [anna.post(f"{API}/photos", files={"file": ("x.jpg", drawn_jpeg(n))}).json()["job"] for n in range(2)]
    waiting = Waiting(service.parts.database)
    looks = []

    def look(ids):
        looks.append(set(ids))
        if len(looks) == 2:
            service.work()
        return Waiting._look(waiting, ids)

    waiting._look = look

    async def run():
        await asyncio.gather(*(waiting.until_over(job, 60) for job in jobs * 20))

    asyncio.run(run())
    assert (set().union(*looks), len(looks)) == (set(jobs), 2)
    assert not waiting.jobs
    with service.parts.database.read() as session:
        assert set(session.scalars(select(Job.state))) == {"done"}


def test_nobody_waits_for_ever(service):
    job = service.patient().post(f"{API}/photos", files={"file": ("x.jpg", drawn_jpeg())}).json()["job"]
    asyncio.run(Waiting(service.parts.database).until_over(job, 0))
