"""Rounds of a writer that is killed in the middle, and of a check that nothing is lost, left over or half done.

Run as a program of its own, which forks: everything is imported once, and each round's writer is a new process that
opens the database itself. The writer tells a diary what it is about to do and what it was told is done.

    python killing.py URL FOLDER steps|times ROUNDS [S3-ENDPOINT]
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import Session

from comedo.service.database.columns import new_id
from comedo.service.database.engine import open_database
from comedo.service.database.jobs import claim, finish
from comedo.service.database.tables import Analysis
from comedo.service.storage.bucket import Bucket
from comedo.service.storage.photos import store_photos
from comedo.service.storage.recovery import recover
from comedo.service.storage.removal import delete_photo, drop_picture, erase_owner
from comedo.service.storage.store import Storage
from service.places import add_owner, bucket_settings, make_photo, make_storage
from service.storage.diary import check_diary, check_places

write = os.write  # before the bomb is armed


class Diary:
    """Lines that survive the writer: one before each deed, one after it was acknowledged."""

    def __init__(self, path: Path) -> None:
        self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def note(self, **line: Any) -> None:
        write(self.file, json.dumps(line).encode() + b"\n")


@dataclass
class Writer:
    """Does things to one owner's photos, and notes them."""

    storage: Storage
    diary: Diary
    owner: str = ""
    photos: list[str] = field(default_factory=list)
    numbers: int = 0

    def do(self, deed: str, act: Callable[[], Any], **what: Any) -> Any:
        self.diary.note(deed=deed, owner=self.owner, **what)
        done = act()
        self.diary.note(done=deed, result=done)
        return done

    def sign_up(self) -> None:
        self.owner, self.photos = self.do("sign up", lambda: add_owner(self.storage)), []

    def upload(self, count: int) -> None:
        numbers = [self.numbers + n for n in range(count)]
        self.numbers += count
        photos, key = [make_photo(number) for number in numbers], new_id()

        def act() -> list[str]:
            stored = store_photos(self.storage, self.owner, photos, actor=self.owner, key=key)
            return [one.photo for one in stored]

        self.photos += self.do("upload", act, numbers=numbers, key=key)

    def delete(self) -> None:
        photo = self.photos.pop(0)
        self.do("delete", lambda: delete_photo(self.storage, photo, actor=self.owner), photo=photo)

    def drop(self) -> None:
        photo = self.photos[-1]
        self.photos.remove(photo)
        self.do("drop", lambda: drop_picture(self.storage, photo, actor=None), photo=photo)

    def analyze(self) -> None:
        def act() -> None:
            job = claim(self.storage.database, "worker")
            if job is not None:
                with self.storage.database.write() as session:
                    key = self.storage.vault.key_of(session, job.owner)
                    made = new_id()
                    document = key.seal_json({}, about=made)
                    session.add(Analysis(id=made, owner=job.owner, photo=job.photo, models="m", document=document))
                    finish(session, job.id, "worker", result=made)

        self.do("analyze", act)

    def erase(self) -> None:
        self.do("erase", lambda: erase_owner(self.storage, self.owner))


def every_step(writer: Writer) -> None:
    """Each deed once: its steps are the places to be killed at."""
    writer.sign_up()
    writer.upload(2)
    writer.analyze()
    writer.delete()
    writer.upload(1)
    writer.drop()
    writer.erase()


def any_step(writer: Writer) -> None:
    """Deeds by chance, until killed."""
    chance = random.Random(os.getpid())
    writer.sign_up()
    while True:
        deeds = [lambda: writer.upload(chance.randint(1, 3))] * 4 + [writer.analyze] * 2
        if writer.photos:
            deeds += [writer.delete, writer.delete, writer.drop]
        if writer.numbers > 6:
            deeds += [lambda: (writer.erase(), writer.sign_up())]
        chance.choice(deeds)()


@dataclass
class Bomb:
    """Kills this process at its n-th step on the way to the disk; counts only, without a number."""

    at: int | None
    count: int = 0

    def step(self, *_: object) -> None:
        self.count += 1
        if self.count == self.at:
            os.kill(os.getpid(), signal.SIGKILL)

    def arm(self, storage: Storage) -> None:
        for name in ("fsync", "rename", "unlink"):
            setattr(os, name, self._around(getattr(os, name)))
        os.write = self._half  # type: ignore[assignment]
        for name in ("put", "remove"):
            setattr(Bucket, name, self._around(getattr(Bucket, name)))
        event.listen(storage.database.engine, "commit", self.step)
        event.listen(Session, "after_commit", self.step)

    def _around(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **more: Any) -> Any:
            self.step()
            result = real(*args, **more)
            self.step()
            return result

        return call

    def _half(self, file: int, data: Any) -> int:
        """Write half of it, as the system may; who is killed now leaves half a file."""
        written = write(file, data[: max(len(data) // 2, 1)])
        self.step()
        return written


def in_child(work: Callable[[], None]) -> int:
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        except BaseException as error:  # noqa: BLE001 - the child must not go on as the parent
            sys.stderr.write(f"the writer failed: {error!r}\n")
            sys.stderr.flush()
            os._exit(1)
    return child


@dataclass
class Rounds:
    """The place that all rounds share, and what must be there."""

    url: str
    folder: Path
    endpoint: str | None = None

    @property
    def diary(self) -> Path:
        return self.folder / "diary"

    def open(self) -> Storage:
        where = {} if self.endpoint is None else bucket_settings(self.endpoint)
        return make_storage(open_database(self.url, connections=2), self.folder, **where)

    def steps(self, at: int | None) -> int:
        """A round to the n-th step; returns how many there were, when none was the last."""
        inlet, outlet = os.pipe()

        def work() -> None:
            storage = self.open()
            bomb = Bomb(at)
            bomb.arm(storage)
            every_step(Writer(storage, Diary(self.diary)))
            write(outlet, str(bomb.count).encode())

        child = in_child(work)
        os.close(outlet)
        _, status = os.waitpid(child, 0)
        count = os.read(inlet, 20)
        os.close(inlet)
        assert status == (0 if at is None else signal.SIGKILL), f"the writer ended with {status}"
        return int(count or b"0")

    def times(self, chance: random.Random) -> None:
        """A round to any moment after the first deed."""

        def work() -> None:
            any_step(Writer(self.open(), Diary(self.diary)))

        child = in_child(work)
        while not self.diary.exists() or self.diary.read_bytes().count(b"\n") < 2:
            time.sleep(0.002)
        time.sleep(chance.uniform(0, 0.15))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        assert status == signal.SIGKILL, f"the writer ended with {status}"

    def check(self) -> None:
        """Start again, as the service does, and compare everything with the diary."""
        storage = self.open()
        recover(storage, alone=True)
        lines = [json.loads(line) for line in self.diary.read_text().splitlines()]
        self.diary.unlink()
        check_diary(storage, lines)
        check_places(storage)
        storage.database.close()


def main(url: str, folder: str, mode: str, rounds: int, endpoint: str | None = None) -> None:
    place = Rounds(url, Path(folder), endpoint)
    if mode == "times":
        chance = random.Random(rounds)
        for _ in range(rounds):
            place.times(chance)
            place.check()
        sys.stdout.write(f"{rounds} steps, killed at {rounds}\n")
        return
    count = place.steps(None)
    place.check()
    for at in sorted({1 + round(i * (count - 1) / max(rounds - 1, 1)) for i in range(min(rounds, count))}):
        place.steps(at)
        place.check()
    sys.stdout.write(f"{count} steps, killed at {min(rounds, count)}\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), *sys.argv[5:])
