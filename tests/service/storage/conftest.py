"""A storage on each database."""

from __future__ import annotations

from pathlib import Path

import pytest

from comedo.service.database.engine import Database
from comedo.service.storage.store import Storage
from service.places import add_owner, make_storage


@pytest.fixture
def storage(database: Database, tmp_path: Path) -> Storage:
    return make_storage(database, tmp_path / "data")


@pytest.fixture
def owner(storage: Storage) -> str:
    return add_owner(storage)
