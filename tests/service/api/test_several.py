"""Several web processes behind one database: what one was told, the others know."""

import json
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from service.api.serving import Client, Running, face_jpeg, wait_for

API = "/api/v1"


class Another(Client):
    """A further web process of a service, as `comedo serve` starts them with COMEDO_WORKERS."""

    def __init__(self, service: Running) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        app = "comedo.service.app:app_from_environment"
        command = [sys.executable, "-m", "uvicorn", app, "--factory", "--port", str(port), "--no-access-log"]
        folder = Path(service.log.name).parent
        self.process = subprocess.Popen(command, env=service.environment, stderr=service.log, cwd=folder)
        self.url, self.cookie = f"http://127.0.0.1:{port}", service.cookie
        wait_for(self.is_there)

    def is_there(self) -> bool:
        assert self.process.poll() is None
        try:
            return bool(self.ask("/health").status == 200)
        except OSError:
            return False


@contextmanager
def two_of_one(folder, url):
    """A service and a further web process of it."""
    given = {"COMEDO_DATA_DIR": str(folder / "data"), "COMEDO_DATABASE_URL": url}
    first = Running(folder, COMEDO_ANALYSIS_PROCESSES="1", COMEDO_MIN_FREE_BYTES="0", **given)
    try:
        first.open()
        second = Another(first)
        try:
            yield first, second
        finally:
            second.process.terminate()
            second.process.wait(300)
    finally:
        code = first.stop()
    assert code == 0


@pytest.mark.weights
def test_what_one_was_told_the_other_knows(database_url, tmp_path):
    with two_of_one(tmp_path, database_url) as (first, second):
        sent = second.send(face_jpeg())  # its worker belongs to the first
        photo = f"{API}/photos/{sent['photo']['id']}"
        events = first.ask(f"{API}/jobs/{sent['job']}/events").read().decode()
        last = [line for line in events.splitlines() if line.startswith("data: ")][-1]
        assert json.loads(last.removeprefix("data: "))["state"] == "done"
        assert first.read(photo) == second.read(photo)
        assert first.read(photo)["analysis"]["total"] > 0
        assert first.ask(f"{photo}/image").read() == second.ask(f"{photo}/image").read()
        assert second.send(face_jpeg())["created"] is False
        assert first.ask(photo, method="DELETE").status == 200
        assert second.ask(photo).status == 404
        assert second.ask(f"{API}/sessions/current", method="DELETE").status == 204
        assert first.ask(f"{API}/account").status == 401
