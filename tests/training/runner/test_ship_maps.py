import json

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs comedo[train]")

import torch

from comedo.errors import ModelError
from comedo.inference import read_manifest, read_weights
from comedo.training.face_map.model import FaceExport, build_face_net
from comedo.training.lesion_map.model import LesionExport, build_lesion_net
from comedo.training.manifest import Entry, add_to_manifest, sha256_of
from comedo.training.runner.contract import Shipped
from comedo.training.runner.plan import Ship
from comedo.training.runner.ship import example_pictures, export_checked, largest_difference
from comedo.training.unet_task import ship_map


def entry(name, file, **more):
    values = {"sha256": "0", "date": "2026-01-01", "recipe": {}, "data": {}, "metrics": {}, "parity": 0.0}
    return Entry(name=name, file=file, input="", output="", terms="", **(values | more))


@pytest.mark.parametrize(
    ("build", "shipped", "channels"),
    [(build_lesion_net, LesionExport, 6), (build_face_net, FaceExport, 10)],
    ids=["lesion map", "face map"],
)
def test_networks_compute_the_same_in_onnx_runtime_at_every_size(tmp_path, build, shipped, channels):
    torch.manual_seed(1)
    path = tmp_path / "net.onnx"
    difference = export_checked(ship_map(build(), shipped, ""), path, Ship())
    assert 0 < difference < 1e-4
    import onnxruntime as ort

    (maps,) = ort.InferenceSession(str(path)).run(None, {"image": np.zeros((1, 64, 128, 3), np.uint8)})
    assert maps.shape == (1, channels, 32, 64)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["net.onnx"]


class Unsteady(torch.nn.Module):
    """Computes something else each time it is asked."""

    def __init__(self):
        super().__init__()
        self.calls = 0

    def forward(self, image):
        self.calls += 1
        return image.permute(0, 3, 1, 2).float() * self.calls


def test_a_file_that_computes_something_else_is_refused_and_removed(tmp_path):
    pictures = [{"image": picture[None]} for picture in example_pictures([(32, 32)])]
    unsteady = Shipped(Unsteady(), pictures, ("maps",), "", "")
    with pytest.raises(ModelError, match="ONNX Runtime and torch differ by"):
        export_checked(unsteady, tmp_path / "net.onnx", Ship())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("found", "wanted", "difference"),
    [
        pytest.param([0.5, 0.2], [0.5, 0.1], 0.1, id="absolute below 1"),
        pytest.param([110.0], [100.0], 0.1, id="relative above 1"),
        pytest.param([1.0], [1.0], 0.0, id="equal"),
    ],
)
def test_largest_difference(found, wanted, difference):
    assert largest_difference(np.array(found), np.array(wanted)) == pytest.approx(difference)


def test_example_pictures_are_seeded():
    first, again = (example_pictures([(32, 64), (64, 32)]) for _ in range(2))
    assert [p.shape for p in first] == [(32, 64, 3), (32, 64, 3), (64, 32, 3), (64, 32, 3)]
    assert all((a == b).all() for a, b in zip(first, again, strict=True))


def test_the_runtime_reads_the_manifest(tmp_path):
    (tmp_path / "a.onnx").write_bytes(b"weights")
    add_to_manifest(tmp_path, entry("b", "b.onnx"))
    add_to_manifest(tmp_path, entry("a", "a.onnx"))
    path = add_to_manifest(tmp_path, entry("a", "a.onnx", sha256=sha256_of(b"weights"), parity=1e-5))
    assert list(read_manifest(tmp_path)) == ["a", "b"]
    assert read_weights("a", tmp_path)[0] == b"weights"
    assert json.loads(path.read_text())["models"][0]["parity"] == 1e-5
