"""The 8-bit twin of a network."""

import json
import shutil

import numpy as np
import pytest

from cases import rendered_sample
from comedo.errors import ModelError
from comedo.inference import WEIGHTS, choose_model, load_network, read_manifest
from comedo.training.calibration.weights_folder import install
from comedo.training.manifest import read_entries
from comedo.training.quantize import add_twin, mean_difference, put_in_place

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of ONNX, inside its quantiser


@pytest.mark.parametrize(
    ("wanted", "found", "difference"),
    [
        pytest.param([0.0, 0.05], [0.5, 0.5], 0.0, id="nothing-said"),
        pytest.param([0.5, 0.0], [0.4, 0.9], 0.1, id="only-where-something-is-said"),
        pytest.param([8.0], [6.0], 0.25, id="relative-above-one"),
        pytest.param([0.5, 8.0], [0.6, 8.0], 0.05, id="mean"),
    ],
)
def test_mean_difference(wanted, found, difference):
    assert mean_difference(np.array(wanted, np.float32), np.array(found, np.float32)) == pytest.approx(difference)


@pytest.fixture(scope="module")
def crops():
    """Pieces of the rendered sample face, (128, 128, 3)."""
    image = rendered_sample().image
    rng = np.random.default_rng(0)
    h, w = image.shape[:2]
    corners = [(int(rng.integers(h // 4, h // 2)), int(rng.integers(w // 4, w // 2))) for _ in range(10)]
    return [np.ascontiguousarray(image[y : y + 128, x : x + 128]) for y, x in corners]


@pytest.fixture(scope="module")
def twins(tmp_path_factory, crops):
    """A weights folder with the shipped lesion map and a fresh twin of it."""
    folder = tmp_path_factory.mktemp("weights")
    card = read_manifest()["lesion-map"]
    shutil.copyfile(WEIGHTS / card.file, folder / card.file)
    entries = json.loads((WEIGHTS / "manifest.json").read_text())["models"]
    (folder / "manifest.json").write_text(json.dumps({"models": [e for e in entries if e["name"] == "lesion-map"]}))
    return folder, add_twin("lesion-map", folder, crops[:8], crops[8:], limit=0.2)


def test_twin_says_nearly_the_same_in_a_third_of_the_bytes(twins, crops, monkeypatch):
    folder, entry = twins
    assert 0 < entry.metrics["mean_difference"] < 0.2
    assert (folder / entry.file).stat().st_size < 0.4 * (folder / "lesion-map.onnx").stat().st_size
    monkeypatch.setenv("COMEDO_PRECISION", "int8")
    eight = load_network("lesion-map", folder)
    monkeypatch.setenv("COMEDO_PRECISION", "float32")
    whole = load_network("lesion-map", folder)
    assert eight.name == f"lesion-map-int8@sha256:{entry.sha256}"
    assert whole.name.startswith("lesion-map@")
    picture = crops[-1]
    assert mean_difference(whole.run(picture), eight.run(picture)) < 0.2


def test_twin_too_far_away_is_not_left_behind(twins, crops):
    folder, _ = twins
    before = (folder / "manifest.json").read_bytes()
    with pytest.raises(ModelError, match="differs by"):
        add_twin("lesion-map", folder, crops[:4], crops[8:], limit=1e-6)
    assert (folder / "manifest.json").read_bytes() == before
    assert not list(folder.glob("*draft*"))


def test_a_twin_takes_the_place_of_its_network(twins, tmp_path):
    folder, twin = twins
    copy = tmp_path / "weights"
    shutil.copytree(folder, copy)
    before = next(e for e in read_entries(folder) if e.name == "lesion-map")
    entry = put_in_place(twin, copy)
    assert read_entries(copy) == [entry]
    assert entry.data == before.data, "what it learnt from stays known"
    assert entry.recipe["integers"] == twin.recipe
    assert sorted(p.name for p in copy.iterdir()) == ["lesion-map.onnx", "manifest.json"]
    assert load_network("lesion-map", copy).name == f"lesion-map@sha256:{twin.sha256}"


def test_installing_a_network_takes_the_old_twin_away(twins, tmp_path, monkeypatch):
    folder, entry = twins
    copy = tmp_path / "weights"
    shutil.copytree(folder, copy)
    monkeypatch.setenv("COMEDO_PRECISION", "int8")
    assert choose_model("lesion-map", copy) == "lesion-map-int8"
    run = tmp_path / "run"
    run.mkdir()
    (run / "lesion-map.onnx").write_bytes((copy / "lesion-map.onnx").read_bytes())
    from dataclasses import replace

    install(replace(entry, name="lesion-map", file="lesion-map.onnx", data={}), run, copy)
    assert sorted(read_manifest(copy)) == ["lesion-map"]
    assert not (copy / entry.file).exists()
    assert choose_model("lesion-map", copy) == "lesion-map"
