"""The check of rows against files, both ways."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select, update

from comedo.service.database.tables import Blob, Photo
from comedo.service.storage.blobs import blob_name
from comedo.service.storage.photos import store_photos
from comedo.service.storage.store import Storage
from comedo.service.storage.verify import verify
from service.places import make_photo


def test_an_empty_storage_is_fine(storage: Storage) -> None:
    assert list(verify(storage)) == []


@pytest.mark.parametrize(
    ("damage", "what"),
    [
        pytest.param("flip", "sealed_unreadable", id="a flipped byte"),
        pytest.param("unlink", "file_missing", id="a lost file"),
        pytest.param("digest", "wrong_photo", id="another photo's fingerprint"),
        pytest.param("note", "sealed_unreadable", id="an altered note"),
        pytest.param("stray", "stray_file", id="a file without a row"),
    ],
)
def test_each_damage_is_found(storage: Storage, owner: str, tmp_path: Path, damage: str, what: str) -> None:
    store_photos(storage, owner, [make_photo(note="n")], actor=owner)
    with storage.database.read() as session:
        blob = session.scalars(select(Blob)).one()
    path = tmp_path / "data" / "photos" / blob_name(blob.owner, blob.id)
    if damage == "flip":
        sealed = path.read_bytes()
        path.write_bytes(sealed[:-1] + bytes([sealed[-1] ^ 1]))
    elif damage == "unlink":
        path.unlink()
    elif damage == "stray":
        path.with_name("0" * 32).write_bytes(b"")
    else:
        change = update(Blob).values(digest="0" * 64) if damage == "digest" else update(Photo).values(note=b"?" * 40)
        with storage.database.write() as session:
            session.execute(change)
    assert [finding.what for finding in verify(storage)] == [what]
