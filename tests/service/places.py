"""Storages for tests: a folder beside the database, a key of their own, and room for anything."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from comedo.service.database.columns import new_id
from comedo.service.database.engine import Database
from comedo.service.database.tables import Account
from comedo.service.settings import Settings
from comedo.service.storage.open import open_storage
from comedo.service.storage.store import Limits, NewPhoto, Storage

MASTER_KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
OTHER_KEY = "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA="
ROOMY = Limits(photos=1000, bytes=10**9, free_bytes=0, jobs=1000)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
JPEG = b"\xff\xd8\xff\xe0 a photo that nobody else has: "


def make_settings(folder: Path, url: str | None = None, **more: object) -> Settings:
    """Settings of a place on this computer; no environment and no .env has a say."""
    values = {"data_dir": folder, "database_url": url, "master_key": MASTER_KEY, **more}
    return Settings(_env_file=None, **values)  # type: ignore[arg-type, call-arg]


def make_storage(database: Database, folder: Path, **more: object) -> Storage:
    """A storage with room."""
    return replace(open_storage(make_settings(folder, **more), database), limits=ROOMY)


def bucket_settings(endpoint: str) -> dict[str, object]:
    """Photos in the bucket `photos` of a server for tests."""
    return {"store": "s3", "s3_bucket": "photos", "s3_endpoint": endpoint, "s3_access_key": "a", "s3_secret_key": "b"}


def add_owner(storage: Storage, **more: object) -> str:
    """An account with its key; returns its id."""
    owner = new_id()
    with storage.database.write() as session:
        session.add(Account(id=owner, role="patient", **more))
        storage.vault.make_key(session, owner)
    return owner


def make_photo(number: int = 0, **more: object) -> NewPhoto:
    """Bytes that differ by number; storage does not look into pictures."""
    return NewPhoto(JPEG + b"%d" % number, "jpeg", 3, 2, **more)  # type: ignore[arg-type]
