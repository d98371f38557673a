"""Alembic's scripts. A new one: `python -m comedo.service.database.migrations "what changes"`."""
