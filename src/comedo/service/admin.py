"""What `comedo admin` does beyond one call."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from comedo.errors import UnusableInput
from comedo.service.accounts.passwords import check_password, hash_password
from comedo.service.database.columns import new_id
from comedo.service.database.engine import open_database
from comedo.service.database.tables import Account
from comedo.service.settings import Settings
from comedo.service.storage.open import open_blobs, open_vault
from comedo.service.storage.restore import Restored, restore
from comedo.service.storage.store import Storage


def add_clinician(storage: Storage, email: str, name: str, locale: str, password: str) -> str:
    """Make a clinician's account; returns its id.

    Raises:
        UnusableInput: The address is taken, or no address; the password is too weak.
    """
    address = email.strip().lower()
    if address.count("@") != 1 or " " in address:
        raise UnusableInput(f"{email!r} is no e-mail address; give one like ada@clinic.example")
    check_password(password, email=address)
    account = Account(
        id=new_id(), role="clinician", email=address, name=name, locale=locale, password_hash=hash_password(password)
    )
    with storage.database.write() as session:
        if session.scalar(select(Account.id).where(Account.email == address)) is not None:
            raise UnusableInput(f"there is an account {address} already; choose another address")
        session.add(account)
        storage.vault.make_key(session, account.id)
    return account.id


def restore_into(settings: Settings, folder: Path, key_file: Path) -> Restored:
    """Restore a backup into the empty place of the settings."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    database = open_database(settings.database)
    try:
        return restore(database, open_blobs(settings), open_vault(settings), folder, key_file)
    finally:
        database.close()
