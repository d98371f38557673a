"""Nothing is acknowledged before it would survive a power cut; a process that is killed cannot show that."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import event

from comedo.service.storage.photos import store_photos
from comedo.service.storage.removal import delete_photo
from comedo.service.storage.store import Storage
from service.places import make_photo


class Recorder:
    """The calls that reach the disk, and the commits, in their order."""

    def __init__(self, storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[str] = []
        self.paths: dict[int, str] = {}
        self.monkeypatch = monkeypatch
        real = os.open

        def opened(path: str, *args: int) -> int:
            file = real(path, *args)
            self.paths[file] = "folder" if Path(path).is_dir() else "file"
            return file

        monkeypatch.setattr(os, "open", opened)
        for name in ("write", "fsync", "rename", "unlink"):
            monkeypatch.setattr(os, name, self.recorded(name, getattr(os, name)))
        event.listen(storage.database.engine, "commit", lambda _: self.calls.append("commit"))

    def recorded(self, name: str, real: Callable[..., object]) -> Callable[..., object]:
        def call(first: object, *rest: object, **more: object) -> object:
            result = real(first, *rest, **more)
            self.calls.append(f"{name} {self.paths[first]}" if isinstance(first, int) else name)
            return result

        return call


def test_a_photo_is_on_the_disk_before_its_rows(storage: Storage, owner: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store_photos(storage, owner, [make_photo(1)], actor=owner)  # makes the owner's folder
    recorder = Recorder(storage, monkeypatch)
    store_photos(storage, owner, [make_photo(2)], actor=owner)
    assert recorder.calls == ["commit", "write file", "fsync file", "rename", "fsync folder", "commit"]


def test_a_new_folder_is_on_the_disk_before_its_files(
    storage: Storage, owner: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder(storage, monkeypatch)
    store_photos(storage, owner, [make_photo(1), make_photo(2)], actor=owner)
    file = ["write file", "fsync file", "rename", "fsync folder"]
    assert recorder.calls == ["commit", "fsync folder", *file, *file, "commit"]


def test_a_file_goes_after_its_rows_and_before_its_tombstone(
    storage: Storage, owner: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (stored,) = store_photos(storage, owner, [make_photo(1)], actor=owner)
    recorder = Recorder(storage, monkeypatch)
    delete_photo(storage, stored.photo, actor=owner)
    assert recorder.calls == ["commit", "unlink", "fsync folder", "commit"]
