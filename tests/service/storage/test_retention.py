"""What people chose to keep."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from comedo.service.database.columns import now
from comedo.service.database.tables import Account, Answers, Blob, Job, Photo
from comedo.service.storage.photos import store_photos
from comedo.service.storage.retention import apply_retention
from comedo.service.storage.store import Storage
from service.places import make_photo


@pytest.mark.parametrize(
    ("retention", "days", "age_days", "job", "left"),
    [
        pytest.param("keep", None, 4000, "done", (1, 1, 1), id="everything is kept"),
        pytest.param("without_photos", None, 0, "queued", (1, 1, 1), id="not before the analysis"),
        pytest.param("without_photos", None, 0, "done", (1, 0, 1), id="the picture goes after it"),
        pytest.param("without_photos", None, 0, "failed", (1, 0, 1), id="also when it failed"),
        pytest.param("days", 30, 29, "done", (1, 1, 1), id="young enough"),
        pytest.param("days", 30, 31, "done", (0, 0, 0), id="too old"),
    ],
)
def test_what_is_due_goes(
    storage: Storage, owner: str, retention: str, days: int | None, age_days: int, job: str, left: tuple[int, int, int]
) -> None:
    store_photos(storage, owner, [make_photo()], actor=owner)
    with storage.database.write() as session:
        session.execute(update(Account).values(retention=retention, retention_days=days))
        session.execute(update(Job).values(state=job))
        session.add(Answers(owner=owner, document=b""))
    apply_retention(storage, at=now() + timedelta(days=age_days))
    with storage.database.read() as session:
        assert tuple(session.scalar(select(func.count()).select_from(t)) for t in (Photo, Blob, Answers)) == left
    assert apply_retention(storage, at=now() + timedelta(days=age_days)) == 0
