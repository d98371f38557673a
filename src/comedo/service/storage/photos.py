"""A photo and its rows appear and vanish together, also when the process is killed in the middle.

Storing: 1. a row says that a file will come, committed. 2. the file is written and synced. 3. it gets its name, and the
folder is synced. 4. one transaction: the blob is live, with its photo, job, audit row and idempotency key. 5. only then
may anyone be told. So no file is ever without a row, and what a killed process left open is found by its rows:
recovery.py finishes it. Removing is in removal.py.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from comedo.service.database.accounts import lock_account
from comedo.service.database.audit import record
from comedo.service.database.columns import new_id, now
from comedo.service.database.jobs import check_room, enqueue
from comedo.service.database.tables import Blob, Idempotency, Job, Photo
from comedo.service.errors import (
    IdempotencyConflict,
    LeaseLost,
    NotThere,
    PhotoGone,
    QuotaExceeded,
    StoreFull,
    Unreadable,
)
from comedo.service.storage.blobs import blob_name
from comedo.service.storage.recovery import sweep_soon
from comedo.service.storage.store import NewPhoto, Storage, Stored
from comedo.service.storage.vault import OVERHEAD_BYTES, DataKey

log = logging.getLogger(__name__)

WRITE_LEASE = timedelta(minutes=10)  # a batch takes seconds; who needs longer is given up


@dataclass(frozen=True, repr=False)
class _Intent:
    """One photo on its way. `blob` is None where the owner has these bytes already."""

    photo: NewPhoto
    digest: str
    blob: str | None


def store_photos(
    storage: Storage,
    owner: str,
    photos: Sequence[NewPhoto],
    *,
    actor: str,
    key: str | None = None,
    job: str | None = "analyze",
    address: str | None = None,
) -> list[Stored]:
    """Keep photos of one owner, all or none; when this returns they survive a power cut.

    Args:
        actor: The account that sends them.
        key: Idempotency key; the same request again under it is answered the same.
        job: Kind of the job to queue for each new photo; None for none.
        address: Where the request came from, for the audit log.

    Raises:
        IdempotencyConflict: The key was used for another request.
        QuotaExceeded: The account is full.
        StoreFull: The disk is.
        QueueFull: Too many jobs wait.
        ErasedOwner, NotThere: There is no such owner.
        LeaseLost: The owner was erased meanwhile, or writing took too long.
    """
    with storage.database.write() as session:  # 1.
        data_key = _lock_owner(storage, session, owner)
        request = data_key.digest(_wording(photos, job))
        answered = _answered(session, owner, key, request)
        if answered is not None:
            return answered
        intents = _intend(storage, session, data_key, photos, jobs=len(photos) if job else 0)
    try:
        for intent in intents:  # 2. and 3.
            if intent.blob is not None:
                sealed = data_key.seal(intent.photo.data, about=intent.blob)
                storage.blobs.put(blob_name(owner, intent.blob), sealed)
        with storage.database.write() as session:  # 4.
            data_key = _lock_owner(storage, session, owner)
            stored = _answered(session, owner, key, request)
            if stored is None:
                stored = [_appear(storage, session, data_key, intent, job) for intent in intents]
                for one in stored:
                    record(session, actor=actor, owner=owner, action="photo.add", object_id=one.photo, address=address)
                if key is not None:
                    result = {"stored": [[one.photo, one.job, one.created] for one in stored]}
                    session.add(Idempotency(owner=owner, key=key, request=request, result=result))
            unused = _end_leases(session, owner, intents)
    except BaseException:
        _give_up(storage, owner, intents)
        raise
    sweep_soon(storage, unused)
    return stored  # 5.


def read_photo(storage: Storage, session: Session, photo_id: str) -> bytes:
    """The bytes of a photo, proven to be those that were stored.

    Raises:
        NotThere: There is no such photo.
        PhotoGone: Only its results were kept.
        MissingFile, Unreadable: The file is lost, or not what was stored.
        ErasedOwner, WrongMasterKey: The key does not open it.
    """
    photo = session.get(Photo, photo_id)
    if photo is None:
        raise NotThere(f"there is no photo {photo_id}")
    if photo.blob is None:
        raise PhotoGone(f"photo {photo_id} was removed by its owner's choice; its results were kept")
    blob = session.get_one(Blob, photo.blob)
    data_key = storage.vault.key_of(session, photo.owner)
    data = data_key.open(storage.blobs.get(blob_name(photo.owner, blob.id)), about=blob.id)
    if data_key.digest(data) != blob.digest:
        raise Unreadable(f"photo {photo_id} is not the one that was stored; restore it from a backup")
    return data


def _wording(photos: Sequence[NewPhoto], job: str | None) -> bytes:
    """What makes two requests the same."""
    parts = [[hashlib.sha256(p.data).hexdigest(), p.taken_at, p.view, p.mirrored, p.visit, p.note, job] for p in photos]
    return json.dumps(parts, default=str).encode()


def _lock_owner(storage: Storage, session: Session, owner: str) -> DataKey:
    """One change of an owner's photos at a time; SQLite has one writer anyway."""
    lock_account(session, owner)
    return storage.vault.key_of(session, owner)


def _answered(session: Session, owner: str, key: str | None, request: str) -> list[Stored] | None:
    before = None if key is None else session.get(Idempotency, (owner, key))
    if before is None:
        return None
    if before.request != request:
        raise IdempotencyConflict(f"the idempotency key {key!r} was used for another upload; take a new one")
    rows = before.result["stored"]
    assert isinstance(rows, list)
    return [Stored(*row) for row in rows]


def _intend(
    storage: Storage, session: Session, key: DataKey, photos: Sequence[NewPhoto], *, jobs: int
) -> list[_Intent]:
    """Rows of the files to come, where there is room for them."""
    intents = []
    for photo in photos:
        digest = key.digest(photo.data)
        known = _photo_of(session, key.owner, digest) is not None
        intents.append(_Intent(photo, digest, None if known else new_id()))
    new = [intent for intent in intents if intent.blob is not None]
    _check_quota(storage, session, key.owner, [len(intent.photo.data) + OVERHEAD_BYTES for intent in new])
    if jobs and new:
        check_room(session, limit=storage.limits.jobs)
    session.add_all([_intended(key.owner, intent) for intent in new])
    return intents


def _check_quota(storage: Storage, session: Session, owner: str, sizes: Sequence[int]) -> None:
    limits = storage.limits
    counted = select(func.count(), func.coalesce(func.sum(Blob.size), 0)).where(
        Blob.owner == owner, Blob.state != "dead"
    )
    photos, size = session.execute(counted).one()
    if photos + len(sizes) > limits.photos or size + sum(sizes) > limits.bytes:
        raise QuotaExceeded(
            f"the account holds {photos} photos with {size} bytes; with these it would exceed {limits.photos} photos "
            f"or {limits.bytes} bytes: delete some first"
        )
    free = storage.blobs.free_bytes()
    if free is not None and free - sum(sizes) < limits.free_bytes:
        raise StoreFull("the server has no room for more photos; its administrator must free some")


def _appear(storage: Storage, session: Session, key: DataKey, intent: _Intent, kind: str | None) -> Stored:
    """The photo's rows, or those that the owner has of the same bytes."""
    known = _photo_of(session, key.owner, intent.digest)
    if known is not None:
        latest = select(Job.id).where(Job.photo == known).order_by(Job.created.desc()).limit(1)
        return Stored(known, session.scalar(latest), created=False)
    blob = session.get(Blob, intent.blob, with_for_update=True) if intent.blob else None
    if blob is None or blob.state != "pending":
        raise LeaseLost("the photo was given up meanwhile, because it was deleted or took too long; send it again")
    blob.state, blob.lease_until = "live", None
    session.flush()
    photo, new = intent.photo, new_id()
    session.add(
        Photo(
            id=new,
            owner=key.owner,
            blob=blob.id,
            visit=photo.visit,
            taken_at=photo.taken_at,
            view=photo.view,
            mirrored=photo.mirrored,
            note=None if photo.note is None else key.seal_text(photo.note, about=new),
            format=photo.format,
            width_px=photo.width_px,
            height_px=photo.height_px,
        )
    )
    session.flush()
    job = enqueue(session, key.owner, kind, photo=new, limit=storage.limits.jobs).id if kind else None
    return Stored(new, job, created=True)


def _photo_of(session: Session, owner: str, digest: str) -> str | None:
    live = select(Photo.id).join(Blob, Photo.blob == Blob.id)
    return session.scalar(live.where(Blob.owner == owner, Blob.digest == digest, Blob.state == "live"))


def _end_leases(session: Session, owner: str, intents: Sequence[_Intent]) -> list[str]:
    """Blobs of this upload that are not needed after all: dead, and nobody writes them any more.

    One that was swept while its writer was slow has a row again, so that the file that came too late is found.
    """
    session.flush()
    unused = []
    for intent in intents:
        if intent.blob is None:
            continue
        blob = session.get(Blob, intent.blob) or _intended(owner, intent)
        if blob.state != "live":
            blob.state, blob.lease_until = "dead", None
            session.add(blob)
            unused.append(blob.id)
    return unused


def _intended(owner: str, intent: _Intent) -> Blob:
    """The row that says that a file will come, under a lease."""
    return Blob(
        id=intent.blob,
        owner=owner,
        digest=intent.digest,
        size=len(intent.photo.data) + OVERHEAD_BYTES,
        state="pending",
        lease_until=now() + WRITE_LEASE,
    )


def _give_up(storage: Storage, owner: str, intents: Sequence[_Intent]) -> None:
    """Take back what a failed upload wrote; should this fail too, recovery does it when the lease is over."""
    try:
        with storage.database.write() as session:
            unused = _end_leases(session, owner, intents)
    except SQLAlchemyError as error:
        log.warning("an upload failed and could not be taken back yet (%s)", type(error).__name__)
    else:
        sweep_soon(storage, unused)
