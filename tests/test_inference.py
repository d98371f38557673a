from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from comedo.errors import ModelError
from comedo.inference import read_manifest, read_weights, usable_cores


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
    with pytest.raises(ModelError, match="cannot be read"):
        read_manifest(tmp_path)


def test_at_least_one_core() -> None:
    assert usable_cores() >= 1
