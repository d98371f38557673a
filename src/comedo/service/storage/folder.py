"""Sealed files in a local folder."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from comedo.service.errors import MissingFile, StoreFull, WrongStore
from comedo.service.storage.blobs import MARKER

DRAFTS = ".drafts"


class Folder:
    """Files OWNER/ID under one folder. A draft in `.drafts` has the id of its file, so that both can be removed."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, name: str, data: bytes) -> None:
        """Draft, sync, rename, sync the folder."""
        self._check()
        path, draft = self.root / name, self._draft(name)
        try:
            if not path.parent.exists():
                path.parent.mkdir(mode=0o700, exist_ok=True)
                sync_folder(self.root)
            write_durably(path, data, draft=draft)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise StoreFull(f"no room left in {self.root}; free some, or move the store") from error
            raise

    def get(self, name: str) -> bytes:
        """Read a whole file."""
        try:
            return (self.root / name).read_bytes()
        except FileNotFoundError:
            raise MissingFile(f"the file {name} is not in {self.root}; restore it from a backup") from None

    def remove(self, name: str) -> None:
        """Unlink draft and file, sync the folder."""
        self._check()
        path = self.root / name
        for left in (self._draft(name), path):
            left.unlink(missing_ok=True)
        if path.parent.exists():
            sync_folder(path.parent)

    def names(self) -> Iterator[str]:
        """Walk the folders of the owners, and the drafts."""
        for folder in sorted(self.root.iterdir()):
            if folder.is_dir():
                yield from (f"{folder.name}/{path.name}" for path in sorted(folder.iterdir()))

    def free_bytes(self) -> int:
        """Room on the disk."""
        return shutil.disk_usage(self.root).free

    def read_marker(self) -> str | None:
        """The id in the marker file."""
        path = self.root / MARKER
        return path.read_text("ascii").strip() if path.exists() else None

    def write_marker(self, store_id: str) -> None:
        """Make the folder and its marker file."""
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        (self.root / DRAFTS).mkdir(exist_ok=True, mode=0o700)
        draft = self.root / DRAFTS / MARKER
        draft.unlink(missing_ok=True)
        write_durably(self.root / MARKER, store_id.encode("ascii"), draft=draft)
        sync_folder(self.root.parent)

    def _draft(self, name: str) -> Path:
        return self.root / DRAFTS / name.rpartition("/")[2]

    def _check(self) -> None:
        if not (self.root / MARKER).exists():
            raise WrongStore(f"{self.root} has no file {MARKER}; is the disk mounted?")


def write_durably(path: Path, data: bytes, *, draft: Path) -> None:
    """Write a private file that is there whole or not at all, and survives a power cut once this returns."""
    write_synced(draft, data)
    os.rename(draft, path)  # noqa: PTH104 - the tests record the calls of os in their order
    sync_folder(path.parent)


def write_synced(path: Path, data: bytes) -> None:
    """Write a new private file, down to the disk.

    Raises:
        FileExistsError: It is there already.
    """
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(file, rest) :]
        os.fsync(file)
    finally:
        os.close(file)


def sync_folder(path: Path) -> None:
    """Bring names that came or went down to the disk."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
