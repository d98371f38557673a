"""What people chose to keep: everything, results without photos, or nothing older than so many days."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta

from sqlalchemy import delete, exists, select

from comedo.service.database.columns import now
from comedo.service.database.tables import Account, Advice, Answers, Change, Idempotency, Job, Note, Photo, Visit
from comedo.service.errors import NotThere
from comedo.service.storage.removal import delete_photo, drop_picture
from comedo.service.storage.store import Storage

KEY_LIFE = timedelta(days=7)  # a request is repeated within minutes; its answer is kept for a week
DATED = (Advice, Answers, Change, Note, Visit)  # what goes by its age, beside photos and what was made of them


def apply_retention(storage: Storage, *, at: datetime | None = None) -> int:
    """Remove what is due; returns how many photos and pictures went. To be called every hour or so."""
    at = at or now()
    with storage.database.read() as session:
        unfinished = exists().where(Job.photo == Photo.id, Job.state.in_(("queued", "running")))
        mine = select(Photo.id).join(Account, Photo.owner == Account.id).where(~unfinished)
        pictures = session.scalars(mine.where(Account.retention == "without_photos", Photo.blob.is_not(None))).all()
        limited = select(Account.id, Account.retention_days).where(
            Account.retention == "days", Account.retention_days.is_not(None)
        )
        ends = {owner: at - timedelta(days=days) for owner, days in session.execute(limited).all() if days}
        old = [
            photo
            for owner, end in ends.items()
            for photo in session.scalars(mine.where(Photo.owner == owner, Photo.created < end))
        ]
    for remove, photos in ((drop_picture, pictures), (delete_photo, old)):
        for photo in photos:
            with suppress(NotThere):  # its owner was faster
                remove(storage, photo, actor=None)
    with storage.database.write() as session:
        for owner, end in ends.items():
            for table in DATED:
                session.execute(delete(table).where(table.owner == owner, table.created < end))
        session.execute(delete(Idempotency).where(Idempotency.created < at - KEY_LIFE))
    return len(pictures) + len(old)
