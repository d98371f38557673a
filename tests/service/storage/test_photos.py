"""Storing, reading and removing photos."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from comedo.service.database.columns import Base, new_id, now
from comedo.service.database.tables import (
    Account,
    Analysis,
    Audit,
    Blob,
    Change,
    ChangePhoto,
    Idempotency,
    Job,
    OwnerKey,
    Photo,
    Receipt,
)
from comedo.service.errors import (
    ErasedOwner,
    IdempotencyConflict,
    LeaseLost,
    MissingFile,
    NotThere,
    PhotoGone,
    QueueFull,
    QuotaExceeded,
    StoreFull,
    Unreadable,
    WrongStore,
)
from comedo.service.storage.blobs import MARKER, blob_name
from comedo.service.storage.folder import DRAFTS
from comedo.service.storage.photos import read_photo, store_photos
from comedo.service.storage.recovery import recover, sweep
from comedo.service.storage.removal import delete_photo, drop_picture, erase_owner
from comedo.service.storage.store import Storage, Stored
from service.places import JPEG, NOON, add_owner, make_photo


def keep(storage: Storage, owner: str, *numbers: int, **more: object) -> list[Stored]:
    photos = [make_photo(number) for number in numbers or (0,)]
    return store_photos(storage, owner, photos, actor=owner, **more)  # type: ignore[arg-type]


def read(storage: Storage, photo: str) -> bytes:
    with storage.database.read() as session:
        return read_photo(storage, session, photo)


def count(storage: Storage, *tables: type[Base]) -> list[int]:
    with storage.database.read() as session:
        return [session.scalar(select(func.count()).select_from(table)) or 0 for table in tables]


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and path.name != MARKER)


def blob_path(storage: Storage, folder: Path, photo: str) -> Path:
    with storage.database.read() as session:
        row = session.get_one(Photo, photo)
        assert row.blob is not None
        return folder / blob_name(row.owner, row.blob)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "photos"


def test_a_stored_photo_is_there_with_its_job_and_audit_row(storage: Storage, owner: str, folder: Path) -> None:
    photo = make_photo(view="left", taken_at=NOON, mirrored=False, note="after a week")
    (stored,) = store_photos(storage, owner, [photo], actor=owner, address="127.0.0.1")
    assert stored.created
    assert read(storage, stored.photo) == photo.data
    with storage.database.read() as session:
        row, job = session.get_one(Photo, stored.photo), session.get_one(Job, stored.job)
        assert (row.owner, row.view, row.taken_at, row.mirrored) == (owner, "left", NOON, False)
        assert (job.kind, job.photo, job.state, job.owner) == ("analyze", stored.photo, "queued", owner)
        assert row.note is not None
        assert storage.vault.key_of(session, owner).open_text(row.note, about=row.id) == "after a week"
        audit = session.scalars(select(Audit)).one()
        assert (audit.action, audit.object_id, audit.address) == ("photo.add", stored.photo, "127.0.0.1")
    assert len(files(folder)) == 1


def test_nothing_of_a_photo_or_note_shows_on_the_disk(storage: Storage, owner: str, tmp_path: Path) -> None:
    store_photos(storage, owner, [make_photo(note="seen by Dr. Zwetschge")], actor=owner)
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert JPEG[:4] not in written
    assert b"nobody else" not in written
    assert b"Zwetschge" not in written


def test_the_same_bytes_of_the_same_owner_are_one_photo(storage: Storage, owner: str, folder: Path) -> None:
    first, again, twin = keep(storage, owner)[0], *keep(storage, owner, 0, 0)
    assert again == twin == replace(first, created=False)
    assert keep(storage, add_owner(storage))[0].photo != first.photo
    assert len(files(folder)) == 2
    assert count(storage, Blob, Photo, Job) == [2, 2, 2]


def test_twins_in_one_batch_are_one_photo(storage: Storage, owner: str, folder: Path) -> None:
    one, twin, other = keep(storage, owner, 1, 1, 2)
    assert (one.photo, one.created, twin.created, other.created) == (twin.photo, True, False, True)
    assert len(files(folder)) == 2
    assert count(storage, Blob, Photo) == [2, 2]


def test_uploads_at_once_of_the_same_bytes_are_one_photo(storage: Storage, owner: str, folder: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        stored = list(pool.map(lambda _: keep(storage, owner)[0], range(4)))
    assert len({one.photo for one in stored}) == 1
    assert [one.created for one in stored].count(True) == 1
    assert len(files(folder)) == 1
    assert count(storage, Blob, Photo, Job) == [1, 1, 1]


def test_a_key_gives_the_same_answer_again(storage: Storage, owner: str) -> None:
    first = keep(storage, owner, 1, 2, key="k")
    assert keep(storage, owner, 1, 2, key="k") == first
    assert keep(storage, add_owner(storage), 1, 2, key="k") != first
    with pytest.raises(IdempotencyConflict):
        keep(storage, owner, 1, key="k")
    assert count(storage, Idempotency) == [2]


def test_uploads_at_once_with_one_key_are_one_result(storage: Storage, owner: str, folder: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: keep(storage, owner, 1, 2, key="k"), range(4)))
    assert answers == [answers[0]] * 4
    assert len(files(folder)) == 2


@pytest.mark.parametrize(
    ("limits", "error"),
    [
        pytest.param({"photos": 2}, QuotaExceeded, id="photos"),
        pytest.param({"bytes": 200}, QuotaExceeded, id="bytes"),
        pytest.param({"free_bytes": 10**15}, StoreFull, id="room on the disk"),
        pytest.param({"jobs": 1}, QueueFull, id="jobs that wait"),
    ],
)
def test_what_is_too_much_leaves_nothing(
    storage: Storage, owner: str, folder: Path, limits: dict[str, int], error: type[Exception]
) -> None:
    tight = replace(storage, limits=replace(storage.limits, **limits))
    with pytest.raises(error):
        keep(tight, owner, 1, 2, 3)
    assert files(folder) == []
    assert count(storage, Blob, Photo, Job, Audit) == [0, 0, 0, 0]


def test_nobody_stores_for_an_owner_who_is_not_there(storage: Storage) -> None:
    with pytest.raises(NotThere):
        keep(storage, new_id())


class Interrupted:
    """A store in which something happens once a file is written."""

    def __init__(self, storage: Storage) -> None:
        self.storage, self.blobs = replace(storage, blobs=self), storage.blobs

    def put(self, name: str, data: bytes) -> None:
        self.blobs.put(name, data)
        self.happens()

    def happens(self) -> None:
        raise OSError("the cable")

    def __getattr__(self, name: str) -> object:
        return getattr(self.blobs, name)


def test_a_failure_after_the_file_takes_it_back(storage: Storage, owner: str, folder: Path) -> None:
    with pytest.raises(OSError, match="the cable"):
        keep(Interrupted(storage).storage, owner, 1, 2)
    assert files(folder) == []
    assert count(storage, Blob, Photo, Job) == [0, 0, 0]


def test_an_owner_erased_during_an_upload_leaves_nothing(storage: Storage, owner: str, folder: Path) -> None:
    interrupted = Interrupted(storage)
    receipts: list[str] = []
    interrupted.happens = lambda: receipts.append(erase_owner(storage, owner))  # type: ignore[method-assign]
    with pytest.raises(NotThere):
        keep(interrupted.storage, owner)
    assert files(folder) == []
    assert count(storage, Blob, Photo) == [0, 0]
    with storage.database.read() as session:
        assert session.get_one(Receipt, receipts[0]).done is not None


def test_a_receipt_waits_for_a_writer_who_may_still_write(storage: Storage, owner: str) -> None:
    with storage.database.write() as session:
        session.add(Blob(owner=owner, digest="d", size=1, state="pending", lease_until=now() + timedelta(minutes=5)))
    receipt = erase_owner(storage, owner)
    sweep(storage)
    with storage.database.read() as session:
        assert session.get_one(Receipt, receipt).done is None
    recover(storage, alone=True)
    with storage.database.read() as session:
        assert session.get_one(Receipt, receipt).done is not None


def test_a_writer_given_up_is_refused_and_leaves_nothing(storage: Storage, owner: str, folder: Path) -> None:
    interrupted = Interrupted(storage)
    interrupted.happens = lambda: recover(storage, alone=True)  # type: ignore[method-assign, assignment, return-value]
    with pytest.raises(LeaseLost):
        keep(interrupted.storage, owner)
    assert files(folder) == []
    assert count(storage, Blob, Photo) == [0, 0]


class Late(Interrupted):
    """A store in which something happens before a file is written."""

    def put(self, name: str, data: bytes) -> None:
        self.happens()
        self.blobs.put(name, data)


def test_a_file_that_comes_after_its_lease_is_removed(storage: Storage, owner: str, folder: Path) -> None:
    late = Late(storage)
    late.happens = lambda: recover(storage, alone=True)  # type: ignore[method-assign, assignment, return-value]
    with pytest.raises(LeaseLost):
        keep(late.storage, owner)
    assert files(folder) == []
    assert count(storage, Blob, Photo) == [0, 0]


def add_results(storage: Storage, owner: str, photo: str) -> None:
    with storage.database.write() as session:
        change = Change(id=new_id(), owner=owner, inputs="i", document=b"")
        session.add_all([Analysis(owner=owner, photo=photo, models="m", document=b""), change])
        session.flush()
        session.add(ChangePhoto(change=change.id, photo=photo))


def test_deleting_removes_everything_made_of_the_photo(storage: Storage, owner: str, folder: Path) -> None:
    photo, other = (stored.photo for stored in keep(storage, owner, 1, 2))
    add_results(storage, owner, photo)
    receipt = delete_photo(storage, photo, actor=owner)
    assert count(storage, Blob, Photo, Analysis, Change, ChangePhoto, Job) == [1, 1, 0, 0, 0, 1]
    assert len(files(folder)) == 1
    assert read(storage, other) == make_photo(2).data
    with storage.database.read() as session:
        row = session.get_one(Receipt, receipt)
        assert row.removed == {"photo": 1, "analysis": 1, "change": 1, "job": 1, "file": 1}
        assert row.done is not None
    for act in (lambda: delete_photo(storage, photo, actor=owner), lambda: read(storage, photo)):
        with pytest.raises(NotThere):
            act()


def test_a_deleted_photo_can_be_stored_again(storage: Storage, owner: str) -> None:
    first = keep(storage, owner)[0].photo
    delete_photo(storage, first, actor=owner)
    again = keep(storage, owner)[0]
    assert again.created
    assert again.photo != first


def test_dropping_the_picture_keeps_the_results(storage: Storage, owner: str, folder: Path) -> None:
    photo = keep(storage, owner)[0].photo
    add_results(storage, owner, photo)
    drop_picture(storage, photo, actor=None)
    assert files(folder) == []
    assert count(storage, Blob, Photo, Analysis, Change) == [0, 1, 1, 1]
    with pytest.raises(PhotoGone):
        read(storage, photo)
    with pytest.raises(NotThere):
        drop_picture(storage, photo, actor=None)
    delete_photo(storage, photo, actor=owner)
    assert count(storage, Photo, Analysis) == [0, 0]


def test_erasing_leaves_a_receipt_and_nothing_else(storage: Storage, owner: str, folder: Path) -> None:
    other = add_owner(storage)
    theirs = keep(storage, other)[0].photo
    photo = keep(storage, owner, 1, 2, key="k")[0].photo
    add_results(storage, owner, photo)
    receipt = erase_owner(storage, owner)
    assert count(storage, Account, Blob, Photo, Analysis, Change, Job, Idempotency) == [1, 1, 1, 0, 0, 1, 0]
    assert [name.partition("/")[0] for name in files(folder)] == [other]
    assert read(storage, theirs) == make_photo(0).data
    with storage.database.read() as session:
        row = session.get_one(Receipt, receipt)
        assert row.done is not None
        assert (row.removed["account"], row.removed["photo"], row.removed["file"]) == (1, 2, 2)
        assert session.get_one(OwnerKey, owner).wrapped is None
        assert session.scalars(select(Audit.action).where(Audit.owner == owner)).all() == ["account.erase"]
    for act in (lambda: erase_owner(storage, owner), lambda: keep(storage, owner)):
        with pytest.raises((NotThere, ErasedOwner)):
            act()


@pytest.mark.parametrize("damage", ["flip", "cut", "empty"])
def test_a_damaged_file_is_not_served(storage: Storage, owner: str, folder: Path, damage: str) -> None:
    photo = keep(storage, owner)[0].photo
    path = blob_path(storage, folder, photo)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes({"flip": bytes(data), "cut": data[:-3], "empty": b""}[damage])
    with pytest.raises(Unreadable):
        read(storage, photo)


def test_files_exchanged_are_not_served(storage: Storage, owner: str, folder: Path) -> None:
    one, two = (blob_path(storage, folder, stored.photo) for stored in keep(storage, owner, 1, 2))
    data = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(data)
    with storage.database.read() as session:
        for photo in session.scalars(select(Photo.id)).all():
            with pytest.raises(Unreadable):
                read_photo(storage, session, photo)


def test_a_missing_file_is_an_error_and_no_deletion(storage: Storage, owner: str, folder: Path) -> None:
    photo = keep(storage, owner)[0].photo
    blob_path(storage, folder, photo).unlink()
    with pytest.raises(MissingFile):
        read(storage, photo)
    recover(storage, alone=True)
    assert count(storage, Photo, Blob) == [1, 1]


def test_without_its_disk_nothing_is_written_and_nothing_is_taken_for_removed(
    storage: Storage, owner: str, folder: Path
) -> None:
    photo = keep(storage, owner)[0].photo
    away = folder.rename(folder.with_name("unmounted"))
    folder.mkdir()
    with pytest.raises(WrongStore):
        keep(storage, owner, 2)
    receipt = delete_photo(storage, photo, actor=owner)
    with pytest.raises(WrongStore):
        sweep(storage)
    assert files(folder) == []
    folder.rmdir()
    away.rename(folder)
    sweep(storage)
    assert files(folder) == []
    assert count(storage, Blob) == [0]
    with storage.database.read() as session:
        assert session.get_one(Receipt, receipt).done is not None


def test_recovery_looks_at_what_is_open_only(storage: Storage, owner: str, folder: Path) -> None:
    keep(storage, owner, *range(5))
    left = new_id()
    with storage.database.write() as session:
        session.add(Blob(id=left, owner=owner, digest="d", size=1, state="pending", lease_until=now()))
    (folder / DRAFTS / left).write_bytes(b"half a ph")
    asked: list[str] = []
    watched = Interrupted(storage)
    watched.remove = lambda name: (asked.append(name), storage.blobs.remove(name))  # type: ignore[attr-defined]
    found = recover(watched.storage, alone=False)
    assert (found.files, asked) == (1, [blob_name(owner, left)])
    assert not any(name.startswith(DRAFTS) for name in files(folder))


def test_an_erased_key_leaves_no_trace_on_the_disk(storage: Storage, owner: str, tmp_path: Path) -> None:
    if not storage.database.is_sqlite:
        pytest.skip("where PostgreSQL keeps its pages is its own affair: see docs/service-admin.md")
    with storage.database.read() as session:
        wrapped = session.get_one(OwnerKey, owner).wrapped
    assert wrapped is not None
    erase_owner(storage, owner)
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert wrapped not in written
    assert owner.encode() in written  # the receipt's
