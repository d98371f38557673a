"""Wiring: the shipped weights are loaded once, whoever asks first."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from comedo import build


def test_threads_that_come_first_together_load_the_weights_once(monkeypatch: pytest.MonkeyPatch) -> None:
    together = Barrier(4)
    loaded: list[object] = []

    def load() -> object:
        loaded.append(object())
        return loaded[-1]

    def ask(_: int) -> object:
        together.wait(timeout=10)
        return build.default_analyzer()

    monkeypatch.setattr(build, "build_analyzer", load)
    build._shipped.cache_clear()
    try:
        with ThreadPoolExecutor(4) as pool:
            assert len(set(pool.map(ask, range(4)))) == 1
        assert len(loaded) == 1
    finally:
        build._shipped.cache_clear()
