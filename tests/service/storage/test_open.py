"""Database, store and master key must belong together, or nothing is touched."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from comedo.errors import UnusableInput
from comedo.service.database.engine import Database
from comedo.service.database.tables import OwnerKey, State
from comedo.service.errors import WrongMasterKey, WrongStore
from comedo.service.storage.blobs import MARKER
from comedo.service.storage.folder import Folder
from comedo.service.storage.open import MAKING, STORE, join, open_storage
from comedo.service.storage.photos import read_photo, store_photos
from comedo.service.storage.rotation import rotate_master_key
from comedo.service.storage.vault import read_master_key
from service.places import MASTER_KEY, OTHER_KEY, add_owner, make_photo, make_settings, make_storage


def tree(folder: Path) -> dict[str, bytes | None]:
    """Everything but SQLite's own bookkeeping of who reads."""
    paths = (path for path in sorted(folder.rglob("*")) if path.suffix != ".sqlite-shm")
    return {str(path): path.read_bytes() if path.is_file() else None for path in paths}


def test_the_first_start_makes_a_store_that_the_next_finds(database: Database, tmp_path: Path) -> None:
    first = make_storage(database, tmp_path / "data")
    again = make_storage(database, tmp_path / "data")
    assert first.blobs.read_marker() == again.blobs.read_marker() is not None


@pytest.mark.parametrize("state", ["absent", "empty", "another store"])
def test_a_store_that_is_not_the_database_s_own_is_refused(database: Database, tmp_path: Path, state: str) -> None:
    make_storage(database, tmp_path / "data")
    photos = tmp_path / "data" / "photos"
    photos.rename(tmp_path / "away")
    if state != "absent":
        photos.mkdir()
    if state == "another store":
        Folder(photos).write_marker("0" * 32)
    before = tree(tmp_path)
    with pytest.raises(WrongStore, match="is the disk mounted"):
        make_storage(database, tmp_path / "data")
    assert tree(tmp_path) == before


def test_a_new_database_does_not_take_a_filled_store(database: Database, tmp_path: Path) -> None:
    Folder(tmp_path / "data" / "photos").write_marker("0" * 32)
    with pytest.raises(WrongStore, match="another database"):
        make_storage(database, tmp_path / "data")


@pytest.mark.parametrize("done", ["nothing", "marker"])
def test_a_first_start_that_was_killed_is_finished(database: Database, tmp_path: Path, done: str) -> None:
    vault, folder = read_master_key(MASTER_KEY), Folder(tmp_path / "photos")

    class Killed(Exception):
        pass

    class Dies(Folder):
        def write_marker(self, store_id: str) -> None:
            if done == "marker":
                super().write_marker(store_id)
            raise Killed

    with pytest.raises(Killed):
        join(database, Dies(folder.root), vault)
    join(database, folder, vault)
    with database.read() as session:
        assert session.get_one(State, STORE).value == session.get_one(State, MAKING).value == folder.read_marker()


def test_another_master_key_is_refused_and_no_file_touched(database: Database, tmp_path: Path) -> None:
    storage = make_storage(database, tmp_path / "data")
    owner = add_owner(storage)
    store_photos(storage, owner, [make_photo()], actor=owner)
    before = tree(tmp_path / "data")
    with pytest.raises(WrongMasterKey, match="nothing was changed"):
        make_storage(database, tmp_path / "data", master_key=OTHER_KEY)
    assert tree(tmp_path / "data") == before


def test_on_loopback_a_key_is_made_once_and_kept_private(database: Database, tmp_path: Path) -> None:
    settings = make_settings(tmp_path, master_key=None)
    one, two = open_storage(settings, database), open_storage(settings, database)
    assert one.vault == two.vault
    assert stat.S_IMODE(settings.key_file.stat().st_mode) == 0o600
    settings.key_file.unlink()
    with pytest.raises(WrongMasterKey, match="needs the one called"):
        open_storage(settings, database)
    assert not settings.key_file.exists()


def test_a_key_file_that_was_named_is_never_made(database: Database, tmp_path: Path) -> None:
    settings = make_settings(tmp_path, master_key=None, master_key_file=tmp_path / "absent")
    with pytest.raises(WrongMasterKey, match="there is no master key in"):
        open_storage(settings, database)
    (tmp_path / "absent").write_text("not a key")
    with pytest.raises(UnusableInput, match="32 bytes"):
        open_storage(settings, database)
    assert not (tmp_path / "photos" / MARKER).exists()


def test_after_a_rotation_the_new_key_opens_everything(database: Database, tmp_path: Path) -> None:
    storage = make_storage(database, tmp_path / "data")
    owner = add_owner(storage)
    (stored,) = store_photos(storage, owner, [make_photo(3)], actor=owner)
    before = tree(tmp_path / "data" / "photos")
    assert rotate_master_key(database, storage.vault, read_master_key(OTHER_KEY)) == 1
    assert tree(tmp_path / "data" / "photos") == before
    with pytest.raises(WrongMasterKey):
        make_storage(database, tmp_path / "data")
    again = make_storage(database, tmp_path / "data", master_key=OTHER_KEY)
    with database.read() as session:
        assert read_photo(again, session, stored.photo) == make_photo(3).data


def test_a_rotation_from_a_wrong_key_changes_nothing(database: Database, tmp_path: Path) -> None:
    storage = make_storage(database, tmp_path / "data")
    owner = add_owner(storage)
    with database.read() as session:
        before = session.get_one(OwnerKey, owner).wrapped
    wrong = read_master_key(OTHER_KEY)
    with pytest.raises(WrongMasterKey):
        rotate_master_key(database, wrong, wrong)
    with database.read() as session:
        assert session.get_one(OwnerKey, owner).wrapped == before
