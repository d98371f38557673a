"""What the service can refuse or find broken; codes are stable."""

from __future__ import annotations

from comedo.errors import ComedoError, UnusableInput


class StorageError(ComedoError):
    """What is stored, or where it is stored, is not as it should be."""

    code = "storage_error"


class Unreadable(StorageError):
    """Sealed bytes do not open: altered, of another row, or of another owner. Nothing of them is used."""

    code = "sealed_unreadable"


class MissingFile(StorageError):
    """A row says that a file is there, and it is not."""

    code = "file_missing"


class WrongMasterKey(StorageError):
    """The master key is not the one that this database was filled with."""

    code = "wrong_master_key"


class WrongStore(StorageError):
    """The folder or bucket is not the one that this database was filled with: an empty mount, for example."""

    code = "wrong_store"


class LeaseLost(StorageError):
    """The work took longer than its lease, or was cancelled, and was given up."""

    code = "lease_lost"


class StoreFull(StorageError):
    """The disk has less room than the settings ask for."""

    code = "store_full"


class QueueFull(StorageError):
    """As many jobs wait as the settings allow."""

    code = "queue_full"


class NotThere(UnusableInput):
    """There is no such row."""

    code = "not_found"


class ErasedOwner(UnusableInput):
    """The owner was erased: the key is destroyed."""

    code = "erased"


class PhotoGone(UnusableInput):
    """The photo was removed by its owner's choice; its results were kept."""

    code = "photo_gone"


class QuotaExceeded(UnusableInput):
    """The account holds as many photos or bytes as the settings allow."""

    code = "quota_exceeded"


class IdempotencyConflict(UnusableInput):
    """The idempotency key was used for another request."""

    code = "idempotency_conflict"
