"""An analysis keeps the candidates below the cut-off, which comparisons over time ask for."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Faint lesions; analyses that are there have none."""
    op.add_column("analysis", sa.Column("faint", sa.LargeBinary(), nullable=True))
