"""A person may choose which photo later ones are compared with."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """A person may choose which photo later ones are compared with."""
    op.add_column("photo", sa.Column("baseline", sa.Boolean(), nullable=True))
