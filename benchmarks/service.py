"""The service under 32 clients: how much it analyses beside the library's own batch, and how it answers meanwhile.

    make bench

Every client sends photos and waits for each result, for a minute; one more looks at lists of photos all the time.
Photos are 1-megapixel rendered faces, drawn before anything is timed; no account sends two of one side, so that nothing
is compared over time. A photo counts in the rate when its result came within the minute. Where other programs run, CPU
time tells more than the rate.
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
from itertools import cycle
from pathlib import Path
from typing import Any

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
WARM = 4  # accounts that send one photo before the minute begins
Task = tuple[tuple[str, str], bytes]  # token and side, photo


@dataclass
class Tally:
    """What the clients met, filled by their threads."""

    uploads_s: list[float] = field(default_factory=list)
    in_time: int = 0  # results that came before the end
    reads_s: list[float] = field(default_factory=list)
    busy: int = 0  # answers 503, which ask to come again
    failed: list[str] = field(default_factory=list)


def photos(number: int) -> list[bytes]:
    """JPEGs that differ in a little noise."""
    image = cv2.resize(sample_face().image, SIZE, interpolation=cv2.INTER_AREA).astype(np.int16)
    rng = np.random.default_rng(0)
    drawn = []
    for _ in range(number):
        noisy = np.clip(image + rng.integers(-2, 3, (*image.shape[:2], 1)), 0, 255).astype(np.uint8)
        drawn.append(simplejpeg.encode_jpeg(np.ascontiguousarray(noisy), quality=90, colorsubsampling="420"))
    return drawn


def library_rate(pictures: list[bytes]) -> tuple[float, float]:
    """Photos a second of `comedo.analyze_many`, and CPU seconds a photo."""
    list(analyze_many(pictures[:2]))
    start, used = time.perf_counter(), time.process_time()
    if any(outcome.error for outcome in analyze_many(pictures)):
        raise RuntimeError("a rendered photo was refused; run the tests")
    done = len(pictures)
    return done / (time.perf_counter() - start), (time.process_time() - used) / done


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


def used_by(pid: int) -> tuple[float, float]:
    """Resident memory in MB, and CPU seconds so far, of a process and its children."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid=,rss=,cputimes="], capture_output=True, text=True, check=True)
    rows = [[int(v) for v in line.split()] for line in listed.stdout.splitlines()]
    family = {pid}
    for _ in range(4):
        family |= {child for child, parent, _, _ in rows if parent in family}
    own = [row for row in rows if row[0] in family]
    return sum(row[2] for row in own) / 1024, sum(row[3] for row in own)


def watch(pid: int, end: float, memory_mb: list[float]) -> None:
    """Note the memory every five seconds."""
    while time.perf_counter() < end:
        memory_mb.append(used_by(pid)[0])
        time.sleep(5)


def ask(url: str, token: str, body: bytes | None = None) -> dict[str, Any]:
    """One answer."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "image/jpeg", "Prefer": "wait=30"}
    with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=120) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def upload(base: str, work: Iterator[Task], lock: threading.Lock, end: float, tally: Tally) -> None:
    """Send photos until the end, one after the other."""
    while time.perf_counter() < end:
        with lock:
            (token, view), jpeg = next(work)
        start = time.perf_counter()
        while time.perf_counter() < end:
            try:
                sent = ask(f"{base}/api/v1/photos?view={view}", token, jpeg)
            except urllib.error.HTTPError as error:
                if error.code == 503:
                    tally.busy += 1
                    time.sleep(float(error.headers["Retry-After"]))
                    continue
                tally.failed.append(f"{error.code} {error.read()[:200]!r}")
            except OSError as error:
                tally.failed.append(repr(error))
            else:
                if sent["photo"]["analysis"] is None:
                    tally.failed.append("no result within 30 s")
                else:
                    tally.uploads_s.append(time.perf_counter() - start)
                    tally.in_time += time.perf_counter() < end
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
    """Run both and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=32, help="that send photos")
    parser.add_argument("--seconds", type=float, default=60, help="of sending")
    given = parser.parse_args()
    pictures = photos(48)
    rate, library_s = library_rate(pictures)
    tally, lock, memory_mb = Tally(), threading.Lock(), list[float]()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        known = open_accounts(data, WARM + max(16, round(rate * given.seconds / len(VIEWS) * 1.5)))
        work = zip(((token, view) for token in known[WARM:] for view in VIEWS), cycle(pictures), strict=False)
        with served(data) as (base, pid):
            warm_up(base, known[:WARM], pictures)
            used, end = used_by(pid)[1], time.perf_counter() + given.seconds
            clients = [
                threading.Thread(target=upload, args=(base, work, lock, end, tally)) for _ in range(given.clients)
            ]
            clients.append(threading.Thread(target=look, args=(base, known[WARM], end, tally)))
            clients.append(threading.Thread(target=watch, args=(pid, end, memory_mb)))
            for client in clients:
                client.start()
            for client in clients:
                client.join()
            service_s = (used_by(pid)[1] - used) / max(len(tally.uploads_s), 1)
    report(tally, rate, (library_s, service_s), memory_mb, given.seconds)


def warm_up(base: str, known: list[str], pictures: list[bytes]) -> None:
    """One photo of each account at once: every worker has loaded its networks, as the library had."""
    senders = [
        threading.Thread(target=ask, args=(f"{base}/api/v1/photos", token, jpeg))
        for token, jpeg in zip(known, pictures, strict=False)
    ]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()


def report(tally: Tally, rate: float, cpu_s: tuple[float, float], memory_mb: list[float], seconds: float) -> None:
    """Print the table."""
    table = Table("figure", "value")
    done, sent = tally.in_time / seconds, len(tally.uploads_s) + len(tally.failed)
    thirds = [part.max(initial=0) for part in np.array_split(memory_mb, 3)]
    for name, value in (
        ("library's own batch, photos a second", f"{rate:.2f}"),
        ("service, photos with their result a second", f"{done:.2f}"),
        ("ratio (floor 0.80)", f"{done / rate:.2f}"),
        ("CPU a photo: library / service", f"{1000 * cpu_s[0]:.0f} / {1000 * cpu_s[1]:.0f} ms"),
        (
            "upload to result, median / p95",
            f"{statistics.median(tally.uploads_s):.1f} / {percentile_ms(tally.uploads_s, 0.95) / 1000:.1f} s",
        ),
        (
            "list of photos, median / p95 (limit 100)",
            f"{percentile_ms(tally.reads_s, 0.5):.0f} / {percentile_ms(tally.reads_s, 0.95):.0f} ms",
        ),
        ("failed", f"{len(tally.failed)} of {sent} ({len(tally.failed) / max(sent, 1):.1%})"),
        ("asked to come again (503)", str(tally.busy)),
        (
            "memory of all processes, most in each third",
            " / ".join(f"{most:.0f}" for most in thirds) + " MB",
        ),
    ):
        table.add_row(name, value)
    Console().print(table, *tally.failed[:3])


if __name__ == "__main__":
    main()
