"""Jobs: done once, taken up again after a death, followed as events."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

import comedo
from comedo.service.accounts.actor import Actor
from comedo.service.api.jobs import _events
from comedo.service.database.columns import now
from comedo.service.database.jobs import claim
from comedo.service.database.tables import Analysis, Job
from comedo.service.memory import resident_bytes
from comedo.service.security.places import Places
from comedo.types import Verdict
from service.api.conftest import drawn_jpeg
from service.api.drawn import AnyFace
from service.api.serving import face_jpeg, wait_for
from service.api.world import API, give_consent


def send(client, seed=0, **more):
    return client.post(f"{API}/photos", files={"file": ("x.jpg", drawn_jpeg(seed))}, **more).json()


def test_a_dead_workers_job_is_done_once(both):
    anna = both.patient()
    job = send(anna)["job"]
    assert claim(both.parts.database, "dies").id == job
    assert both.work() == 0  # its lease holds
    with both.parts.database.write() as session:
        session.execute(update(Job).values(lease_until=now()))
    assert both.work() == 1
    with both.parts.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Analysis)) == 1
        row = session.get_one(Job, job)
        assert (row.state, row.attempts) == ("done", 2)


def test_a_photo_that_kills_workers_is_given_up(service):
    anna = service.patient()
    job = send(anna)["job"]
    for _ in range(3):
        assert claim(service.parts.database, "dies") is not None
        with service.parts.database.write() as session:
            session.execute(update(Job).values(lease_until=now()))
    assert service.work() == 0
    failed = anna.get(f"{API}/jobs/{job}").json()
    assert (failed["state"], failed["error"]) == ("failed", "crashed")


@pytest.mark.parametrize(("photo", "error"), [("black", "no_face"), ("poor", "poor_photo")])
def test_a_failure_says_what_to_do(service, photo, error):
    import numpy as np
    import simplejpeg

    anna = service.patient()
    service.analyzer.poor = photo == "poor"
    data = bytes(simplejpeg.encode_jpeg(np.zeros((640, 480, 3), np.uint8))) if photo == "black" else drawn_jpeg()
    sent = anna.post(f"{API}/photos", files={"file": ("x.jpg", data)}).json()
    service.work()
    shown = anna.get(f"{API}/photos/{sent['photo']['id']}").json()
    assert (shown["job"]["state"], shown["job"]["error"]) == ("failed", error)
    assert shown["job"]["detail"]
    assert shown["analysis"] is None
    if photo == "poor":
        anna.post(f"{API}/photos/{sent['photo']['id']}/analyses", json={"allow_poor": True})
        service.work()
        assert anna.get(f"{API}/photos/{sent['photo']['id']}").json()["analysis"] is not None


def test_the_same_analysis_is_one_row(service):
    anna = service.patient()
    photo = service.photo(anna)
    again = anna.post(f"{API}/photos/{photo['id']}/analyses", json={}).json()
    service.work()
    assert anna.get(f"{API}/jobs/{again['id']}").json()["result"] == photo["analysis"]["id"]
    assert len(anna.get(f"{API}/photos/{photo['id']}/analyses").json()) == 1


def test_an_analysis_that_waits_is_not_queued_twice(both):
    anna = both.patient()
    photo = both.photo(anna)["id"]

    def ask(**options):
        return anna.post(f"{API}/photos/{photo}/analyses", json=options).json()["id"]

    asked = ask()
    assert asked == ask() == ask(allow_poor=False) == ask(convention="visible")
    assert asked != ask(allow_poor=True)
    assert both.work() == 2
    assert ask() != asked


def test_an_upload_that_waits_is_the_analysis_asked_for(service):
    sent = send(anna := service.patient())
    job = anna.post(f"{API}/photos/{sent['photo']['id']}/analyses", json={}).json()
    assert (job["id"], job["state"]) == (sent["job"], "queued")


@pytest.mark.parametrize("options", [{"allow_poor": True}, {"convention": "acne04-v1"}], ids=str)
def test_an_analysis_again_is_made_as_before(service, options):
    anna = service.patient()
    service.analyzer = Noting()
    photo = service.photo(anna)["id"]
    for asked in (options, {}):
        anna.post(f"{API}/photos/{photo}/analyses", json=asked)
        service.work()
    assert service.analyzer.asked[1] == service.analyzer.asked[2] == service.analyzer.asked[0] | options


class Noting(AnyFace):
    """Notes how it was asked; what a poor photo is measured for is poor."""

    def __init__(self):
        super().__init__()
        self.asked = []

    def analyze(self, photo, **options):
        self.asked.append(options)
        found = super().analyze(photo, **options)
        verdict = Verdict.POOR if options["allow_poor"] else Verdict.GOOD
        return replace(found, quality=replace(found.quality, verdict=verdict))


def test_a_deleted_photo_gets_no_result(service):
    anna = service.patient()
    sent = send(anna)
    gone = []

    class Slow:
        def analyze(self, photo, **options):
            gone.append(anna.delete(f"{API}/photos/{sent['photo']['id']}").status_code)
            from service.api.drawn import AnyFace

            return AnyFace().analyze(photo, **options)

    service.analyzer = Slow()
    service.work()
    assert gone == [200]
    with service.parts.database.read() as session:
        assert session.scalars(select(Analysis.id)).all() == []


def test_a_job_is_followed_to_its_end(service):
    anna = service.patient()
    job = send(anna)["job"]
    service.work()
    text = anna.get(f"{API}/jobs/{job}/events").text
    (event,) = [line for line in text.splitlines() if line.startswith("data: ")]
    assert json.loads(event.removeprefix("data: "))["state"] == "done"


def follow(service, actor, job, between):
    """The events of a job, with something done after the first."""
    import asyncio

    streams = Places(most=1, most_each=1)

    async def run():
        events = []
        async for event in _events(service.parts, streams, actor, job):
            events.append(event)
            if len(events) == 1:
                between()
        return events

    events = asyncio.run(run())
    assert not streams.taken
    return events


def test_a_stream_ends_when_the_consent_does(service, monkeypatch):
    monkeypatch.setattr("comedo.service.api.jobs.POLL_S", 0.05)
    anna, doctor = service.patient(), service.clinician()
    job = send(anna)["job"]
    consent = give_consent(anna, "doctor@example.org")
    from comedo.service.accounts.actor import digest

    actor = Actor(doctor.account, "clinician", "cookie", session=digest(doctor.cookies["comedo-session"]))
    events = follow(service, actor, job, lambda: anna.delete(f"{API}/consents/{consent}"))
    assert [e.splitlines()[0] for e in events] == ["event: job", "event: gone"]
    mine = Actor(anna.account, "patient", "cookie", session=digest(anna.cookies["comedo-session"]))
    events = follow(service, mine, job, lambda: anna.delete(f"{API}/sessions/current"))
    assert [e.splitlines()[0] for e in events] == ["event: job", "event: gone"]


def test_places_are_counted_and_given_back():
    places = Places(most=3, most_each=2)
    with ExitStack() as stack:
        assert [stack.enter_context(places.hold(who)) for who in "aaabc"] == [True, True, False, True, False]
    assert not places.taken


def test_who_waits_gets_the_result(service):
    from threading import Thread

    anna = service.patient()
    worker = Thread(target=lambda: [time.sleep(0.02) or service.work() for _ in range(100)])
    worker.start()
    sent = send(anna, headers={"Prefer": "wait=20"})
    assert sent["photo"]["analysis"]["total"] == 4
    worker.join()


def environment_of(service):
    """What a worker process of the service starts with."""
    return {
        **os.environ,
        "PYTHONPATH": str(Path(comedo.__file__).parents[1]),
        "COMEDO_DATA_DIR": str(service.parts.settings.data_dir),
        "COMEDO_ACCOUNTS": "true",
    }


@pytest.mark.weights
def test_a_worker_that_has_grown_makes_room_for_another(service):
    job = send(service.patient())["job"]
    program = "from comedo.service.work import worker; worker.MOST_BYTES = 1; worker.main('grown')"
    subprocess.run([sys.executable, "-c", program], env=environment_of(service), timeout=600, check=True)
    with service.parts.database.read() as session:
        assert session.get_one(Job, job).state == "queued"


@pytest.mark.skipif(resident_bytes() == 0, reason="the system does not tell")
def test_memory_is_told():
    # In a process of its own: one that ran many tests has room to hold this without asking the system for more.
    script = (
        f"from {resident_bytes.__module__} import resident_bytes\n"
        "before = resident_bytes()\n"
        "held = bytearray(b'x') * (64 * 1024 * 1024)\n"
        "print(resident_bytes() - before)"
    )
    grown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert int(grown.stdout) > 32 * 1024 * 1024


@pytest.mark.weights
def test_a_killed_worker_process_leaves_no_half_result(service):
    """A real worker with the real networks is killed in the middle; another finishes its job, once."""
    anna = service.patient()
    sent = anna.post(f"{API}/photos", files={"file": ("x.jpg", face_jpeg())}).json()
    environment = environment_of(service)

    def state():
        with service.parts.database.read() as session:
            return session.get_one(Job, sent["job"]).state

    def worker(name):
        return subprocess.Popen([sys.executable, "-m", "comedo.service.work", name], env=environment)

    first = worker("first")
    wait_for(lambda: state() == "running")
    first.send_signal(signal.SIGKILL)
    first.wait()
    if state() == "running":
        with service.parts.database.write() as session:
            session.execute(update(Job).values(lease_until=now()))
    second = worker("second")
    wait_for(lambda: state() == "done")
    second.terminate()
    assert second.wait(300) == 0
    with service.parts.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Analysis)) == 1
    shown = anna.get(f"{API}/photos/{sent['photo']['id']}").json()
    assert shown["analysis"]["total"] > 0
    assert anna.get(f"{API}/photos/{sent['photo']['id']}/overlay").status_code == 200
