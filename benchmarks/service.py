"""The service under 32 clients: how much it analyses beside the library's own batch, and how it answers meanwhile.

    make bench

Every client sends photos of its own and waits for each result, for a minute; one more looks at lists of photos all the
time. Photos are 1-megapixel rendered faces; nobody sends two of one side, so that nothing is compared over time.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import simplejpeg
from rich.console import Console
from rich.table import Table

from comedo.batch import analyze_many
from comedo.service.accounts import sessions, tokens
from comedo.service.accounts.actor import Actor, Scope
from comedo.service.database.engine import open_database
from comedo.service.database.migrate import migrate
from comedo.service.parts import Parts
from comedo.service.settings import read_settings
from comedo.service.storage.open import open_storage
from comedo.synthetic import sample_face

VIEWS = ("front", "left", "right")
SIZE = (864, 1152)


@dataclass
class Tally:
    """What the clients met, filled by their threads."""

    uploads_s: list[float] = field(default_factory=list)
    reads_s: list[float] = field(default_factory=list)
    busy: int = 0  # answers 503, which ask to come again
    failed: list[str] = field(default_factory=list)


def photos() -> Iterator[bytes]:
    """Endless JPEGs that differ in a little noise."""
    image = cv2.resize(sample_face().image, SIZE, interpolation=cv2.INTER_AREA).astype(np.int16)
    rng = np.random.default_rng(0)
    while True:
        noisy = np.clip(image + rng.integers(-2, 3, (*image.shape[:2], 1)), 0, 255).astype(np.uint8)
        yield simplejpeg.encode_jpeg(np.ascontiguousarray(noisy), quality=90, colorsubsampling="420")


def library_rate(pictures: list[bytes]) -> float:
    """Photos a second of `comedo.analyze_many`."""
    list(analyze_many(pictures[:2]))
    start = time.perf_counter()
    if any(outcome.error for outcome in analyze_many(pictures)):
        raise RuntimeError("a rendered photo was refused; run the tests")
    return len(pictures) / (time.perf_counter() - start)


def open_accounts(folder: Path, number: int) -> list[str]:
    """API tokens of so many fresh accounts in a store at `folder`."""
    settings = read_settings(accounts=True, data_dir=folder)
    folder.mkdir(parents=True)
    database = open_database(settings.database, connections=2)
    migrate(database)
    parts = Parts(settings, database, open_storage(settings, database))
    made = []
    for n in range(number):
        opened = sessions.sign_up(
            parts, f"bench-{n}@bench.example", "only for a benchmark", locale="en", address=f"10.0.0.{n}"
        )
        actor = Actor(account=opened.account.id, role="patient", via="cookie")
        made.append(tokens.make(parts, actor, "bench", [Scope.READ, Scope.WRITE], expires_in_days=1).token)
    database.close()
    return made


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, int]]:
    """A service of its own process: its address and process number."""
    environment = os.environ | {"COMEDO_ACCOUNTS": "true", "COMEDO_MIN_FREE_BYTES": "0"}
    command = [sys.executable, "-m", "comedo", "serve", "--port", "0", "--data", str(folder)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=log, text=True)
        assert process.stdout is not None
        found = re.match(r"comedo is at (http://[^/\s]+)", process.stdout.readline())
        try:
            if found is None:
                raise RuntimeError(f"the service did not start:\n{(folder / 'log').read_text()}")
            yield found[1], process.pid
        finally:
            process.terminate()
            process.wait(60)


def memory_mb(pid: int) -> float:
    """Resident memory of a process and its children."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid=,rss="], capture_output=True, text=True, check=True).stdout
    rows = [[int(v) for v in line.split()] for line in listed.splitlines()]
    family = {pid}
    for _ in range(4):
        family |= {child for child, parent, _ in rows if parent in family}
    return sum(rss for own, _, rss in rows if own in family) / 1024


def ask(url: str, token: str, body: bytes | None = None) -> dict[str, object]:
    """One answer."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "image/jpeg", "Prefer": "wait=30"}
    with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=120) as answer:
        found: dict[str, object] = json.load(answer)
    return found


def upload(base: str, work: Iterator[tuple[str, str, bytes]], lock: threading.Lock, end: float, tally: Tally) -> None:
    """Send photos until the end, one after the other."""
    while time.perf_counter() < end:
        with lock:
            token, view, jpeg = next(work)
        start = time.perf_counter()
        while time.perf_counter() < end:
            try:
                ask(f"{base}/api/v1/photos?view={view}", token, jpeg)
            except urllib.error.HTTPError as error:
                if error.code == 503:
                    tally.busy += 1
                    time.sleep(float(error.headers["Retry-After"]))
                    continue
                tally.failed.append(f"{error.code} {error.read()[:200]!r}")
            else:
                tally.uploads_s.append(time.perf_counter() - start)
            break


def look(base: str, token: str, end: float, tally: Tally) -> None:
    """Read a list of photos ten times a second."""
    while time.perf_counter() < end:
        start = time.perf_counter()
        ask(f"{base}/api/v1/photos", token)
        tally.reads_s.append(time.perf_counter() - start)
        time.sleep(0.1)


def percentile_ms(seconds: list[float], share: float) -> float:
    """A percentile in milliseconds."""
    return 1000 * float(np.quantile(seconds, share))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=32, help="that send photos")
    parser.add_argument("--seconds", type=float, default=60, help="of sending")
    given = parser.parse_args()
    source = photos()
    rate = library_rate([next(source) for _ in range(48)])
    tally, lock = Tally(), threading.Lock()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        known = open_accounts(data, max(16, round(rate * given.seconds / len(VIEWS) * 1.5)))
        work = ((token, view, next(source)) for token in known for view in VIEWS)
        with served(data) as (base, pid):
            before, end = memory_mb(pid), time.perf_counter() + given.seconds
            clients = [
                threading.Thread(target=upload, args=(base, work, lock, end, tally)) for _ in range(given.clients)
            ]
            clients.append(threading.Thread(target=look, args=(base, known[0], end, tally)))
            for client in clients:
                client.start()
            for client in clients:
                client.join()
            after = memory_mb(pid)
    table = Table("figure", "value")
    done = len(tally.uploads_s) / given.seconds
    for name, value in (
        ("library's own batch, photos a second", f"{rate:.2f}"),
        ("service, photos with their result a second", f"{done:.2f}"),
        ("ratio", f"{done / rate:.2f}"),
        (
            "upload to result, median / p95",
            f"{statistics.median(tally.uploads_s):.1f} / {percentile_ms(tally.uploads_s, 0.95) / 1000:.1f} s",
        ),
        (
            "list of photos, median / p95",
            f"{percentile_ms(tally.reads_s, 0.5):.0f} / {percentile_ms(tally.reads_s, 0.95):.0f} ms",
        ),
        ("asked to come again (503)", str(tally.busy)),
        ("failed", str(len(tally.failed))),
        ("memory of all processes, before / after", f"{before:.0f} / {after:.0f} MB"),
    ):
        table.add_row(name, value)
    Console().print(table, *tally.failed[:3])


if __name__ == "__main__":
    main()
