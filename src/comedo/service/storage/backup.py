"""Backups: rows first, then files, the manifest last; the owners' keys go to a file of their own.

A backup folder holds `rows/TABLE.jsonl`, `files/OWNER/ID` as sealed as they are in the store, and `manifest.json`,
without which it is no backup. It holds no key. The key file is small and is replaced by each backup: whoever keeps only
the newest one can no longer read what was erased since, in any backup, however old.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from comedo.errors import UnusableInput
from comedo.service.database.columns import now
from comedo.service.database.dump import dump_rows
from comedo.service.database.migrate import revision
from comedo.service.database.tables import Blob, OwnerKey, State
from comedo.service.errors import MissingFile, StorageError
from comedo.service.storage.blobs import blob_name
from comedo.service.storage.folder import Folder, write_durably
from comedo.service.storage.open import STORE
from comedo.service.storage.store import Storage

MANIFEST, ROWS, FILES = "manifest.json", "rows", "files"

Document = TypeVar("Document", bound=BaseModel)


class Manifest(BaseModel):
    """What a backup holds."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    schema_: Literal["comedo.backup/1"] = Field(default="comedo.backup/1", alias="schema")
    made: datetime
    store: str
    revision: str
    rows: dict[str, int]  # by table
    row_files: dict[str, str]  # SHA-256 by name
    files: dict[str, str]  # SHA-256 by name OWNER/ID
    deleted_meanwhile: list[str]  # blobs whose files went while the backup was made


class KeyFile(BaseModel):
    """The wrapped keys of all owners, and who was erased."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    schema_: Literal["comedo.backup-keys/1"] = Field(default="comedo.backup-keys/1", alias="schema")
    made: datetime
    store: str
    master: str  # fingerprint of the master key that wrapped them
    keys: dict[str, str]  # base64 by owner
    erased: list[str]


def back_up(storage: Storage, folder: Path, key_file: Path) -> Manifest:
    """Copy everything into a new folder, while the service may run, and the keys into a file outside of it.

    Raises:
        UnusableInput: The folder has something in it, or the key file belongs to another installation.
        MissingFile: A photo's file is lost: there is no whole backup to be had.
    """
    _check_places(storage, folder, key_file)
    made = now()
    (folder / ROWS).mkdir(parents=True, mode=0o700)
    with storage.database.read() as session:  # one moment
        at = revision(session.connection())
        assert at is not None
        store = session.get_one(State, STORE).value
        keys = _keys(session, store, made, storage.vault.fingerprint)
        blobs = session.scalars(select(Blob).where(Blob.state == "live").order_by(Blob.owner, Blob.id)).all()
        rows = dump_rows(session.connection(), folder / ROWS, change=_without_keys)
    files, gone = _copy_files(storage, blobs, folder / FILES, store)
    row_files = {path.name: _file_sha256(path) for path in sorted((folder / ROWS).iterdir())}
    manifest = Manifest(
        made=made, store=store, revision=at, rows=rows, row_files=row_files, files=files, deleted_meanwhile=gone
    )
    write_private(key_file, keys.model_dump_json(by_alias=True, indent=1))
    write_private(folder / MANIFEST, manifest.model_dump_json(by_alias=True, indent=1))
    return manifest


def read_backup(folder: Path) -> Manifest:
    """The manifest of a backup whose rows are as they were written.

    Raises:
        UnusableInput: It is not a whole backup.
    """
    manifest = _read(folder / MANIFEST, Manifest)
    for name, digest in manifest.row_files.items():
        path = folder / ROWS / name
        if not path.exists() or _file_sha256(path) != digest:
            raise UnusableInput(f"the backup's file {ROWS}/{name} is not as it was written; take another backup")
    return manifest


def read_key_file(path: Path) -> KeyFile:
    """The keys that belong to backups.

    Raises:
        UnusableInput: It is no key file.
    """
    return _read(path, KeyFile)


def read_backup_file(folder: Path, manifest: Manifest, name: str) -> bytes:
    """A sealed file as it was written.

    Raises:
        StorageError: It is not.
    """
    data = Folder(folder / FILES).get(name)
    if _sha256(data) != manifest.files[name]:
        raise StorageError(f"the backup's file {FILES}/{name} is not as it was written; take another backup")
    return data


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner reads, whole or not at all, and replace the one that was there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.part")
    draft.unlink(missing_ok=True)
    write_durably(path, text.encode() + b"\n", draft=draft)


def _check_places(storage: Storage, folder: Path, key_file: Path) -> None:
    if folder.exists() and any(folder.iterdir()):
        raise UnusableInput(f"{folder} is not empty; give a new folder for each backup")
    if key_file.resolve().is_relative_to(folder.resolve()):
        raise UnusableInput(f"the key file must not lie in the backup {folder}; give a place apart from all backups")
    if key_file.exists() and read_key_file(key_file).store != storage.blobs.read_marker():
        raise UnusableInput(f"{key_file} holds the keys of another installation; give another file")


def _without_keys(table: str, row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "wrapped": None} if table == OwnerKey.__tablename__ else row


def _keys(session: Session, store: str, made: datetime, master: str) -> KeyFile:
    rows = session.scalars(select(OwnerKey).order_by(OwnerKey.owner)).all()
    return KeyFile(
        made=made,
        store=store,
        master=master,
        keys={row.owner: b64encode(row.wrapped).decode() for row in rows if row.wrapped is not None},
        erased=[row.owner for row in rows if row.wrapped is None],
    )


def _copy_files(storage: Storage, blobs: Sequence[Blob], folder: Path, store: str) -> tuple[dict[str, str], list[str]]:
    copies, digests, gone = Folder(folder), {}, []
    copies.write_marker(store)
    for blob in blobs:
        name = blob_name(blob.owner, blob.id)
        try:
            data = storage.blobs.get(name)
        except MissingFile:
            with storage.database.read() as session:
                there = session.get(Blob, blob.id)
            if there is not None and there.state == "live":
                raise
            gone.append(blob.id)
            continue
        copies.put(name, data)
        digests[name] = _sha256(data)
    return digests, gone


def _read(path: Path, kind: type[Document]) -> Document:
    try:
        return kind.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        what = "not there" if isinstance(error, OSError) else "not what this version of comedo writes"
        raise UnusableInput(f"{path} is {what}; give the folder and the key file of `comedo admin backup`") from error


def _file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
