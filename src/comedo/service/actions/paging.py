"""Lists in pieces: newest first, each piece beginning after the last row of the one before."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from comedo.service.problems import Problem

MOST = 200
Row = TypeVar("Row")


def piece(
    session: Session,
    rows: Select[Row],
    by: tuple[InstrumentedAttribute[datetime], InstrumentedAttribute[str]],
    *,
    limit: int,
    cursor: str | None,
) -> tuple[Sequence[Row], str | None]:
    """Some rows, and the cursor of those that follow; None: there are none.

    Args:
        session: To read in.
        rows: What is listed.
        by: Columns of the time and the id that give the order.
        limit: How many at most.
        cursor: From the piece before; None: from the start.

    Raises:
        Problem: The cursor is none of ours.
    """
    if cursor is not None:
        rows = rows.where(tuple_(*by) < _read(cursor))
    wanted = rows.order_by(by[0].desc(), by[1].desc()).limit(min(limit, MOST) + 1)
    found = session.scalars(wanted).all()
    if len(found) <= min(limit, MOST):
        return found, None
    shown = found[:-1]
    return shown, _write(getattr(shown[-1], by[0].key), getattr(shown[-1], by[1].key))


def _write(time: datetime, row_id: str) -> str:
    return urlsafe_b64encode(f"{time.isoformat()} {row_id}".encode()).decode()


def _read(cursor: str) -> Any:
    try:
        time, _, row_id = urlsafe_b64decode(cursor.encode("ascii")).decode("ascii").partition(" ")
        when = datetime.fromisoformat(time)
    except ValueError:
        when, row_id = datetime.min, ""  # noqa: DTZ901 - refused in the next line
    if when.tzinfo is None or len(row_id) != 32:
        raise Problem("invalid", "cursor must be the `next` of a list", fields={"cursor": "is none of this service's"})
    return (when, row_id)
