"""`python -m comedo.service.demo`: fill the store of the settings, which must be new; then `comedo serve` shows it.

A folder is filled beside its place and moved there when it is whole: an interrupted run leaves nothing half, and the
next one begins anew.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

from comedo.build import default_analyzer
from comedo.errors import ComedoError, UnusableInput
from comedo.service.database.engine import open_database
from comedo.service.database.migrate import migrate
from comedo.service.demo.fill import CLINICIAN, PASSWORD, PATIENT, fill
from comedo.service.demo.photos import demo_photos
from comedo.service.parts import Parts
from comedo.service.settings import Settings, read_settings
from comedo.service.storage.open import open_storage

_MORNING = time(8, 10, tzinfo=UTC)


def main() -> None:
    """Render, store and measure; about a minute on two cores."""
    settings = read_settings(accounts=True)
    sys.stdout.write("Rendering a person over twelve weeks and measuring each photo; this takes a minute …\n")
    sys.stdout.flush()
    try:
        with whole_or_not_at_all(settings.data_dir) as beside:
            _fill(settings.model_copy(update={"data_dir": beside}))
    except ComedoError as error:
        sys.exit(f"the demo needs a fresh store: {error}")
    sys.stdout.write(f"Sign in as {PATIENT} (patient) or {CLINICIAN} (clinician), password: {PASSWORD}\n")


def _fill(settings: Settings) -> None:
    database = open_database(settings.database, connections=2)
    try:
        migrate(database)
        parts = Parts(settings, database, open_storage(settings, database))
        yesterday = datetime.combine(datetime.now(UTC).date() - timedelta(days=1), _MORNING)
        fill(parts, default_analyzer(), demo_photos(yesterday))
    finally:
        database.close()


@contextmanager
def whole_or_not_at_all(folder: Path) -> Iterator[Path]:
    """A new folder beside one that is to be made; it takes its place when the block ends well.

    Raises:
        UnusableInput: The folder is there and not empty.
    """
    place = folder.absolute()
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise UnusableInput(f"{folder} holds something already; remove it, or name another folder")
    beside = place.with_name(f".{place.name}-unfinished")
    shutil.rmtree(beside, ignore_errors=True)  # of a run that was interrupted
    beside.mkdir(parents=True)
    yield beside
    if place.exists():
        place.rmdir()
    beside.replace(place)


if __name__ == "__main__":
    main()
