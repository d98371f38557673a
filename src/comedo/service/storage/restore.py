"""Restoring a backup into an empty place.

What was taken back after the backup was made must not come back with it: people who were erased are not restored, and
every API token and every consent ends, because nobody can tell which were revoked since.
"""

from __future__ import annotations

from base64 import b64decode
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, MetaData, delete, insert, inspect, select, update

from comedo.errors import UnusableInput
from comedo.service.database.columns import new_id, now
from comedo.service.database.dump import load_rows
from comedo.service.database.engine import Database
from comedo.service.database.migrate import migrate
from comedo.service.database.tables import State
from comedo.service.errors import WrongMasterKey
from comedo.service.storage.backup import ROWS, KeyFile, Manifest, read_backup, read_backup_file, read_key_file
from comedo.service.storage.blobs import BlobStore
from comedo.service.storage.open import MASTER
from comedo.service.storage.vault import Vault


@dataclass(frozen=True)
class Restored:
    """What came back, how many people did not because they were erased, and how many rights ended."""

    rows: int
    files: int
    erased: int
    tokens: int
    consents: int


def restore(database: Database, blobs: BlobStore, vault: Vault, folder: Path, key_file: Path) -> Restored:
    """Bring a backup back: files first, then all rows in one transaction; killed before that, it can be repeated.

    Args:
        database: Empty; SQLite or PostgreSQL, whatever the backup was made of.
        blobs: Empty; a folder or a bucket.

    Raises:
        UnusableInput: A place is not empty, or the backup is not whole.
        WrongMasterKey: The keys were wrapped by another master key; nothing was changed.
    """
    manifest, keys = read_backup(folder), read_key_file(key_file)
    _check(database, blobs, vault, manifest, keys)
    migrate(database, to=manifest.revision)
    _check_empty(database)
    again = blobs.read_marker() is not None
    if not again:
        blobs.write_marker(manifest.store)
    names = [name for name in manifest.files if name.partition("/")[0] in keys.keys]
    for name in names:
        if again:
            blobs.remove(name)  # perhaps half of it
        blobs.put(name, read_backup_file(folder, manifest, name))
    with database.write() as session:
        rows, erased = _load(session.connection(), manifest, keys, folder / ROWS)
        tokens, consents = _end_rights(session.connection())
    migrate(database)
    return Restored(rows=rows, files=len(names), erased=erased, tokens=tokens, consents=consents)


def _check(database: Database, blobs: BlobStore, vault: Vault, manifest: Manifest, keys: KeyFile) -> None:
    if keys.store != manifest.store:
        raise UnusableInput("the key file belongs to another installation than the backup; give its own")
    if keys.made < manifest.made:
        raise UnusableInput("the key file is older than the backup; give the newest key file")
    if keys.master != vault.fingerprint:
        raise WrongMasterKey(
            f"the backup's keys need master key {keys.master}, the settings give {vault.fingerprint}; "
            "nothing was changed"
        )
    if blobs.read_marker() not in (None, manifest.store):
        raise UnusableInput("the store has photos of another installation; restore into an empty place")
    with database.read() as session:
        started = inspect(session.connection()).has_table(State.__tablename__)
    if started:
        _check_empty(database)


def _check_empty(database: Database) -> None:
    with database.read() as session:
        if session.scalar(select(State.name).limit(1)) is not None:
            raise UnusableInput("the database has rows already; restore into an empty one")


def _load(connection: Connection, manifest: Manifest, keys: KeyFile, folder: Path) -> tuple[int, int]:
    """All rows at once; returns how many, and how many people have no key any more: they are erased again."""
    rows = sum(load_rows(connection, folder).values())
    tables = MetaData()
    tables.reflect(connection)
    account, audit, blob, owner_key, photo, state = (
        tables.tables[name] for name in ("account", "audit", "blob", "owner_key", "photo", "state")
    )
    for owner, wrapped in keys.keys.items():
        values = {"wrapped": b64decode(wrapped), "master": keys.master}  # another one since, after a rotation
        connection.execute(update(owner_key).where(owner_key.c.owner == owner).values(values))
    connection.execute(update(state).where(state.c.name == MASTER).values(value=keys.master))
    lost = connection.scalars(select(owner_key.c.owner).where(owner_key.c.wrapped.is_(None))).all()
    erased = 0
    for owner in lost:
        erased += connection.execute(delete(account).where(account.c.id == owner)).rowcount
        connection.execute(delete(audit).where(audit.c.owner == owner, audit.c.action != "account.erase"))
        connection.execute(delete(blob).where(blob.c.owner == owner))
    made_again = owner_key.c.wrapped.is_(None) & owner_key.c.destroyed.is_(None)
    connection.execute(update(owner_key).where(made_again).values(destroyed=_now(connection)))
    for gone in manifest.deleted_meanwhile:
        connection.execute(update(photo).where(photo.c.blob == gone).values(blob=None))
        connection.execute(delete(blob).where(blob.c.id == gone))
    return rows, erased


def _end_rights(connection: Connection) -> tuple[int, int]:
    """Revoke every API token and withdraw every consent, as their owners' audit logs tell; returns how many of each."""
    tables, moment = MetaData(), _now(connection)
    tables.reflect(connection)
    token, consent, audit = (tables.tables[name] for name in ("api_token", "consent", "audit"))
    ended = []
    for table, owner, column, action in (
        (token, token.c.account, token.c.revoked, "token.revoke"),
        (consent, consent.c.patient, consent.c.withdrawn, "consent.withdraw"),
    ):
        standing = connection.execute(select(table.c.id, owner).where(column.is_(None))).all()
        connection.execute(update(table).where(column.is_(None)).values({column.name: moment}))
        rows = [
            {"id": new_id(), "at": moment, "owner": whose, "action": action, "object_id": row}
            for row, whose in standing
        ]
        if rows:
            connection.execute(insert(audit), rows)
        ended.append(len(rows))
    return ended[0], ended[1]


def _now(connection: Connection) -> datetime:
    return now().replace(tzinfo=None) if connection.dialect.name == "sqlite" else now()
