"""What belongs together to keep photos, and what is asked of it and answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from comedo.service.database.engine import Database
from comedo.service.storage.blobs import BlobStore
from comedo.service.storage.vault import Vault


@dataclass(frozen=True)
class Limits:
    """What one account and the disk may hold, and how many jobs may wait."""

    photos: int
    bytes: int
    free_bytes: int
    jobs: int


@dataclass(frozen=True)
class Storage:
    """Database, files and keys that belong together: `open_storage` makes it."""

    database: Database
    blobs: BlobStore
    vault: Vault
    limits: Limits


@dataclass(frozen=True, repr=False)
class NewPhoto:
    """A photo to keep; `data` are the bytes to keep, read and checked before, without metadata."""

    data: bytes
    format: str
    width_px: int
    height_px: int
    taken_at: datetime | None = None
    view: str | None = None
    mirrored: bool | None = None
    visit: str | None = None
    note: str | None = None


@dataclass(frozen=True)
class Stored:
    """The answer to an upload; `created` is False where the owner had these very bytes already."""

    photo: str
    job: str | None
    created: bool
