"""One change of an account's data at a time."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from comedo.service.database.tables import Account
from comedo.service.errors import NotThere


def lock_account(session: Session, owner: str) -> Account:
    """The account's row, which nobody else changes or removes until the transaction ends.

    Raises:
        NotThere: There is no such account.
    """
    account = session.scalar(select(Account).where(Account.id == owner).with_for_update())
    if account is None:
        raise NotThere(f"there is no account {owner}")
    return account
