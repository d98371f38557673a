"""What those who run the service see: health, readiness, figures, logs."""

import asyncio
import io
import json
import logging
from collections import Counter
from threading import Event

import httpx2
import pytest

from comedo.service.accounts.limits import SIGN_IN_ACCOUNT
from comedo.service.app import THREADS
from comedo.service.logs import JsonLines
from comedo.service.settings import Settings
from service.api.conftest import HERE
from service.api.world import API

KEY = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3I="


def test_health_and_readiness(both):
    visitor = both.visitor()
    assert visitor.get("/health").json() == {"status": "ok"}
    assert visitor.get("/ready").json() == {"status": "ready"}


def test_without_its_disk_it_is_not_ready(service):
    data = service.parts.settings.data_dir
    (data / "photos").rename(data / "unmounted")
    answer = service.visitor().get("/ready")
    assert (answer.status_code, answer.json()["code"]) == (503, "not_available")
    assert service.visitor().get("/health").status_code == 200


def test_health_answers_while_every_thread_is_busy(service, monkeypatch):
    busy, free = [], Event()

    def slow(parts, actor):
        busy.append(actor.account)
        assert free.wait(60)
        return {}

    anna = service.patient()
    monkeypatch.setattr("comedo.service.actions.account.get", slow)

    async def run():
        transport = httpx2.ASGITransport(service.app, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url=HERE, cookies=dict(anna.cookies)) as client:
            waiting = [asyncio.create_task(client.get(f"{API}/account")) for _ in range(THREADS + 5)]
            while len(busy) < THREADS:
                await asyncio.sleep(0.01)
            answers = [await client.get(path) for path in ("/health", "/ready", "/metrics")]
            free.set()
            await asyncio.gather(*waiting)
            return [answer.status_code for answer in answers]

    assert asyncio.run(run()) == [200, 200, 200]


def test_many_wrong_passwords_are_held_off_and_stop_nobody(service):
    """150 at once for one account: ten are tried, the others told to wait, and the service answers meanwhile."""
    service.patient()
    wrong = {"email": "anna@example.org", "password": "not the right words"}

    async def run():
        transport = httpx2.ASGITransport(service.app, raise_app_exceptions=False)
        headers = {"Sec-Fetch-Site": "same-origin"}
        async with httpx2.AsyncClient(transport=transport, base_url=HERE, headers=headers) as client:
            tries = [asyncio.create_task(client.post(f"{API}/sessions", json=wrong)) for _ in range(150)]
            health = [(await client.get(path)).status_code for path in ("/health", "/ready")]
            return health, await asyncio.gather(*tries)

    health, answers = asyncio.run(run())
    statuses = Counter(answer.status_code for answer in answers)
    assert (health, statuses) == ([200, 200], {401: SIGN_IN_ACCOUNT.count, 429: 150 - SIGN_IN_ACCOUNT.count})
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in answers if answer.status_code == 429)


def test_figures_name_routes_and_no_person(service):
    anna = service.patient()
    photo = service.photo(anna)["id"]
    anna.get(f"{API}/photos/{photo}")
    text = anna.get("/metrics").text
    assert 'comedo_requests_total{method="GET",route="/api/v1/photos/{photo}",status="200"}' in text
    assert 'comedo_jobs{state="queued"} 0.0' in text
    assert photo not in text
    assert anna.account not in text


@pytest.mark.parametrize(
    ("given", "headers", "status"),
    [
        ({}, {}, 200),
        ({"docs_and_metrics": False}, {}, 404),
        ({"host": "0.0.0.0", "master_key": KEY, "allowed_hosts": ("127.0.0.1",)}, {}, 404),
        ({"metrics_token": "quite a secret"}, {}, 401),
        ({"metrics_token": "quite a secret"}, {"Authorization": "Bearer quite a guess"}, 401),
        ({"metrics_token": "quite a secret"}, {"Authorization": "Bearer quite a secret"}, 200),
    ],
    ids=["loopback", "closed", "beyond", "no token", "wrong", "right"],
)
def test_who_sees_figures(make_service, given, headers, status):
    assert make_service(**given).visitor().get("/metrics", headers=headers).status_code == status


def test_secrets_show_in_no_repr():
    settings = Settings(_env_file=None, master_key=KEY, metrics_token="quite a secret", s3_secret_key="another one")
    for secret in (KEY, "quite a secret", "another one"):
        assert secret not in repr(settings)
        assert secret not in str(settings)


def test_a_log_line_holds_what_is_known_to_be_harmless():
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(JsonLines())
    log = logging.Logger("test")
    log.addHandler(handler)
    try:
        raise ValueError("anna@example.org\n{}")
    except ValueError:
        log.exception("request failed", extra={"code": "error", "email": "anna@example.org"})
    (line,) = out.getvalue().splitlines()
    told = json.loads(line)
    assert (told["code"], told["raised"]) == ("error", "ValueError")
    assert "anna" not in line
    assert told["where"][0].startswith("test_operations.py:")


def test_requests_leave_no_personal_line(service, caplog):
    caplog.set_level(logging.DEBUG, "comedo")
    anna = service.patient()
    service.photo(anna, note="itches at night")
    text = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("comedo"))
    assert "itches" not in text
    assert "anna@" not in text
