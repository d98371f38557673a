"""What every test gets: no network, and a clear skip where the shipped networks are needed and absent."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

import cases
import comedo

MANIFEST = Path(comedo.__file__).parent / "weights" / "manifest.json"
LOOPBACK = ("127.0.0.1", "::1", "localhost")
HERE = Path(__file__).parent
TOGETHER = ("service", "training")  # folders whose tests share what is dear: a database server, a trained network


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:  # which tests stay in one process where several run (make test JOBS=2)
        place = item.path.relative_to(HERE)
        item.add_marker(pytest.mark.xdist_group(place.parts[0] if place.parts[0] in TOGETHER else str(place)))
    if MANIFEST.exists():
        return
    skip = pytest.mark.skip(reason="the shipped networks are absent: train and export them first")
    for item in items:
        if "weights" in item.keywords:
            item.add_marker(skip)


@pytest.fixture(scope="session")
def sample_files(tmp_path_factory: pytest.TempPathFactory) -> cases.Files:
    """Photo, analysis and mask of the rendered sample face, made once."""
    return cases.sample_case(tmp_path_factory.mktemp("sample"))


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any connection or name look-up beyond this machine fails the test."""
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def refuse(address: object) -> None:
        host = address[0] if isinstance(address, tuple) else address
        if isinstance(address, tuple) and host not in LOOPBACK:
            pytest.fail(f"a test reached for the network: {address}")

    def guarded_connect(self: socket.socket, address: object) -> None:
        refuse(address)
        connect(self, address)

    def guarded_look_up(host: object, *rest: object, **more: object) -> object:
        refuse((host,))
        return look_up(host, *rest, **more)

    monkeypatch.setattr(socket.socket, "connect", guarded_connect)
    monkeypatch.setattr(socket, "getaddrinfo", guarded_look_up)
