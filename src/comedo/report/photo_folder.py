"""A folder with files of photos: a file in it is replaced only by one about the same."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from pathlib import Path
from threading import Lock
from typing import ClassVar

from comedo.report.whole_file import make_folder, unwritable, write_whole


class PhotoFolder(ABC):
    """Writes files, from several threads, each whole or not at all.

    A photo called NAME gets NAME with each of the `endings`. Where another photo has that name, in this run or in the
    folder, it gets NAME-2, NAME-3 and so on; the same photo again replaces its own files.
    """

    endings: ClassVar[tuple[str, ...]]

    def __init__(self, path: Path) -> None:
        make_folder(path)
        self.path = path
        self._owners: dict[str, str] = {}  # stem in small letters, as some file systems see it: owner
        self._lock = Lock()

    @abstractmethod
    def belongs_to(self, stem: str, owner: str) -> bool:
        """Whether the files of that stem, which are there, are about `owner` and so may be replaced by its own."""

    def claim(self, stem: str, owner: str) -> str:
        """The stem under which files about `owner`, such as a photo's hash, are written."""
        with self._lock:
            number = 1
            while not self._is_free(numbered(stem, number), owner):
                number += 1
            chosen = numbered(stem, number)
            self._owners[chosen.casefold()] = owner
            return chosen

    def _is_free(self, stem: str, owner: str) -> bool:
        known = self._owners.get(stem.casefold())
        if known is not None:
            return known == owner
        if not any((self.path / (stem + ending)).exists() for ending in self.endings):
            return True
        return self.belongs_to(stem, owner)

    def write(self, name: str, pieces: Iterable[bytes]) -> Path:
        """Write one file.

        Raises:
            ComedoError: It cannot be written.
        """
        try:
            return write_whole(self.path / name, pieces)
        except OSError as error:
            raise unwritable(self.path / name, error) from error


def numbered(stem: str, number: int) -> str:
    """NAME, NAME-2, NAME-3."""
    return stem if number == 1 else f"{stem}-{number}"
