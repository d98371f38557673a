"""Rows as lines of JSON, the same from SQLite and from PostgreSQL: a backup of one restores into the other.

Tables are those of the database as it is, not of tables.py, so that an old backup is read as it was written.
"""

from __future__ import annotations

import json
import os
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, MetaData, Table, insert, select

from comedo.errors import UnusableInput
from comedo.service.database.batches import in_batches

AT_ONCE = 500
NOT_KEPT = ("alembic_version", "session", "reset_code", "rate_bucket")  # sign-ins and counters end with a restore

Row = dict[str, Any]


def dump_rows(connection: Connection, folder: Path, *, change: Callable[[str, Row], Row]) -> dict[str, int]:
    """Write TABLE.jsonl for each table; returns how many rows each has.

    Args:
        change: Gets the table's name and a row; what it returns is written.
    """
    counts = {}
    for table in _tables(connection):
        found = connection.execution_options(yield_per=AT_ONCE).execute(select(table)).mappings()
        with (folder / f"{table.name}.jsonl").open("w", encoding="utf-8") as file:
            counts[table.name] = 0
            for row in found:
                kept = change(table.name, dict(row))
                file.write(json.dumps({name: _encode(value) for name, value in kept.items()}) + "\n")
                counts[table.name] += 1
            file.flush()
            os.fsync(file.fileno())
    return counts


def load_rows(connection: Connection, folder: Path) -> dict[str, int]:
    """Insert the rows of `dump_rows`, parents first; returns how many each table got."""
    counts = {}
    for table in _tables(connection):
        rows = _read(folder / f"{table.name}.jsonl", connection.dialect.name)
        counts[table.name] = 0
        for some in in_batches(rows, AT_ONCE):
            connection.execute(insert(table), some)
            counts[table.name] += len(some)
    return counts


def _read(path: Path, dialect: str) -> Iterator[Row]:
    if not path.exists():
        raise UnusableInput(f"the backup lacks {path.name}; take another one")
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield {name: _decode(value, dialect) for name, value in json.loads(line).items()}


def _tables(connection: Connection) -> list[Table]:
    metadata = MetaData()
    metadata.reflect(connection)
    return [table for table in metadata.sorted_tables if table.name not in NOT_KEPT]


def _encode(value: object) -> object:
    if isinstance(value, bytes):
        return {"bytes": b64encode(value).decode()}
    if isinstance(value, datetime):
        return {"time": (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC).isoformat()}
    if isinstance(value, date):
        return {"date": value.isoformat()}
    return {"json": value} if isinstance(value, (dict, list)) else value


def _decode(value: object, dialect: str) -> object:
    if not isinstance(value, Mapping):
        return value
    ((kind, inner),) = value.items()
    if kind == "bytes":
        return b64decode(inner)
    if kind == "time":
        time = datetime.fromisoformat(inner)
        return time.replace(tzinfo=None) if dialect == "sqlite" else time
    return date.fromisoformat(inner) if kind == "date" else inner
