"""A running service for a browser: the shipped networks, rendered faces, one worker."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn

from comedo.build import default_analyzer
from comedo.service.admin import add_clinician
from comedo.service.app import create_app
from comedo.service.database.engine import Database
from comedo.service.demo.fill import CLINICIAN, PASSWORD
from comedo.service.demo.photos import DemoPhoto
from comedo.service.parts import Parts
from comedo.service.work.worker import work_once
from service.api.conftest import MakeService, Service, make_settings


@dataclass(frozen=True)
class Site:
    """Where it runs, its database, the photo of a person before, and a file for the fake camera."""

    url: str
    database: Database
    before: Path
    camera: Path


@pytest.fixture
def service(make_service: MakeService) -> Service:
    """A service with pages and accounts, on SQLite."""
    return make_service(pages=True)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, rendered_person: list[DemoPhoto]) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    app = create_app(make_settings(folder))
    add_clinician(app.state.parts.storage, CLINICIAN, "Dr. Ada Demo", "en", PASSWORD)
    before, *_, after = rendered_person
    photo, camera = folder / "before.jpg", folder / "camera.mjpeg"
    photo.write_bytes(before.jpeg)
    camera.write_bytes(after.jpeg * 2)
    with _worker(app.state.parts), _server(app) as url:
        yield Site(url, app.state.parts.database, photo, camera)
    app.state.parts.database.close()


@contextmanager
def _server(app: object) -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", timeout_graceful_shutdown=2))  # type: ignore[arg-type]
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


@contextmanager
def _worker(parts: Parts) -> Iterator[None]:
    stop, analyzer = threading.Event(), default_analyzer()

    def work() -> None:
        while not stop.is_set():
            if not work_once(parts, analyzer, "test"):
                stop.wait(0.1)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    yield
    stop.set()
    thread.join()
