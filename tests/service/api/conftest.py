"""A service for tests: people who are signed in, photos that are analysed, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import simplejpeg
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import select

from builders import make_image
from comedo.pipeline import Analyzer
from comedo.service.accounts.passwords import hash_password
from comedo.service.database.columns import new_id
from comedo.service.database.tables import Account
from comedo.service.parts import Parts
from comedo.service.settings import Settings
from comedo.service.work.worker import work_once
from service.api.drawn import AnyFace

HERE = "http://127.0.0.1:8000"
PASSWORD = "several plain words"


@cache
def drawn_jpeg(seed: int = 0) -> bytes:
    """The drawn face as a JPEG; each seed is another file."""
    image = make_image(480, 640).copy()
    image[:4, :4] = seed % 251
    return bytes(simplejpeg.encode_jpeg(image, quality=90))


@dataclass
class Service:
    """A running service and its people."""

    app: FastAPI
    analyzer: Any = field(default_factory=AnyFace)
    clients: list[TestClient] = field(default_factory=list)

    @property
    def parts(self) -> Parts:
        return self.app.state.parts

    def visitor(self) -> TestClient:
        """A browser that is not signed in."""
        client = TestClient(self.app, base_url=HERE, headers={"Sec-Fetch-Site": "same-origin"})
        self.clients.append(client)
        return client

    def patient(self, email: str = "anna@example.org") -> TestClient:
        """A browser with a new patient."""
        client = self.visitor()
        answer = client.post("/api/v1/accounts", json={"email": email, "password": PASSWORD})
        assert answer.status_code == 201, answer.text
        client.account = answer.json()["id"]
        return client

    def clinician(self, email: str = "doctor@example.org") -> TestClient:
        """A browser with a clinician, whom the administrator made."""
        with self.parts.database.write() as session:
            row = Account(
                id=new_id(), role="clinician", email=email, name="Dr Who", password_hash=hash_password(PASSWORD)
            )
            session.add(row)
            session.flush()
            self.parts.vault.make_key(session, row.id)
        client = self.visitor()
        assert client.post("/api/v1/sessions", json={"email": email, "password": PASSWORD}).status_code == 200
        client.account = row.id
        return client

    def work(self) -> int:
        """Do every job that waits; returns how many."""
        done = 0
        while work_once(self.parts, self.analyzer, "test"):
            done += 1
        return done

    def photo(self, client: TestClient, seed: int = 0, **about: str) -> dict[str, Any]:
        """An uploaded and analysed photo."""
        answer = client.post("/api/v1/photos", files={"file": ("x.jpg", drawn_jpeg(seed))}, data=about)
        assert answer.status_code == 201, answer.text
        self.work()
        return client.get(f"/api/v1/photos/{answer.json()['photo']['id']}").json()

    def role_of(self, email: str) -> str | None:
        with self.parts.database.read() as session:
            return session.scalar(select(Account.role).where(Account.email == email))


def make_settings(folder: Path, **values: Any) -> Settings:
    """Settings that read no file and no environment of the machine."""
    given = {"accounts": True, "data_dir": folder / "data", "min_free_bytes": 0, **values}
    return Settings(_env_file=None, **given)


MakeService = Callable[..., Service]


@pytest.fixture
def service(make_service: MakeService) -> Service:
    """A service with accounts, on SQLite."""
    return make_service()


@pytest.fixture
def both(make_service: MakeService, database_url: str) -> Service:
    """A service with accounts, once on SQLite and once on PostgreSQL."""
    return make_service(database_url=database_url)


@pytest.fixture(scope="session")
def real_analyzer() -> Analyzer:
    """The shipped networks."""
    from comedo.build import default_analyzer

    return default_analyzer()
