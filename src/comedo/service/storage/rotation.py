"""Another master key: the data keys are wrapped anew, in one transaction; no file is touched."""

from __future__ import annotations

from sqlalchemy import select

from comedo.service.database.engine import Database
from comedo.service.database.tables import OwnerKey, State
from comedo.service.storage.open import MASTER
from comedo.service.storage.vault import Vault


def rotate_master_key(database: Database, old: Vault, new: Vault) -> int:
    """Wrap every data key by `new`; returns how many. The service must not run meanwhile: it holds the old key.

    Raises:
        WrongMasterKey: `old` does not open one of them; nothing was changed.
    """
    with database.write() as session:
        rows = session.scalars(select(OwnerKey).where(OwnerKey.wrapped.is_not(None)).with_for_update()).all()
        for row in rows:
            key = old.unwrap(row)
            row.wrapped, row.master = new.wrap(key), new.fingerprint
            assert new.unwrap(row) == key
        session.merge(State(name=MASTER, value=new.fingerprint))
    return len(rows)
