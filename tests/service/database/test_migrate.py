"""Migrations: they make the tables of tables.py, keep every row, and are whole or not at all."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError

from comedo.errors import UnusableInput
from comedo.service.database.audit import record
from comedo.service.database.columns import Base
from comedo.service.database.dump import dump_rows, load_rows
from comedo.service.database.engine import Database, open_database
from comedo.service.database.migrate import migrate, newest, revision
from comedo.service.database.tables import Audit
from service.conftest import MakeUrl

FIRST = Path(__file__).parent / "first"  # rows as version 0001 kept them, in every table


KILLED = """
import os, signal, sys
from sqlalchemy import event
from comedo.service.database.engine import open_database
from comedo.service.database.migrate import migrate
database, left = open_database(sys.argv[1]), int(sys.argv[2])

def count(*_):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

event.listen(database.engine, "after_cursor_execute", count)
migrate(database)
"""


def read(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in sorted(path.read_text().splitlines())]


def test_migrated_tables_are_those_of_the_code(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, Base.metadata)
        assert differences == []
        assert revision(connection) == newest()


def test_migrating_again_changes_nothing(database: Database) -> None:
    with database.write() as session:
        record(session, actor=None, owner="o", action="a")
    migrate(database)
    with database.read() as session:
        assert session.query(Audit).count() == 1


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_filled_database_of_the_first_version_is_upgraded(new_url: MakeUrl, tmp_path: Path, kind: str) -> None:
    database = open_database(new_url(kind))
    migrate(database, to="0001")
    with database.engine.begin() as connection:
        counts = load_rows(connection, FIRST)
    assert min(counts.values()) >= 1
    migrate(database)
    with database.engine.begin() as connection:
        assert revision(connection) == newest()
        dump_rows(connection, tmp_path, change=lambda _, row: row)
    for path in FIRST.iterdir():
        old, new = (read(folder / path.name) for folder in (FIRST, tmp_path))
        assert old == [{name: row[name] for name in old[0]} for row in new], path.name
    database.close()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_migration_killed_in_the_middle_leaves_nothing(new_url: MakeUrl, kind: str) -> None:
    url = new_url(kind)
    killed = subprocess.run([sys.executable, "-c", KILLED, url, "30"], check=False, capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    database = open_database(url)
    with database.engine.connect() as connection:
        assert inspect(connection).get_table_names() == []
    migrate(database)
    with database.engine.connect() as connection:
        assert revision(connection) == newest()
    database.close()


def test_a_newer_database_is_refused(database: Database) -> None:
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(UnusableInput, match="revision 9999"):
        migrate(database)


def test_a_database_that_does_not_answer_is_named() -> None:
    nobody = open_database("postgresql+psycopg://comedo:secret@127.0.0.1:1/comedo")
    with pytest.raises(UnusableInput, match="does not answer") as refused:
        migrate(nobody)
    assert "secret" not in str(refused.value)


def test_audit_rows_are_never_changed(database: Database) -> None:
    with database.write() as session:
        record(session, actor="a", owner="o", action="photo.read")
    with pytest.raises(DBAPIError, match="never changed"), database.write() as session:
        session.execute(text("UPDATE audit SET actor = NULL"))
