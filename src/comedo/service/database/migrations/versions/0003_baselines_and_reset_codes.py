"""A person may choose which photo later ones are compared with; codes for a new password."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """A chosen baseline, and codes for a new password."""
    op.add_column("photo", sa.Column("baseline", sa.Boolean(), nullable=True))
    op.create_table(
        "reset_code",
        sa.Column("code_sha256", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=32), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account"], ["account.id"], name=op.f("fk_reset_code_account_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("code_sha256", name=op.f("pk_reset_code")),
    )
    op.create_index(op.f("ix_reset_code_account"), "reset_code", ["account"])
