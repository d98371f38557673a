"""Checking that rows and files say the same, both ways. Nothing is changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import LargeBinary, select

from comedo.service.database.columns import Base
from comedo.service.database.tables import Blob, OwnerKey
from comedo.service.errors import ErasedOwner, MissingFile, StorageError, WrongMasterKey
from comedo.service.storage.about import about
from comedo.service.storage.blobs import blob_name
from comedo.service.storage.store import Storage
from comedo.service.storage.vault import DataKey


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be; `what` is a stable code."""

    what: str
    where: str


def verify(storage: Storage) -> Iterator[Finding]:
    """Every key unwrapped, every file and every sealed value opened, every file's row looked for."""
    keys: dict[str, DataKey] = {}
    with storage.database.read() as session:
        for row in session.scalars(select(OwnerKey).where(OwnerKey.wrapped.is_not(None))):
            try:
                keys[row.owner] = storage.vault.unwrap(row)
            except WrongMasterKey as error:
                yield Finding(error.code, f"owner_key/{row.owner}")
    yield from _check_files(storage, keys)
    yield from _check_documents(storage, keys)
    yield from _find_strays(storage)


def _check_files(storage: Storage, keys: dict[str, DataKey]) -> Iterator[Finding]:
    with storage.database.read() as session:
        blobs = session.scalars(select(Blob).where(Blob.state == "live").order_by(Blob.owner, Blob.id)).all()
    for blob in blobs:
        name = blob_name(blob.owner, blob.id)
        code = _damage(storage, blob, keys.get(blob.owner))
        if code is not None and _is_live(storage, blob.id):  # it may have been deleted meanwhile
            yield Finding(code, name)


def _damage(storage: Storage, blob: Blob, key: DataKey | None) -> str | None:
    if key is None:
        return ErasedOwner.code
    try:
        data = key.open(storage.blobs.get(blob_name(blob.owner, blob.id)), about=blob.id)
    except StorageError as error:
        return error.code
    return None if key.digest(data) == blob.digest else "wrong_photo"


def _check_documents(storage: Storage, keys: dict[str, DataKey]) -> Iterator[Finding]:
    for table in Base.metadata.sorted_tables:
        sealed = [column for column in table.columns if isinstance(column.type, LargeBinary)]
        if table.name == OwnerKey.__tablename__ or not sealed:
            continue
        with storage.database.read() as session:
            for row in session.execute(select(table), execution_options={"yield_per": 500}).mappings():
                for column in sealed:
                    key, value = keys.get(row["owner"]), row[column.name]
                    if value is not None and not _opens(key, value, about(table.name, column.name, row["id"])):
                        yield Finding("sealed_unreadable", f"{table.name}/{row['id']}/{column.name}")


def _opens(key: DataKey | None, value: bytes, what: str) -> bool:
    try:
        return key is not None and key.open(value, about=what) is not None
    except StorageError:
        return False


def _find_strays(storage: Storage) -> Iterator[Finding]:
    """Files without a row. A file's row is older than the file, so that listing first finds no false ones."""
    for name in storage.blobs.names():
        with storage.database.read() as session:
            if session.get(Blob, name.rpartition("/")[2]) is None:
                try:
                    storage.blobs.get(name)
                except MissingFile:
                    continue  # removed meanwhile
                yield Finding("stray_file", name)


def _is_live(storage: Storage, blob_id: str) -> bool:
    with storage.database.read() as session:
        blob = session.get(Blob, blob_id)
    return blob is not None and blob.state == "live"
