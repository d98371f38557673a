"""Run by Alembic: on the connection, and in the transaction, of `migrate`."""

from alembic import context

from comedo.service.database.migrations.rendering import render_column
from comedo.service.database.tables import Account

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Account.metadata,
    render_as_batch=True,  # SQLite changes a table by making it anew
    render_item=render_column,
)
context.run_migrations()
