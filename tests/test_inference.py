from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from builders import fresh_python
from comedo import inference
from comedo.errors import ModelError
from comedo.inference import WEIGHTS, choose_model, load_network, read_manifest, read_weights, run_many, usable_cores


def write_model(folder: Path, data: bytes = b"weights", *, file: str = "m.onnx", digest: str | None = None) -> None:
    (folder / Path(file).name).write_bytes(data)
    entry = {"name": "m", "file": file, "sha256": digest or hashlib.sha256(data).hexdigest()}
    (folder / "manifest.json").write_text(json.dumps({"models": [entry]}))


def test_weights_come_with_their_traced_name(tmp_path: Path) -> None:
    write_model(tmp_path)
    data, name = read_weights("m", tmp_path)
    assert data == b"weights"
    assert name == "m@sha256:" + hashlib.sha256(b"weights").hexdigest()


def test_an_altered_file_is_refused(tmp_path: Path) -> None:
    write_model(tmp_path)
    (tmp_path / "m.onnx").write_bytes(b"Weights")
    with pytest.raises(ModelError, match="was altered"):
        read_weights("m", tmp_path)


def test_a_link_is_refused(tmp_path: Path) -> None:
    write_model(tmp_path)
    (tmp_path / "real").write_bytes(b"weights")
    (tmp_path / "m.onnx").unlink()
    (tmp_path / "m.onnx").symlink_to(tmp_path / "real")
    with pytest.raises(ModelError, match="plain file"):
        read_weights("m", tmp_path)


def test_a_path_in_the_manifest_is_refused(tmp_path: Path) -> None:
    write_model(tmp_path, file="../m.onnx")
    with pytest.raises(ModelError, match="plain file"):
        read_weights("m", tmp_path)


@pytest.mark.weights
def test_a_network_is_loaded_with_one_reading_of_the_manifest(monkeypatch: pytest.MonkeyPatch) -> None:
    readings = []
    monkeypatch.setattr(inference, "read_manifest", lambda folder: readings.append(folder) or read_manifest(folder))
    assert load_network("face-map").name.startswith("face-map")
    assert readings == [WEIGHTS]


def test_an_unknown_model_is_named(tmp_path: Path) -> None:
    write_model(tmp_path)
    with pytest.raises(ModelError, match="no model 'x'"):
        read_weights("x", tmp_path)


@pytest.mark.parametrize("text", ["", "{}", '{"models": [{}]}', "[1]"], ids=["empty", "no models", "no name", "list"])
def test_a_damaged_manifest_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(ModelError, match="damaged"):
        read_manifest(tmp_path)


def test_no_manifest(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="holds no manifest"):
        read_manifest(tmp_path)


def test_at_least_one_core() -> None:
    assert usable_cores() >= 1


class Doubles:
    name = "doubles"

    def run(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.asarray(image[0, 0, :1], np.float32)[:, None] * 2


@pytest.mark.parametrize("count", [0, 1, 2, 9])
def test_results_keep_the_order_of_the_pictures(count: int) -> None:
    pictures = [np.full((32, 32, 3), i, np.uint8) for i in range(count)]
    assert [float(x[0, 0]) for x in run_many(Doubles(), pictures)] == [2.0 * i for i in range(count)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_has_threads_of_its_own() -> None:
    # Servers and multiprocessing fork; a pool without its threads would wait for ever. SIGALRM ends such a child.
    code = """
import os, signal, warnings
import numpy as np
from comedo import inference
warnings.simplefilter("ignore")
inference.usable_cores = lambda: 2
class Echo:
    name = "echo"
    def run(self, image):
        return image[..., 0].astype(np.float32)
pictures = [np.full((32, 32, 3), i, np.uint8) for i in range(4)]
inference.run_many(Echo(), pictures)
child = os.fork()
if child == 0:
    signal.alarm(20)
    os._exit(0 if len(inference.run_many(Echo(), pictures)) == 4 else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    assert fresh_python(code).strip() == "0"


def write_twins(folder: Path, *, twin_of: str) -> None:
    entries = [
        {"name": "m", "file": "m.onnx", "sha256": "aa"},
        {"name": "m-int8", "file": "m-int8.onnx", "sha256": "bb", "data": {"twin_of": twin_of}},
    ]
    (folder / "manifest.json").write_text(json.dumps({"models": entries}))


@pytest.mark.parametrize(
    ("setting", "fast", "twin_of", "chosen"),
    [
        pytest.param("auto", False, "aa", "m", id="slow-integers"),
        pytest.param("auto", True, "aa", "m-int8", id="fast-integers"),
        pytest.param("float32", True, "aa", "m", id="forbidden"),
        pytest.param("int8", False, "aa", "m-int8", id="asked-for"),
        pytest.param("int8", True, "of another network", "m", id="stale-twin"),
    ],
)
def test_the_twin_is_taken_where_it_is_faster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str, fast: bool, twin_of: str, chosen: str
) -> None:
    write_twins(tmp_path, twin_of=twin_of)
    monkeypatch.setenv("COMEDO_PRECISION", setting)
    monkeypatch.setattr("comedo.inference.fast_integers", lambda: fast)
    assert choose_model("m", tmp_path) == chosen


def test_an_unknown_precision_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_twins(tmp_path, twin_of="aa")
    monkeypatch.setenv("COMEDO_PRECISION", "float16")
    with pytest.raises(ModelError, match="must be auto, float32 or int8, got 'float16'"):
        choose_model("m", tmp_path)
