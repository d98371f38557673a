"""Opening a storage: database, store and master key must belong together, else nothing is touched."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from sqlalchemy.orm import Session

from comedo.service.database.columns import new_id
from comedo.service.database.engine import Database
from comedo.service.database.tables import State
from comedo.service.errors import WrongMasterKey, WrongStore
from comedo.service.settings import Settings
from comedo.service.storage.blobs import BlobStore
from comedo.service.storage.bucket import open_bucket
from comedo.service.storage.folder import Folder, sync_folder, write_synced
from comedo.service.storage.store import Limits, Storage
from comedo.service.storage.vault import Vault, make_master_key, read_master_key

STORE, MAKING, MASTER = "store", "store_being_made", "master_key"


def open_storage(settings: Settings, database: Database) -> Storage:
    """The storage of the settings; makes an empty one at the first start.

    Raises:
        WrongStore: The folder or bucket is empty, or another database's.
        WrongMasterKey: The master key is another one, or missing.
        UnusableInput: The master key is not one.
    """
    with database.read() as session:
        known = _state(session, MASTER)
    vault, blobs = open_vault(settings, known=known), open_blobs(settings)
    join(database, blobs, vault)
    limits = Limits(settings.quota_photos, settings.quota_bytes, settings.min_free_bytes, settings.queue_limit)
    return Storage(database, blobs, vault, limits)


def join(database: Database, blobs: BlobStore, vault: Vault) -> None:
    """See that the three belong together; at the first start make it so, in steps that can be repeated after a kill.

    Raises:
        WrongStore, WrongMasterKey: They do not.
    """
    marker = blobs.read_marker()
    with database.write() as session:
        store, making = _state(session, STORE), _state(session, MAKING)
        if store is None and making is None:
            if marker is not None:
                raise WrongStore(
                    f"the store is that of another database (store {marker}, this database has none); "
                    "restore its database, or choose an empty place"
                )
            making = new_id()
            session.add_all([State(name=MAKING, value=making), State(name=MASTER, value=vault.fingerprint)])
        master = _state(session, MASTER)
    if master != vault.fingerprint:
        raise WrongMasterKey(
            f"this database belongs to master key {master}, the settings give {vault.fingerprint}; nothing was changed"
        )
    if store is None:
        assert making is not None
        if marker is None:
            blobs.write_marker(making)
        store, marker = making, blobs.read_marker()
        with database.write() as session:
            session.merge(State(name=STORE, value=store))
    if marker != store:
        raise WrongStore(
            f"the store of this database is {store}, found {marker or 'an empty place'}; is the disk mounted, and are "
            "COMEDO_DATA_DIR or COMEDO_S3_BUCKET right? Nothing was changed"
        )


def _state(session: Session, name: str) -> str | None:
    row = session.get(State, name)
    return None if row is None else row.value


def open_blobs(settings: Settings) -> BlobStore:
    """The folder or bucket of the settings, whether or not it is a store yet."""
    return open_bucket(settings) if settings.store == "s3" else Folder(settings.data_dir / "photos")


def open_vault(settings: Settings, *, known: str | None = None) -> Vault:
    """The vault of the settings' master key; where none is given, the key file's, which a first start makes.

    Args:
        known: Fingerprint of the key that is needed, where there is something that it sealed.

    Raises:
        WrongMasterKey: There is no key, and a new one would not do.
        UnusableInput: It is not one.
    """
    if settings.master_key is not None:
        return read_master_key(settings.master_key.get_secret_value())
    path = settings.key_file
    if path.exists():
        return read_master_key(path.read_text("utf-8", "replace"))
    if known is not None or settings.master_key_file is not None:
        raise WrongMasterKey(
            f"there is no master key in {path}"
            + ("" if known is None else f", and this database needs the one called {known}")
            + "; set COMEDO_MASTER_KEY or COMEDO_MASTER_KEY_FILE"
        )
    return _make_key_file(path)


def _make_key_file(path: Path) -> Vault:
    """A new key in its file; of two first starts at once, the one that comes later takes the other's key."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{new_id()}")
    write_synced(draft, make_master_key().encode() + b"\n")
    with suppress(FileExistsError):
        path.hardlink_to(draft)
    draft.unlink()
    sync_folder(path.parent)
    return read_master_key(path.read_text("ascii"))
