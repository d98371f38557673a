"""Wiring: the shipped weights are loaded once, whoever asks first."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from types import SimpleNamespace

import pytest

from comedo import build
from comedo.calibration import Calibration
from comedo.errors import ModelError


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


def test_the_networks_are_loaded_side_by_side_and_each_goes_to_its_place(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    together = Barrier(2)  # one after the other would wait here for ever

    def load(name: str, _: Path) -> SimpleNamespace:
        together.wait(timeout=10)
        return SimpleNamespace(name=name)

    monkeypatch.setattr(build, "load_network", load)
    (tmp_path / "calibration.json").write_text(Calibration().model_dump_json())
    built = build.build_analyzer(tmp_path)
    assert built.models == ("face-map", "lesion-map")
    assert built.finder.thresholds == Calibration().thresholds


def test_a_weights_folder_without_networks_is_named(tmp_path: Path) -> None:
    (tmp_path / "calibration.json").write_text(Calibration().model_dump_json())
    with pytest.raises(ModelError, match="manifest"):
        build.build_analyzer(tmp_path)
