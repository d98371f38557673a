"""Rows: tables, the engine with its transactions, migrations, jobs."""
