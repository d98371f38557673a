"""`comedo serve` started for real: what it refuses, what it prints, how it meets slow and rude clients."""

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from comedo.errors import UnusableInput
from comedo.service.app import allowed_hosts
from comedo.service.security import slow_headers
from comedo.service.settings import read_settings
from service.api.conftest import make_settings
from service.api.serving import Running, face_jpeg, wait_for

SECRET = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3I="


@pytest.mark.parametrize(
    ("given", "refused"),
    [
        ({}, None),
        ({"host": "::1"}, None),
        ({"host": "localhost"}, None),
        ({"host": "0.0.0.0"}, "COMEDO_ACCOUNTS"),
        ({"host": "192.168.1.5"}, "COMEDO_ACCOUNTS"),
        ({"host": "::"}, "COMEDO_ACCOUNTS"),
        ({"host": "0.0.0.0", "accounts": True}, "COMEDO_MASTER_KEY"),
        ({"host": "0.0.0.0", "accounts": True, "master_key": "changeme"}, "COMEDO_MASTER_KEY"),
        ({"host": "0.0.0.0", "accounts": True, "master_key": SECRET, "metrics_token": "secret"}, "METRICS_TOKEN"),
        (
            {"host": "0.0.0.0", "accounts": True, "master_key": SECRET, "database_url": "postgresql://u:postgres@h/d"},
            "DATABASE_URL",
        ),
        ({"host": "0.0.0.0", "accounts": True, "master_key": SECRET}, None),
        ({"port": 99999}, "COMEDO_PORT"),
    ],
    ids=str,
)
def test_what_may_be_started(given, refused, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    if refused is None:
        read_settings(**given)
        return
    with pytest.raises(UnusableInput, match=refused) as error:
        read_settings(**given)
    assert SECRET not in str(error.value)


def test_a_wildcard_is_no_host(tmp_path):
    settings = make_settings(
        tmp_path, host="0.0.0.0", master_key=SECRET, public_url="https://skin.example.org", allowed_hosts=("app",)
    )
    assert allowed_hosts(settings) == {"skin.example.org", "app"}


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    service = Running(tmp_path_factory.mktemp("serve"), COMEDO_ANALYSIS_PROCESSES="1", COMEDO_MIN_FREE_BYTES="0")
    with socket.create_connection(("127.0.0.1", service.port)) as service.slow:
        service.slow.sendall(b"GET /health HTTP/1.1\r\nHost: 127.0")
        yield service
    assert service.stop() == 0


@pytest.mark.weights
def test_the_whole_service_with_one_command(running):
    assert running.ask("/health").status == 200
    assert running.ask("/api/v1/account").status == 401
    running.open()
    analysis = running.upload(face_jpeg())["analysis"]
    assert analysis["total"] > 0
    assert running.ask(f"/api/v1/analyses/{analysis['id']}/reports/pdf").read().startswith(b"%PDF")
    advice = running.ask("/api/v1/advice", {"analysis": analysis["id"]})
    assert json.load(advice)["document"]["schema"] == "comedo.advice/1"
    log = running.read_log()
    assert running.token not in log
    assert running.cookie.partition("=")[2] not in log


def test_a_second_service_does_not_share_the_folder(running):
    folder = running.environment | {"COMEDO_DATA_DIR": ""}
    data = Path(running.log.name).parent / "data"
    command = [sys.executable, "-m", "comedo", "serve", "--port", "0", "--data", str(data)]
    done = subprocess.run(command, env=folder, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2
    assert "another comedo serve" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_worker_that_dies_is_replaced(running):
    def workers():
        listed = subprocess.run(
            ["ps", "-o", "pid=,args=", "--ppid", str(running.process.pid)], capture_output=True, text=True, check=False
        )
        return [int(line.split()[0]) for line in listed.stdout.splitlines() if "comedo.service.work" in line]

    wait_for(lambda: len(workers()) == 1)
    (first,) = workers()
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: len(workers()) == 1 and workers() != [first])


def test_idle_connections_stop_nobody(running):
    """200 that say nothing, or half a request: the service answers all the same."""
    with ExitStack() as stack:
        for n in range(200):
            idle = stack.enter_context(socket.create_connection(("127.0.0.1", running.port)))
            idle.sendall(b"POST /api/v1/photos HTTP/1.1\r\nHost" if n % 2 else b"")
        assert running.ask("/health").status == 200
        assert running.ask("/api/v1/account").status in (200, 401)


@pytest.mark.parametrize(
    "head",
    [
        b"POST /api/v1/photos HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 50000000\r\n\r\n",
        b"POST /api/v1/photos HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\n",
        b"POST /api/v1/photos HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
    ids=["too long", "withheld", "chunked"],
)
def test_nobody_is_answered_before_the_body_comes(running, head):
    with socket.create_connection(("127.0.0.1", running.port)) as raw:
        raw.settimeout(60)
        raw.sendall(head)
        assert raw.recv(200).split(b" ")[1] in (b"401", b"413")


@pytest.mark.parametrize(
    "head",
    [
        b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX: a\r\n\tb: c\0\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.test\r\n\r\n",
        b"GET /health HTTP/1.1\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"GET /" + b"x" * 200_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    ],
    ids=["control", "two hosts", "no host", "two lengths", "long"],
)
def test_rude_requests_are_refused(running, head):
    with socket.create_connection(("127.0.0.1", running.port)) as raw:
        raw.settimeout(60)
        raw.sendall(head)
        assert raw.recv(200).split(b" ")[1] in (b"400", b"414", b"421", b"431")


def test_slow_headers_end_the_connection(running):
    """The last test of this file: the connection was opened at its start, so that nobody waits for it here."""
    running.slow.settimeout(slow_headers.HEADER_SECONDS + 30)
    assert running.slow.recv(100) == b""
