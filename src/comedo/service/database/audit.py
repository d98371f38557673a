"""The audit log: rows are added, in the transaction of what they tell of."""

from __future__ import annotations

from sqlalchemy.orm import Session

from comedo.service.database.tables import Audit


def record(
    session: Session,
    *,
    actor: str | None,
    owner: str,
    action: str,
    object_id: str | None = None,
    address: str | None = None,
) -> None:
    """Note who did what to whose data; `actor` None is the service itself."""
    session.add(Audit(actor=actor, owner=owner, action=action, object_id=object_id, address=address))
