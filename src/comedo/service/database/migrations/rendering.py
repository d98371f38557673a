"""How Alembic writes our columns down: as plain types, so that an old script never meets today's code."""

from __future__ import annotations

from typing import Any, Literal

from alembic.autogenerate.api import AutogenContext
from sqlalchemy import TypeDecorator


def render_column(kind: str, item: Any, context: AutogenContext) -> str | Literal[False]:  # noqa: ARG001
    """Types of ours by what they are made of; everything else as Alembic does it."""
    if kind == "type" and isinstance(item, TypeDecorator):
        return f"sa.{item.impl!r}"
    return False
