"""The database: one engine, transactions that read and transactions that write, on SQLite and on PostgreSQL."""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, exc, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from comedo.service.database.disk import refuse_remote

AWAY = (exc.OperationalError, exc.InterfaceError, exc.TimeoutError)  # no answer of the database, or no connection free
BUSY_MS = 20_000
CHECKPOINT_BYTES = 4 * 1024 * 1024  # of the write-ahead log
PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = FULL",  # NORMAL may lose acknowledged commits at a power cut
    f"busy_timeout = {BUSY_MS}",
    "foreign_keys = ON",
    "secure_delete = ON",  # erased rows are overwritten
    "wal_autocheckpoint = 0",  # see Database.checkpoint
)


@dataclass(frozen=True)
class Database:
    """An open database. Rows read in a transaction stay readable after it (nothing expires)."""

    engine: Engine

    @property
    def is_sqlite(self) -> bool:
        """Whether this is the embedded database."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A transaction that sees one moment; an attempt to write in it is an error of the database."""
        with Session(self._reading, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction that commits at the end of the block, durably, or rolls back when the block raises.

        On SQLite it holds the one write lock from its first statement: no read can become a write too late.
        """
        with Session(self._writing, expire_on_commit=False) as session, session.begin():
            yield session
        self.checkpoint()

    @cached_property
    def _reading(self) -> Engine:
        return self.engine.execution_options(comedo_writes=False)

    @cached_property
    def _writing(self) -> Engine:
        return self.engine.execution_options(comedo_writes=True)

    def checkpoint(self, *, at_least: int = CHECKPOINT_BYTES) -> None:
        """Move a write-ahead log of so many bytes into the SQLite file, unless somebody reads or writes just now.

        One process at a time: before SQLite 3.51.3 two connections that did so at the same moment could corrupt the
        file (sqlite.org, release notes 3.51.3), so it never happens by itself.
        """
        if (self.log_bytes() or 0) < at_least:
            return
        with Path(f"{self.engine.url.database}-checkpoint.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            connection = self.engine.raw_connection()
            try:
                cursor = connection.cursor()
                cursor.execute("PRAGMA busy_timeout = 0")
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
                cursor.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
            finally:
                connection.close()

    def log_bytes(self) -> int | None:
        """Size of SQLite's write-ahead log; None on PostgreSQL."""
        log = Path(f"{self.engine.url.database}-wal")
        if not self.is_sqlite:
            return None
        return log.stat().st_size if log.exists() else 0

    def close(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()


def open_database(url: str, *, connections: int = 10) -> Database:
    """Open a database; its tables come from `migrate`.

    Args:
        url: sqlite:///PATH or postgresql+psycopg://…
        connections: Most connections of this process; no fewer than the threads that use them.

    Raises:
        UnusableInput: The file of SQLite would lie on a network's file system.
    """
    more: dict[str, Any] = {"pool_pre_ping": True}
    file = make_url(url).database
    if make_url(url).get_backend_name() == "sqlite" and file:
        refuse_remote(Path(file).parent)
        Path(file).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        Path(file).touch(mode=0o600)
        more = {"connect_args": {"timeout": BUSY_MS / 1000}}
    engine = create_engine(url, pool_size=connections, max_overflow=0, hide_parameters=True, **more)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_pragmas)
    event.listen(engine, "begin", _begin)
    return Database(engine)


def _set_pragmas(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    assert isinstance(connection, sqlite3.Connection)
    connection.isolation_level = None  # BEGIN is sent by _begin, not guessed by the driver
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    writes = options.get("comedo_writes", True)
    if connection.dialect.name == "sqlite":
        if options.get("comedo_migrates"):  # making a table anew must not delete the rows that refer to it
            connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
        if connection.info.get("comedo_writes") != writes:  # what its last transaction left
            connection.exec_driver_sql(f"PRAGMA query_only = {'OFF' if writes else 'ON'}")
            connection.info["comedo_writes"] = writes
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
    elif not writes:
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
