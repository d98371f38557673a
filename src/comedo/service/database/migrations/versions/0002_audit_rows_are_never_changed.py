"""Audit rows are never changed."""

from alembic import op

revision = "0002"
down_revision = "0001"

SQLITE = (
    """
    CREATE TRIGGER audit_never_changed BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'audit rows are never changed'); END
    """,
)
POSTGRESQL = (
    """
    CREATE FUNCTION audit_never_changed() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'audit rows are never changed'; END $$
    """,
    "CREATE TRIGGER audit_never_changed BEFORE UPDATE ON audit EXECUTE FUNCTION audit_never_changed()",
)


def upgrade() -> None:
    """Audit rows are never changed."""
    for statement in SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRESQL:
        op.execute(statement)
