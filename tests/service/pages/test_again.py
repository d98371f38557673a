"""Measuring again what an earlier version measured."""

from __future__ import annotations

import re

from sqlalchemy import update

from comedo.service.database.tables import Analysis
from comedo.service.storage.removal import drop_picture
from service.pages.people import person, send, skin_jpeg
from service.pages.test_routes import assert_clean


def forget_faint(service):
    """As if every analysis had been made before the service kept faint lesions."""
    with service.parts.database.write() as session:
        session.execute(update(Analysis).values(faint=None))


def test_a_photo_measured_by_an_earlier_version_can_be_measured_again(service):
    client = person(service)
    photo = send(service, client, skin_jpeg(), "2026-01-01")
    button = f'action="/photos/{photo}/again"'
    assert button not in client.get(f"/photos/{photo}").text
    forget_faint(service)
    offered = client.get(f"/photos/{photo}").text
    assert button in offered
    waiting = client.post(f"/photos/{photo}/again")
    assert waiting.url.path == f"/photos/{photo}"
    assert button not in waiting.text
    for page in (offered, waiting.text):
        assert_clean(page)
    job = re.search(r'id="waiting" data-job="(\w+)"', waiting.text)[1]
    assert job in client.post(f"/photos/{photo}/again").text
    assert service.work() == 1
    page = client.get(f"/photos/{photo}").text
    assert button not in page
    assert "data-job" not in page


def test_what_hinders_measuring_again_is_said_beside_the_result(service):
    client = person(service)
    photo = send(service, client, skin_jpeg(), "2026-01-01")
    forget_faint(service)
    service.analyzer.poor = True
    client.post(f"/photos/{photo}/again")
    service.work()
    page = client.get(f"/photos/{photo}").text
    assert "could not be measured again" in page
    assert f'action="/photos/{photo}/again"' in page
    assert "Lesion by lesion" in page


def test_measuring_again_is_offered_to_the_owner_alone_and_while_there_is_a_picture(service):
    client, doctor = person(service), service.clinician()
    photo = send(service, client, skin_jpeg(), "2026-01-01")
    client.post("/privacy/consents", data={"clinician": "doctor@example.org"})
    forget_faint(service)
    doctor.headers["accept"] = "text/html"
    assert "/again" not in doctor.get(f"/photos/{photo}").text
    drop_picture(service.parts.storage, photo, actor=client.get("/api/v1/account").json()["id"])
    assert "/again" not in client.get(f"/photos/{photo}").text
