"""Bringing the tables of a database to this version's, at every start; killed in the middle it changes nothing."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from comedo.errors import UnusableInput
from comedo.service.database.engine import Database

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK = 0x636F6D65646F  # "comedo": PostgreSQL's advisory lock while migrating


def migrate(database: Database, *, to: str = "head") -> None:
    """Upgrade in one transaction; of several processes that start at once, one does it.

    Raises:
        UnusableInput: A newer version of comedo has upgraded this database, or it does not answer.
    """
    with _connected(database.engine.execution_options(comedo_migrates=True)) as connection:
        with connection.begin():
            if not database.is_sqlite:
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
            _check_known(connection)
            command.upgrade(configure(connection), to)
            check_parents(connection)
        connection.invalidate()  # SQLite: its foreign keys were off


def _connected(engine: Engine) -> Connection:
    try:
        return engine.connect()
    except OperationalError as error:
        raise UnusableInput(
            f"the database at {engine.url.host or engine.url.database} does not answer; "
            "is it running, and is COMEDO_DATABASE_URL right?"
        ) from error


def check_parents(connection: Connection) -> None:
    """See that no row lost the row it refers to: SQLite's foreign keys are off while tables are made anew."""
    if connection.dialect.name == "sqlite":
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
        assert not broken, f"the migration left rows without their parents: {broken[:3]}"


def revision(connection: Connection) -> str | None:
    """The revision that a database is at; None: it is empty."""
    return MigrationContext.configure(connection).get_current_revision()


def newest() -> str:
    """The revision of this version of comedo."""
    return str(ScriptDirectory.from_config(configure()).get_current_head())


def _check_known(connection: Connection) -> None:
    there = revision(connection)
    known = {script.revision for script in ScriptDirectory.from_config(configure()).walk_revisions()}
    if there is not None and there not in known:
        raise UnusableInput(
            f"the database is at revision {there}, which this version of comedo does not know; "
            "install the newer version again, or restore a backup of before the upgrade"
        )


def configure(connection: Connection | None = None) -> Config:
    """Alembic's settings, for the scripts of this package."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config
