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
from functools import cache
from pathlib import Path
from typing import Any

import comedo


class Client:
    """Asks a service, with the cookie that it was given."""

    url: str
    cookie: str = ""

    def ask(self, path: str, body: object = None, *, method: str | None = None, **headers: str) -> Any:
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        known = {"Cookie": self.cookie, "Sec-Fetch-Site": "same-origin", "Content-Type": "application/json"}
        given = {name: value for name, value in (known | headers).items() if value}
        try:
            return urllib.request.urlopen(
                urllib.request.Request(self.url + path, data, given, method=method), timeout=600
            )
        except urllib.error.HTTPError as error:
            return error

    def read(self, path: str) -> Any:
        """The JSON of an answer."""
        return json.load(self.ask(path))

    def send(self, photo: bytes, **headers: str) -> dict[str, Any]:
        """Send a photo; what became of it."""
        sent: dict[str, Any] = json.load(
            self.ask("/api/v1/photos?view=front", photo, **({"Content-Type": "image/jpeg"} | headers))
        )
        return sent

    def upload(self, photo: bytes) -> dict[str, Any]:
        """Send a photo and wait until it is analysed."""
        path = f"/api/v1/photos/{self.send(photo, Prefer='wait=30')['photo']['id']}"
        wait_for(lambda: self.read(path)["analysis"] is not None)
        shown: dict[str, Any] = self.read(path)
        return shown


class Running(Client):
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

    def read_log(self) -> str:
        self.log.flush()
        return Path(self.log.name).read_text()

    def open(self) -> None:
        answer = self.ask("/api/v1/sessions/start", {"token": self.token})
        self.cookie = answer.headers["Set-Cookie"].partition(";")[0]

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


@cache
def face_jpeg() -> bytes:
    """The rendered sample face, small."""
    from cases import rendered_sample
    from comedo.report.pictures import to_jpeg

    return to_jpeg(rendered_sample().image, max_side=900)
