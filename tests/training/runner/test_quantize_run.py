"""The 8-bit twin of a run's network, measured beside it."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs comedo[train]")
pytest.importorskip("lightning", reason="needs comedo[train]")

from typer.testing import CliRunner

from comedo.errors import UnusableInput
from comedo.inference import read_manifest
from comedo.training.evaluation.evaluate import Evaluation
from comedo.training.figures import Figure, Section
from comedo.training.predict.trained import open_trained
from comedo.training.runner import registry
from comedo.training.runner.quantize import lost_table, mean_difference, quantize_run
from comedo.training.runner.run import train_run
from recipe_trials import FEW
from toy_task import Toy, toy_recipe

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of ONNX, inside its quantiser
]


def test_a_lesion_net_in_eight_bits_loses_little(lesion_run, rendered, tmp_path):
    out = tmp_path / "run"
    shutil.copytree(lesion_run[0], out)
    made = quantize_run(out, data=rendered, cache=rendered / "cache", examples=6, rounds=FEW, quiet=True)
    dice, dice8 = (e.sections[0].figures[0] for e in (made.whole, made.twin))
    assert dice.value == lesion_run[1].evaluation.sections[0].figures[0].value
    assert dice8.value > dice8.baseline
    assert abs(dice8.value - dice.value) < 0.1
    assert 0 < made.entry.parity < 0.1
    cards = read_manifest(out)
    twin = cards["lesion-segmentation-int8"]
    assert twin.twin_of == cards["lesion-segmentation"].sha256
    asked = open_trained(out, twin=True)
    assert asked.model == f"lesion-segmentation-int8@sha256:{made.entry.sha256}"
    assert asked.metrics["photos"]["Dice"] == dice8.value
    assert open_trained(out).metrics["photos"]["Dice"] == dice.value
    assert "| Dice |" in (out / "quantized.md").read_text()
    assert not list(out.glob("*draft*"))


def test_the_command_tells_what_is_lost(tmp_path, monkeypatch):
    from comedo.training.cli import app

    monkeypatch.setattr(registry, "TASKS", {"toy": ("toy_task", "Toy")})
    train_run(Toy(), toy_recipe(), data=tmp_path, out=tmp_path / "run", quiet=True)
    done = CliRunner().invoke(app, ["quantize", str(tmp_path / "run"), "--data", str(tmp_path), "--pictures", "8"])
    assert done.exit_code == 0, done.output
    assert "| accuracy | " in done.stdout
    entry = next(m for m in json.loads((tmp_path / "run/manifest.json").read_text())["models"] if "int8" in m["name"])
    assert entry["recipe"]["examples"] == 8
    assert (tmp_path / "run/toy-int8.onnx").exists()


def test_what_is_no_run_is_told(tmp_path):
    from comedo.training.cli import app

    with pytest.raises(UnusableInput, match="holds no run"):
        quantize_run(tmp_path, data=tmp_path)
    done = CliRunner().invoke(app, ["quantize", "lesion-map"])
    assert done.exit_code == 2
    assert "--weights" in done.output


def test_the_table_by_hand():
    def evaluation(name: str, *values: float | None) -> Evaluation:
        figures = tuple(Figure(n, v, None, None, "") for n, v in zip(("F1", "QWK"), values, strict=True))
        return Evaluation("data", "val", name, "", (Section("photos", 4, 2, figures),))

    table = lost_table(evaluation("net", 0.5, 0.25), evaluation("net-int8", 0.75, None))
    assert "| F1 | 0.500 | 0.750 | +0.250 |" in table
    assert "| QWK | 0.250 | – | – |" in table
    assert "**photos**: 4 photos of 2 people" in table


def test_the_mean_difference_of_all_answers():
    def answers(*values: float):
        return lambda arrays: {"a": np.array(values[:2]), "b": np.array(values[2:])}

    assert mean_difference(answers(0, 1, 5), answers(0, 2, 4), [{}, {}]) == pytest.approx(0.75)
    assert mean_difference(answers(0, 1), answers(0, 1), []) == 0
