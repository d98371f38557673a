"""Backups: taken while the service runs, restored into an empty place of either kind, without the erased."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from sqlalchemy import func, select

from comedo.errors import UnusableInput
from comedo.service.database.audit import record
from comedo.service.database.columns import Base, new_id
from comedo.service.database.engine import Database, open_database
from comedo.service.database.tables import (
    Account,
    Analysis,
    ApiToken,
    Audit,
    Blob,
    Consent,
    OwnerKey,
    Photo,
    WebSession,
)
from comedo.service.errors import MissingFile, WrongMasterKey
from comedo.service.storage.about import faint_about
from comedo.service.storage.backup import back_up
from comedo.service.storage.blobs import blob_name
from comedo.service.storage.folder import DRAFTS, Folder
from comedo.service.storage.photos import read_photo, store_photos
from comedo.service.storage.removal import delete_photo, erase_owner
from comedo.service.storage.restore import Restored, restore
from comedo.service.storage.rotation import rotate_master_key
from comedo.service.storage.store import Storage
from comedo.service.storage.vault import read_master_key
from comedo.service.storage.verify import verify
from service.conftest import MakeUrl
from service.places import MASTER_KEY, NOON, OTHER_KEY, add_owner, make_photo, make_storage


def fill(storage: Storage, *numbers: int) -> tuple[str, list[str]]:
    owner = add_owner(storage, email=f"{new_id()}@example.org")
    photos = [make_photo(number, taken_at=NOON, note="ä") for number in numbers]
    stored = [one.photo for one in store_photos(storage, owner, photos, actor=owner)]
    with storage.database.write() as session:
        key, made = storage.vault.key_of(session, owner), new_id()
        document = key.seal_json({"a": 1}, about=made)
        faint = key.seal_json([[1.5, 2.5, 0.03]], about=faint_about(made))
        session.add(Analysis(id=made, owner=owner, photo=stored[0], models="m", document=document, faint=faint))
        session.add(WebSession(token_sha256=new_id() * 2, account=owner, expires=NOON))
        record(session, actor=owner, owner=owner, action="photo.read", object_id=stored[0])
    return owner, stored


def rows(database: Database) -> dict[str, list[tuple[object, ...]]]:
    left_out = ("session", "rate_bucket")
    with database.read() as session:
        return {
            table.name: sorted((tuple(row) for row in session.execute(select(table))), key=repr)
            for table in Base.metadata.sorted_tables
            if table.name not in left_out
        }


@dataclass
class Target:
    """An empty place to restore the test's one backup into."""

    folder: Path
    url: str
    backup: Path
    opened: list[Database] = field(default_factory=list)

    def restore(self, *, key: str = MASTER_KEY) -> tuple[Restored, Storage]:
        self.opened.append(open_database(self.url))
        blobs, keys = Folder(self.folder / "photos"), self.backup.with_name("keys.json")
        done = restore(self.opened[-1], blobs, read_master_key(key), self.backup, keys)
        return done, make_storage(self.opened[-1], self.folder, master_key=key)


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    """Where the backup and its keys go."""
    return tmp_path / "backup", tmp_path / "keys.json"


@pytest.fixture
def target(storage: Storage, new_url: MakeUrl, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Target]:
    kinds = ("sqlite", "postgresql") if storage.database.is_sqlite else ("postgresql", "sqlite")
    made = Target(tmp_path / "restored", new_url(kinds[getattr(request, "param", 0)]), tmp_path / "backup")
    yield made
    for database in made.opened:
        database.close()


@pytest.mark.parametrize("target", [0, 1], ids=["same kind", "other kind"], indirect=True)
def test_a_backup_restores_with_every_photo_and_row(
    storage: Storage, places: tuple[Path, Path], target: Target
) -> None:
    (_, one), (_, two) = fill(storage, 1, 2), fill(storage, 3)
    made = back_up(storage, *places)
    assert (made.rows["photo"], len(made.files)) == (3, 3)
    done, back = target.restore()
    assert (done.files, done.erased) == (3, 0)
    assert rows(back.database) == rows(storage.database)
    with back.database.read() as session:
        assert [read_photo(back, session, p) for p in (*one, *two)] == [make_photo(n).data for n in (1, 2, 3)]
        assert session.scalars(select(WebSession)).all() == []
    assert list(verify(back)) == []


def test_the_backup_alone_opens_nothing(storage: Storage, places: tuple[Path, Path]) -> None:
    owner, _ = fill(storage, 1)
    back_up(storage, *places)
    with storage.database.read() as session:
        secret = storage.vault.key_of(session, owner).secret
        wrapped = session.get_one(OwnerKey, owner).wrapped
    written = b"".join(path.read_bytes() for path in places[0].rglob("*") if path.is_file())
    assert secret not in written
    assert wrapped is not None
    assert wrapped not in written
    assert make_photo(1).data[:8] not in written


def test_who_was_erased_since_does_not_come_back(
    storage: Storage, places: tuple[Path, Path], target: Target, tmp_path: Path
) -> None:
    (erased, gone), (_, stays) = fill(storage, 1), fill(storage, 2)
    back_up(storage, *places)
    erase_owner(storage, erased)
    back_up(storage, tmp_path / "the next day", places[1])
    done, back = target.restore()
    assert (done.files, done.erased) == (1, 1)
    with back.database.read() as session:
        assert session.get(Account, erased) is None
        assert session.get(Photo, gone[0]) is None
        assert session.get_one(OwnerKey, erased).wrapped is None
        assert session.scalar(select(func.count()).where(Audit.owner == erased)) == 0
        assert read_photo(back, session, stays[0]) == make_photo(2).data
    assert list(verify(back)) == []


class DeletesMeanwhile:
    """A store in which a photo is deleted after the rows were copied, before its file is."""

    def __init__(self, storage: Storage, photo: str) -> None:
        self.storage, self.photo = storage, photo

    def get(self, name: str) -> bytes:
        if self.photo:
            photo, self.photo = self.photo, ""
            delete_photo(self.storage, photo, actor=None)
        return self.storage.blobs.get(name)

    def __getattr__(self, name: str) -> object:
        return getattr(self.storage.blobs, name)


def test_a_photo_deleted_during_the_backup_is_no_error(
    storage: Storage, places: tuple[Path, Path], target: Target
) -> None:
    _, (photo, other) = fill(storage, 1, 2)
    watched = Storage(storage.database, DeletesMeanwhile(storage, photo), storage.vault, storage.limits)  # type: ignore[arg-type]
    made = back_up(watched, *places)
    assert (len(made.files), len(made.deleted_meanwhile)) == (1, 1)
    _, back = target.restore()
    with back.database.read() as session:
        assert session.get_one(Photo, photo).blob is None
        assert read_photo(back, session, other) == make_photo(2).data
    assert list(verify(back)) == []


def test_a_lost_file_stops_the_backup(storage: Storage, tmp_path: Path, places: tuple[Path, Path]) -> None:
    fill(storage, 1)
    with storage.database.read() as session:
        blob = session.scalars(select(Blob)).one()
    (tmp_path / "data" / "photos" / blob_name(blob.owner, blob.id)).unlink()
    with pytest.raises(MissingFile):
        back_up(storage, *places)
    assert not (places[0] / "manifest.json").exists()


@pytest.mark.parametrize("where", ["rows/photo.jsonl", "file", "manifest.json"])
def test_a_damaged_backup_is_refused(storage: Storage, places: tuple[Path, Path], target: Target, where: str) -> None:
    fill(storage, 1)
    made = back_up(storage, *places)
    path = places[0] / (f"files/{next(iter(made.files))}" if where == "file" else where)
    path.write_bytes(path.read_bytes()[:-2] + b"x\n")
    with pytest.raises(Exception, match=r"not as it was written|not what this version"):
        target.restore()


def test_an_interrupted_restore_can_be_repeated(storage: Storage, places: tuple[Path, Path], target: Target) -> None:
    fill(storage, 1, 2)
    made = back_up(storage, *places)
    last = places[0] / "files" / sorted(made.files)[-1]
    last.rename(places[0] / "hidden")
    with pytest.raises(MissingFile):
        target.restore()
    (places[0] / "hidden").rename(last)
    (target.folder / "photos" / DRAFTS / last.name).write_bytes(b"half a ph")  # as a killed one leaves it
    _, back = target.restore()
    assert list(verify(back)) == []
    with pytest.raises(UnusableInput, match="into an empty one"):
        target.restore()


def test_rights_end_with_a_restore(storage: Storage, places: tuple[Path, Path], target: Target) -> None:
    """What was taken back after the backup would come back with it: a revoked token, a withdrawn consent."""
    owner, _ = fill(storage, 1)
    doctor = add_owner(storage)
    with storage.database.write() as session:
        token = ApiToken(account=owner, name="phone", token_sha256="0" * 64, scopes=["read"])
        consents = [Consent(patient=owner, clinician=doctor, withdrawn=when) for when in (NOON, None)]
        session.add_all([token, *consents])
    back_up(storage, *places)
    done, back = target.restore()
    assert (done.tokens, done.consents) == (1, 1)
    with back.database.read() as session:
        assert session.get_one(ApiToken, token.id).revoked is not None
        earlier, standing = (session.get_one(Consent, consent.id).withdrawn for consent in consents)
        told = select(Audit.action, Audit.object_id).where(Audit.owner == owner, Audit.actor.is_(None))
        assert {(row.action, row.object_id) for row in session.execute(told)} == {
            ("token.revoke", token.id),
            ("consent.withdraw", consents[1].id),
        }
    assert earlier == NOON
    assert standing is not None


def test_a_backup_from_before_a_rotation_opens_with_the_newest_keys(
    storage: Storage, places: tuple[Path, Path], target: Target, tmp_path: Path
) -> None:
    _, (photo,) = fill(storage, 1)
    back_up(storage, *places)
    rotate_master_key(storage.database, storage.vault, read_master_key(OTHER_KEY))
    back_up(replace(storage, vault=read_master_key(OTHER_KEY)), tmp_path / "the next day", places[1])
    _, back = target.restore(key=OTHER_KEY)
    with back.database.read() as session:
        assert read_photo(back, session, photo) == make_photo(1).data


def test_keys_of_another_master_key_are_refused(storage: Storage, places: tuple[Path, Path], target: Target) -> None:
    fill(storage, 1)
    back_up(storage, *places)
    with pytest.raises(WrongMasterKey, match="nothing was changed"):
        target.restore(key=OTHER_KEY)
    assert not target.folder.exists()


@pytest.mark.parametrize("place", ["a filled folder", "keys within the backup", "another's keys"])
def test_unsafe_places_are_refused(storage: Storage, tmp_path: Path, places: tuple[Path, Path], place: str) -> None:
    backup, keys = places
    if place == "a filled folder":
        backup.mkdir()
        (backup / "something").touch()
    elif place == "keys within the backup":
        keys = backup / "keys.json"
    else:
        back_up(storage, tmp_path / "before", keys)
        keys.write_text(keys.read_text().replace(storage.blobs.read_marker() or "", "0" * 32))
    with pytest.raises(UnusableInput, match=r"new folder|apart from all backups|another installation"):
        back_up(storage, backup, keys)
