"""Where sealed files lie. Each name is OWNER/ID and is written once: no file is changed, moved or renamed later."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

MARKER = "comedo-store"  # holds the id of the store; a folder or bucket without it is not the store


class BlobStore(Protocol):
    """A folder or a bucket."""

    def put(self, name: str, data: bytes) -> None:
        """Write a file; when this returns it is whole and survives a power cut.

        Raises:
            StoreFull: There is no room.
            WrongStore: The store is not there.
        """

    def get(self, name: str) -> bytes:
        """Read a file.

        Raises:
            MissingFile: It is not there.
        """

    def remove(self, name: str) -> None:
        """Remove a file and what was left of writing it, for good; a file that is not there is fine.

        Raises:
            WrongStore: The store is not there: what cannot be seen is not removed.
        """

    def names(self) -> Iterator[str]:
        """Every file, for checks and backups only: nothing else lists the store."""

    def free_bytes(self) -> int | None:
        """Room that is left; None where the store cannot tell."""

    def read_marker(self) -> str | None:
        """The id of this store; None in an empty place."""

    def write_marker(self, store_id: str) -> None:
        """Make an empty place a store."""


def blob_name(owner: str, blob_id: str) -> str:
    """The name of a blob's file: a function of its row."""
    return f"{owner}/{blob_id}"
