"""Transactions on both databases."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from comedo.service.database.columns import UnstorableText, new_id
from comedo.service.database.engine import CHECKPOINT_BYTES, Database
from comedo.service.database.tables import Account, Answers, Audit, Photo, State, Treatment

COUNTER = """
import sys
from comedo.service.database.engine import open_database
from comedo.service.database.tables import State
db = open_database(sys.argv[1])
for _ in range(int(sys.argv[2])):
    with db.write() as session:
        row = session.get(State, "count", with_for_update=True)
        row.value = str(int(row.value) + 1)
db.close()
"""


def test_a_block_that_raises_leaves_nothing(database: Database) -> None:
    def fails() -> None:
        with database.write() as session:
            session.add(State(name="a", value="1"))
            session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    with database.read() as session:
        assert session.get(State, "a") is None


def test_reading_cannot_write(database: Database) -> None:
    with database.read() as session:
        session.add(State(name="a", value="1"))
        with pytest.raises(DBAPIError, match=r"readonly|read-only"):
            session.flush()
    with database.write() as session:  # the connection is as good as before
        session.add(State(name="a", value="1"))


def test_reading_sees_one_moment(database: Database) -> None:
    with database.write() as session:
        session.add(State(name="a", value="1"))
    with database.read() as session:
        assert session.scalar(select(State.value)) == "1"
        with database.write() as other:
            other.add(State(name="b", value="2"))
        assert session.scalars(select(State.value)).all() == ["1"]


def test_eight_processes_read_then_write_and_none_is_locked_out(database: Database, database_url: str) -> None:
    with database.write() as session:
        session.add(State(name="count", value="0"))
    command = [sys.executable, "-c", COUNTER, database_url, "25"]
    running = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(8)]
    errors = [process.communicate(timeout=120)[1] for process in running]
    assert errors == [""] * 8
    with database.read() as session:
        assert session.scalar(select(State.value)) == "200"


@pytest.mark.parametrize(
    ("pragma", "value"),
    [
        pytest.param("journal_mode", "wal", id="write-ahead log"),
        pytest.param("synchronous", 2, id="FULL"),
        pytest.param("foreign_keys", 1, id="foreign keys"),
        pytest.param("secure_delete", 1, id="erased rows are overwritten"),
        pytest.param("busy_timeout", 20000, id="waits for the lock"),
        pytest.param("wal_autocheckpoint", 0, id="no checkpoint by itself"),
        pytest.param("mmap_size", 0, id="no memory map"),
    ],
)
def test_every_connection_has_its_pragmas(database: Database, pragma: str, value: object) -> None:
    if not database.is_sqlite:
        pytest.skip("pragmas are SQLite's")
    with database.read() as one, database.read() as two:
        for session in (one, two):
            assert session.scalar(text(f"PRAGMA {pragma}")) == value


def test_the_log_of_sqlite_does_not_grow_for_ever(database: Database) -> None:
    if not database.is_sqlite:
        pytest.skip("the write-ahead log is SQLite's")
    account = Account(id=new_id(), role="patient")
    with database.write() as session:
        session.add(account)
    sizes = []
    for _ in range(20):
        with database.write() as session:
            session.add(Answers(owner=account.id, document=b"x" * 1_000_000))
        sizes.append(database.log_bytes() or 0)
    assert max(sizes) < CHECKPOINT_BYTES + 2_000_000
    assert sizes.count(0) >= 3


@pytest.mark.parametrize("bad", ["a\0b", "\ud800", "x" * 256], ids=["NUL", "lone surrogate", "too long"])
def test_text_that_a_database_cannot_hold_is_refused(database: Database, bad: str) -> None:
    with database.write() as session, pytest.raises(UnstorableText):
        session.execute(select(Account).where(Account.email == bad))
    with pytest.raises(UnstorableText), database.write() as session:
        session.add(State(name="a", value=bad))


def test_times_come_back_in_utc(database: Database) -> None:
    noon = datetime(2026, 3, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    with database.write() as session:
        session.add(Audit(actor=None, owner="o", action="a", at=noon))
    with database.read() as session:
        at = session.scalar(select(Audit.at))
        assert at == noon
        assert at is not None
        assert at.tzinfo is UTC
        assert session.scalar(select(Audit.owner).where(Audit.at < noon + timedelta(seconds=1))) == "o"


def test_a_time_without_zone_is_refused(database: Database) -> None:
    with pytest.raises(Exception, match="needs a zone"), database.write() as session:
        session.add(Audit(actor=None, owner="o", action="a", at=datetime(2026, 3, 1)))  # noqa: DTZ001


def test_constraints_hold(database: Database) -> None:
    for wrong in (
        Account(role="administrator"),
        Photo(owner="nobody", format="jpeg", width_px=1, height_px=1),
        Treatment(owner="nobody", name=b"", started=datetime.now(UTC).date()),
    ):
        with pytest.raises(IntegrityError), database.write() as session:
            session.add(wrong)
