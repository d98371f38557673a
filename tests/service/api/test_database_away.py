"""The database server is killed in the middle: refusals while it is away, nothing lost, and no restart needed."""

import os
import signal
from types import SimpleNamespace

import pytest
from sqlalchemy import func, select

from comedo.service.database.tables import Blob, Photo
from comedo.service.storage.folder import Folder
from comedo.service.storage.recovery import recover
from comedo.service.work import worker
from comedo.service.work.pool import WorkerPool
from service.api.conftest import drawn_jpeg
from service.api.serving import wait_for
from service.api.world import API
from service.conftest import be_ready, new_database, start_postgres, url_of
from service.storage.diary import check_places


class Server:
    """A PostgreSQL of our own, which may be killed."""

    def __init__(self, running):
        self.running, self.url = running, url_of(running)  # the same after each start

    def kill(self):
        """At once, without a word to its clients and with its log to be replayed at the next start."""
        os.kill(self.running.get_pid(), signal.SIGQUIT)
        wait_for(lambda: not (self.running.pgdata / "postmaster.pid").exists())

    def start(self):
        be_ready(self.running.ensure_postgres_running)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    made = Server(start_postgres(tmp_path_factory))
    yield made
    made.start()
    made.running.cleanup()


@pytest.fixture
def away(server, make_service):
    """A service with a database of its own on it."""
    return make_service(database_url=new_database(server.url))


def send(client, seed):
    return client.post(f"{API}/photos", files={"file": ("x.jpg", drawn_jpeg(seed))})


def test_a_killed_database_is_a_pause(away, server, monkeypatch):
    anna = away.patient()
    kept = send(anna, 1).json()
    real, killed = Folder.put, []

    def put(self, name, data):
        real(self, name, data)
        if not killed:  # between the row that announces the file and the rows of the photo
            killed.append(name)
            server.kill()

    monkeypatch.setattr(Folder, "put", put)
    monkeypatch.setattr(worker, "PAUSE_S", 0)
    answers = [send(anna, 2), anna.get(f"{API}/photos"), away.visitor().get("/ready")]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(503, "not_available")] * 3
    assert [answer.headers.get("Retry-After") for answer in answers] == ["5", "5", None]
    assert away.visitor().get("/health").status_code == 200
    assert not worker._work_on(away.parts, away.analyzer, "test")

    server.start()
    assert killed
    assert send(anna, 2).status_code == 201
    assert away.work() == 3  # two analyses and their comparison
    assert anna.get(f"{API}/photos/{kept['photo']['id']}").json()["analysis"]["total"] == 4
    recover(away.parts.storage, alone=True)
    check_places(away.parts.storage)
    with away.parts.database.read() as session:
        assert [session.scalar(select(func.count()).select_from(table)) for table in (Photo, Blob)] == [2, 2]


def test_a_worker_comes_back_while_the_database_is_away(away, server, monkeypatch):
    pool, spawned = WorkerPool(away.parts.database, 1), []
    monkeypatch.setattr(pool, "_spawn", spawned.append)
    place = SimpleNamespace(name="x-1", process=SimpleNamespace(returncode=-9), started=float("-inf"))
    server.kill()
    pool._replace(place)
    server.start()
    assert spawned == [place]
