"""`python -m comedo.service.demo`: fill the store of the settings, which must be new; then `comedo serve` shows it."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, time, timedelta

from comedo.build import default_analyzer
from comedo.errors import ComedoError
from comedo.service.database.engine import open_database
from comedo.service.database.migrate import migrate
from comedo.service.demo.fill import CLINICIAN, PASSWORD, PATIENT, fill
from comedo.service.demo.photos import demo_photos
from comedo.service.parts import Parts
from comedo.service.settings import read_settings
from comedo.service.storage.open import open_storage

_MORNING = time(8, 10, tzinfo=UTC)


def main() -> None:
    """Render, store and measure; about a minute on two cores."""
    settings = read_settings(accounts=True)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    database = open_database(settings.database, connections=2)
    migrate(database)
    parts = Parts(settings, database, open_storage(settings, database))
    yesterday = datetime.combine(datetime.now(UTC).date() - timedelta(days=1), _MORNING)
    sys.stdout.write("Rendering a person over twelve weeks and measuring each photo; this takes a minute …\n")
    try:
        fill(parts, default_analyzer(), demo_photos(yesterday))
    except ComedoError as error:
        sys.exit(f"the demo needs a fresh store, {settings.data_dir} holds one: {error}")
    finally:
        database.close()
    sys.stdout.write(f"Sign in as {PATIENT} (patient) or {CLINICIAN} (clinician), password: {PASSWORD}\n")


if __name__ == "__main__":
    main()
