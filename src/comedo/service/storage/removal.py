"""Removing a picture, a photo or a person.

1. One transaction: the rows go, the blobs are dead, a receipt waits. 2. The files go. 3. The blobs' rows go and the
receipt is done. What a killed process left open is finished by recovery.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, delete, func, select
from sqlalchemy.orm import Session

from comedo.service.database.accounts import lock_account
from comedo.service.database.audit import record
from comedo.service.database.columns import Base, now
from comedo.service.database.tables import (
    Account,
    Advice,
    Analysis,
    Audit,
    Blob,
    Change,
    ChangePhoto,
    Correction,
    Job,
    Note,
    Photo,
    Receipt,
)
from comedo.service.errors import NotThere
from comedo.service.storage.recovery import sweep_soon
from comedo.service.storage.store import Storage


def delete_photo(storage: Storage, photo_id: str, *, actor: str | None, address: str | None = None) -> str:
    """Remove a photo and everything made of it; returns the receipt's id.

    Raises:
        NotThere: There is no such photo.
    """
    with storage.database.write() as session:
        photo = _lock_photo(session, photo_id)
        removed = _count_made_of(session, photo_id)
        session.execute(delete(Change).where(Change.id.in_(_changes_of(photo_id))))
        session.delete(photo)
        session.flush()
        blobs = [] if photo.blob is None else [session.get_one(Blob, photo.blob)]
        receipt = _issue(session, photo.owner, "photo", removed, blobs)
        record(session, actor=actor, owner=photo.owner, action="photo.delete", object_id=photo_id, address=address)
    sweep_soon(storage, [blob.id for blob in blobs])
    return receipt


def drop_picture(storage: Storage, photo_id: str, *, actor: str | None, address: str | None = None) -> str:
    """Remove the picture and keep what was measured in it; returns the receipt's id.

    Raises:
        NotThere: There is no such photo, or its picture is gone.
    """
    with storage.database.write() as session:
        photo = _lock_photo(session, photo_id)
        if photo.blob is None:
            raise NotThere(f"the picture of photo {photo_id} is gone already")
        blob = session.get_one(Blob, photo.blob)
        photo.blob = None
        receipt = _issue(session, photo.owner, "picture", {}, [blob])
        record(session, actor=actor, owner=photo.owner, action="picture.delete", object_id=photo_id, address=address)
    sweep_soon(storage, [blob.id])
    return receipt


def erase_owner(storage: Storage, owner: str) -> str:
    """Remove an account with everything of it, and destroy its key; returns the receipt's id.

    What stays: the receipt, one row of the audit log, and the empty row of the key. None says who it was. What the
    account did to others stays in their audit logs, under an id that no longer leads anywhere.

    Raises:
        NotThere: There is no such account.
    """
    with storage.database.write() as session:
        lock_account(session, owner)
        removed = _count_owned(session, owner)
        session.execute(delete(Account).where(Account.id == owner))
        session.execute(delete(Audit).where(Audit.owner == owner))
        storage.vault.destroy_key(session, owner)
        blobs = session.scalars(select(Blob).where(Blob.owner == owner)).all()
        receipt = _issue(session, owner, "everything", removed, blobs)
        record(session, actor=None, owner=owner, action="account.erase", object_id=receipt)  # not from where
    sweep_soon(storage, [blob.id for blob in blobs])
    storage.database.checkpoint(at_least=1)  # the key leaves SQLite's log too
    return receipt


def _lock_photo(session: Session, photo_id: str) -> Photo:
    owner = session.scalar(select(Photo.owner).where(Photo.id == photo_id))
    if owner is not None:
        lock_account(session, owner)
    photo = session.get(Photo, photo_id)  # under the lock: it may be gone by now
    if photo is None:
        raise NotThere(f"there is no photo {photo_id}")
    return photo


def _issue(session: Session, owner: str, kind: str, removed: dict[str, int], blobs: Sequence[Blob]) -> str:
    """Tombstones, and the receipt that is done when their files are gone."""
    receipt = Receipt(owner=owner, kind=kind, removed={**removed, "file": len(blobs)}, done=None if blobs else now())
    session.add(receipt)
    session.flush()
    for blob in blobs:
        blob.state, blob.receipt = "dead", receipt.id  # a pending one keeps its lease: its writer may still write
    return receipt.id


def _changes_of(photo_id: str) -> Select[Any]:
    return select(ChangePhoto.change).where(ChangePhoto.photo == photo_id)


def _count_made_of(session: Session, photo_id: str) -> dict[str, int]:
    analyses = select(Analysis.id).where(Analysis.photo == photo_id)
    counted = {
        "photo": select(Photo.id).where(Photo.id == photo_id),
        "analysis": analyses,
        "correction": select(Correction.id).where(Correction.analysis.in_(analyses)),
        "advice": select(Advice.id).where(Advice.analysis.in_(analyses)),
        "change": _changes_of(photo_id),
        "note": select(Note.id).where(Note.photo == photo_id),
        "job": select(Job.id).where(Job.photo == photo_id),
    }
    return _counts(session, counted)


def _count_owned(session: Session, owner: str) -> dict[str, int]:
    """Rows that go with the account: those of every table whose owner, account or patient it is."""
    going = {"account": select(Account.id).where(Account.id == owner)}
    for table in Base.metadata.sorted_tables:
        for key in table.foreign_keys:
            if key.column.table.name == "account":
                going[table.name] = select(key.parent).where(key.parent == owner)
    return _counts(session, going)


def _counts(session: Session, wanted: dict[str, Select[Any]]) -> dict[str, int]:
    counted = {name: session.scalar(select(func.count()).select_from(q.subquery())) or 0 for name, q in wanted.items()}
    return {name: count for name, count in counted.items() if count}
