"""Write the script that takes the newest migrated tables to those of tables.py."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from alembic import command

from comedo.service.database.engine import open_database
from comedo.service.database.migrate import configure, migrate

with tempfile.TemporaryDirectory() as folder:
    database = open_database(f"sqlite:///{Path(folder) / 'comedo.sqlite'}")
    migrate(database)
    with database.engine.begin() as connection:
        number = f"{len(list(Path(__file__).parent.glob('versions/0*.py'))) + 1:04d}"
        command.revision(configure(connection), message=sys.argv[1], autogenerate=True, rev_id=number)
    database.close()
