"""Wiring: the shipped weights are loaded once, whoever asks first."""

from __future__ import annotations

import hashlib
import json
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
    monkeypatch.setattr(build, "read_manifest", lambda _: dict.fromkeys(("face-map", "lesion-map")))
    (tmp_path / "calibration.json").write_text(Calibration().model_dump_json())
    built = build.build_analyzer(tmp_path)
    assert built.models == ("face-map", "lesion-map")
    assert built.finder.thresholds == Calibration().thresholds


def test_a_second_lesion_map_in_the_folder_looks_at_mirror_images(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(build, "load_network", lambda name, _: SimpleNamespace(name=name))
    monkeypatch.setattr(build, "read_manifest", lambda _: dict.fromkeys(build.OUTPUTS))
    (tmp_path / "calibration.json").write_text(Calibration().model_dump_json())
    assert build.build_analyzer(tmp_path).models == ("face-map", "lesion-map", "lesion-map-mirrored")


@pytest.mark.parametrize(
    ("own", "wanted"),
    [
        pytest.param(["face-map"], ["face-map", "lesion-map", "lesion-map-mirrored"], id="the shipped pair"),
        pytest.param(["lesion-map"], ["face-map", "lesion-map"], id="their own alone"),
        pytest.param(
            ["lesion-map", "lesion-map-mirrored"],
            ["face-map", "lesion-map", "lesion-map-mirrored"],
            id="their own pair",
        ),
    ],
)
def test_a_shipped_second_lesion_map_never_helps_a_users_own(
    monkeypatch: pytest.MonkeyPatch, own: list[str], wanted: list[str]
) -> None:
    monkeypatch.setattr(build, "read_manifest", lambda: dict.fromkeys(build.OUTPUTS))
    assert build._wanted(own) == wanted


def test_a_weights_folder_without_networks_is_named(tmp_path: Path) -> None:
    (tmp_path / "calibration.json").write_text(Calibration().model_dump_json())
    with pytest.raises(ModelError, match="manifest"):
        build.build_analyzer(tmp_path)


def own_folder(folder: Path, name: str, weights: bytes) -> Path:
    (folder / "net.onnx").write_bytes(weights)
    entry = {"name": name, "file": "net.onnx", "sha256": hashlib.sha256(weights).hexdigest()}
    (folder / "manifest.json").write_text(json.dumps({"models": [entry]}))
    return folder


def constant_network(channels: int, *, outside: bool = False) -> bytes:
    """An ONNX file that answers (1, channels, H/2, W/2) zeros to (1, H, W, 3)."""
    onnx = pytest.importorskip("onnx", reason="needs comedo[train]")
    helper, kinds = onnx.helper, onnx.TensorProto
    weight = helper.make_tensor("w", kinds.FLOAT, (channels, 3, 2, 2), bytes(4 * channels * 12), raw=True)
    if outside:
        onnx.external_data_helper.set_external_data(weight, location="../../etc/passwd")
        weight.ClearField("raw_data")
    nodes = [
        helper.make_node("Cast", ["image"], ["f"], to=kinds.FLOAT),
        helper.make_node("Transpose", ["f"], ["t"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["t", "w"], ["maps"], strides=[2, 2]),
    ]
    image = helper.make_tensor_value_info("image", kinds.UINT8, (1, "h", "w", 3))
    maps = helper.make_tensor_value_info("maps", kinds.FLOAT, None)
    graph = helper.make_graph(nodes, "net", [image], [maps], [weight])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString())


@pytest.mark.weights
def test_own_networks_take_the_place_of_the_shipped_ones(tmp_path: Path) -> None:
    folder = own_folder(tmp_path, "lesion-map", constant_network(6))
    analyzer, said = build.build_own(folder)
    shipped = build.build_analyzer()
    assert analyzer.models[0] == shipped.models[0]
    assert analyzer.models[1] == f"lesion-map@sha256:{hashlib.sha256(constant_network(6)).hexdigest()}"
    assert len(said) == 2
    assert "lesion-map@sha256" in said[0]
    assert "comedo calibrate" in said[1]
    (tmp_path / "calibration.json").write_text(Calibration().model_dump_json())
    assert len(build.build_own(folder)[1]) == 1


@pytest.mark.weights
@pytest.mark.parametrize(
    ("name", "channels", "outside", "words"),
    [
        pytest.param("severity", 6, False, "neither face-map nor lesion-map", id="another network"),
        pytest.param("lesion-map", 5, False, "answers 64 x 64 pixels", id="another shape"),
        pytest.param("lesion-map", 6, True, "weights in another file", id="weights outside"),
    ],
)
def test_networks_that_do_not_fit_are_refused(
    name: str, channels: int, outside: bool, words: str, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match=words):
        build.build_own(own_folder(tmp_path, name, constant_network(channels, outside=outside)))


@pytest.mark.weights
def test_a_network_that_something_else_can_change_is_refused(tmp_path: Path) -> None:
    folder = own_folder(tmp_path, "lesion-map", constant_network(6))
    (folder / "elsewhere.onnx").hardlink_to(folder / "net.onnx")
    with pytest.raises(ModelError, match="hard link"):
        build.build_own(folder)
    (folder / "net.onnx").unlink()
    (folder / "net.onnx").symlink_to(folder / "elsewhere.onnx")
    with pytest.raises(ModelError, match="plain file"):
        build.build_own(folder)


@pytest.mark.weights
def test_a_flipped_bit_is_refused(tmp_path: Path) -> None:
    weights = constant_network(6)
    folder = own_folder(tmp_path, "lesion-map", weights)
    (folder / "net.onnx").write_bytes(weights[:-1] + bytes([weights[-1] ^ 1]))
    with pytest.raises(ModelError, match="altered"):
        build.build_own(folder)
