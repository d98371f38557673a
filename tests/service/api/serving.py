"""`comedo serve` in a process of its own, and a client that needs no package."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import comedo


class Running:
    """A service in a process of its own."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("COMEDO_")},
            "PYTHONPATH": str(Path(comedo.__file__).parents[1]),
            **environment,
        }
        command = [sys.executable, "-m", "comedo", "serve", "--port", "0", "--data", str(folder / "data")]
        self.log = (folder / "log").open("w+b")
        self.process = subprocess.Popen(
            command, env=self.environment, stdout=subprocess.PIPE, stderr=self.log, text=True, cwd=folder
        )
        line = self.process.stdout.readline()
        found = re.match(r"comedo is at (http://127\.0\.0\.1:(\d+))(?:/start#(\S+))?", line)
        assert found, (line, self.read_log())
        self.url, self.port, self.token = found[1], int(found[2]), found[3]
        self.cookie = ""

    def read_log(self) -> str:
        self.log.flush()
        return Path(self.log.name).read_text()

    def ask(self, path: str, body: object = None, **headers: str) -> Any:
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        known = {"Cookie": self.cookie, "Sec-Fetch-Site": "same-origin", "Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, data, {k: v for k, v in (known | headers).items() if v})
        try:
            return urllib.request.urlopen(request, timeout=600)
        except urllib.error.HTTPError as error:
            return error

    def open(self) -> None:
        answer = self.ask("/api/v1/sessions/start", {"token": self.token})
        self.cookie = answer.headers["Set-Cookie"].partition(";")[0]

    def upload(self, photo: bytes) -> dict[str, Any]:
        """Send a photo and wait until it is analysed."""
        given = {"Content-Type": "image/jpeg", "Prefer": "wait=30"}
        sent = json.load(self.ask("/api/v1/photos?view=front", photo, **given))
        path = f"/api/v1/photos/{sent['photo']['id']}"
        wait_for(lambda: json.load(self.ask(path))["analysis"] is not None)
        shown: dict[str, Any] = json.load(self.ask(path))
        return shown

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(300)
        self.log.close()
        self.process.stdout.close()
        return code


def wait_for(reached: Callable[[], object], seconds: float = 600) -> None:
    """Until it is so."""
    until = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < until, "it took too long"
        time.sleep(0.02)


def face_jpeg() -> bytes:
    """The rendered sample face, small."""
    from comedo.report.pictures import to_jpeg
    from comedo.synthetic import sample_face

    return to_jpeg(sample_face().image, max_side=900)
