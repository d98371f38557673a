"""How many entries of a kind an account may have: more than anybody needs, so that nobody fills the database."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from comedo.service.database.accounts import lock_account
from comedo.service.database.columns import Base
from comedo.service.database.tables import Advice, Answers, ApiToken, Consent, Correction, Note, Treatment, Visit
from comedo.service.errors import QuotaExceeded

MOST: Mapping[type[Base], int] = MappingProxyType(
    {
        Note: 5000,  # of one author about one person
        Visit: 2000,
        Advice: 2000,
        Answers: 1000,
        Consent: 1000,  # withdrawn ones too: they stay as a record
        Correction: 1000,  # of one reviewer about one person
        Treatment: 500,
        ApiToken: 50,
    }
)


def need_room(session: Session, kind: type[Base], account: str, *which: ColumnElement[bool]) -> None:
    """See that one more fits, before it is added in this transaction.

    Args:
        session: That will add it.
        kind: Of entry.
        account: Whose; two additions at once wait for each other.
        which: Conditions on the entries that count.

    Raises:
        QuotaExceeded: There are as many as there may be.
        NotThere: There is no such account.
    """
    lock_account(session, account)
    count = session.scalar(select(func.count()).select_from(kind).where(*which)) or 0
    if count >= MOST[kind]:
        name = kind.__tablename__.replace("_", " ")
        raise QuotaExceeded(f"there are {count} entries of the kind {name} already, which is the most for one account")
