"""A storage against the diary of a killed writer: what was acknowledged stays, all else is whole or absent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select, text

from comedo.service.database.tables import Account, Analysis, Blob, Job, OwnerKey, Photo, Receipt
from comedo.service.storage.blobs import blob_name
from comedo.service.storage.photos import read_photo, store_photos
from comedo.service.storage.store import Storage
from comedo.service.storage.verify import verify
from service.places import make_photo


@dataclass
class Known:
    """What an owner was told; photo: number of its bytes, or None where only results were kept."""

    photos: dict[str, int | None] = field(default_factory=dict)


def check_diary(storage: Storage, lines: list[dict[str, Any]]) -> None:
    owners: dict[str, Known] = {}
    pending: dict[str, Any] | None = None
    for line in lines:
        if "deed" in line:
            pending = line
            continue
        assert pending is not None
        settle(storage, owners, pending, line["result"])
        pending = None
    if pending is not None:
        check_open_deed(storage, owners, pending)
    for owner, known in owners.items():
        assert rows_of(storage, owner) == known.photos, f"{owner}: not what was acknowledged"


def settle(storage: Storage, owners: dict[str, Known], deed: dict[str, Any], result: Any) -> None:
    """Note what an acknowledged deed made true."""
    kind, owner = deed["deed"], deed["owner"]
    if kind == "sign up":
        owners[result] = Known()
    elif kind == "upload":
        owners[owner].photos.update(zip(result, deed["numbers"], strict=True))
    elif kind == "delete":
        del owners[owner].photos[deed["photo"]]
    elif kind == "drop":
        owners[owner].photos[deed["photo"]] = None
    elif kind == "erase":
        del owners[owner]
        assert is_erased(storage, owner), "an acknowledged erasure left something"


def check_open_deed(storage: Storage, owners: dict[str, Known], deed: dict[str, Any]) -> None:
    """What was not acknowledged is wholly there or wholly absent; asked again it happens once."""
    kind, owner = deed["deed"], deed["owner"]
    if kind == "upload":
        numbers = deed["numbers"]
        before = len(rows_of(storage, owner)) - len(owners[owner].photos)
        assert before in (0, len(numbers)), f"{before} of {len(numbers)} photos of a batch are there"
        photos = [make_photo(number) for number in numbers]
        stored = store_photos(storage, owner, photos, actor=owner, key=deed["key"])
        owners[owner].photos.update((one.photo, number) for one, number in zip(stored, numbers, strict=True))
    elif kind == "delete" and deed["photo"] not in rows_of(storage, owner):
        del owners[owner].photos[deed["photo"]]
    elif kind == "drop" and rows_of(storage, owner)[deed["photo"]] is None:
        owners[owner].photos[deed["photo"]] = None
    elif kind == "erase":
        with storage.database.read() as session:
            there = session.get(Account, owner) is not None
        if not there:
            assert is_erased(storage, owner), "half an erasure"
            del owners[owner]


def rows_of(storage: Storage, owner: str) -> dict[str, int | None]:
    """The owner's photos with the number of the bytes that are really there."""
    found: dict[str, int | None] = {}
    with storage.database.read() as session:
        for photo in session.scalars(select(Photo).where(Photo.owner == owner)):
            data = b"" if photo.blob is None else read_photo(storage, session, photo.id)
            found[photo.id] = None if photo.blob is None else int(data.rpartition(b" ")[2])
            jobs = session.scalar(select(func.count()).select_from(Job).where(Job.photo == photo.id))
            assert jobs == 1, f"photo {photo.id} has {jobs} jobs"
    return found


def is_erased(storage: Storage, owner: str) -> bool:
    with storage.database.read() as session:
        key = session.get_one(OwnerKey, owner)
        done = session.scalar(select(Receipt.done).where(Receipt.owner == owner, Receipt.kind == "everything"))
        tables = (Account.id == owner, Photo.owner == owner, Analysis.owner == owner, Blob.owner == owner)
        left = [where for where in tables if session.scalar(select(func.count()).where(where))]
    return key.wrapped is None and done is not None and not left


def check_places(storage: Storage) -> None:
    """No file without a row, no row without its file, nothing open, nothing half done."""
    assert list(verify(storage)) == []
    with storage.database.read() as session:
        blobs = session.scalars(select(Blob)).all()
        assert {blob.state for blob in blobs} <= {"live"}
        assert set(storage.blobs.names()) == {blob_name(blob.owner, blob.id) for blob in blobs}
        assert session.scalar(select(func.count()).where(Receipt.done.is_(None))) == 0
        finished = select(Job.id).where(Job.state == "done")
        half = select(Analysis.id).where(~Analysis.photo.in_(select(Job.photo).where(Job.id.in_(finished))))
        assert session.scalars(half).all() == [], "a result without its finished job"
        assert session.scalar(select(func.count()).where(Job.state == "running")) == 0
        if storage.database.is_sqlite:
            assert session.scalar(text("PRAGMA integrity_check")) == "ok"
