"""A run from recipe to measured file, on drawn squares."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs comedo[train]")
pytest.importorskip("lightning", reason="needs comedo[train]")

import torch

import comedo
import toy_task
from comedo.errors import ModelError, UnusableInput
from comedo.training.leaks import LeakyData
from comedo.training.recipe import read_values
from comedo.training.runner import registry
from comedo.training.runner.claim import claim
from comedo.training.runner.fit import LAST
from comedo.training.runner.plan import Watch
from comedo.training.runner.run import evaluate_run, export_last, train_run
from toy_task import Toy, toy_recipe


class Killed(BaseException):
    """Like a signal: nothing catches it."""


class DyingToy(Toy):
    """Dies in the third epoch."""

    def loss(self, recipe, net, batch, epoch):
        if epoch == 2:
            raise Killed
        return super().loss(recipe, net, batch, epoch)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run from start to end; nobody writes into it."""
    folder = tmp_path_factory.mktemp("whole")
    return train_run(Toy(), toy_recipe(), data=folder, out=folder / "run", quiet=True), folder / "run"


def losses(out: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((out / "log.csv").read_text().splitlines()))


def test_a_run_ends_with_a_measured_described_network(whole):
    result, out = whole
    (accuracy,) = result.evaluation.sections[0].figures
    assert accuracy.value > accuracy.baseline == 0.5
    assert result.entry.parity < 1e-5
    assert json.loads((out / "manifest.json").read_text())["models"][0]["metrics"]["photos"] == {
        "accuracy": accuracy.value
    }
    card = (out / "MODEL_CARD.md").read_text()
    assert result.entry.sha256 in card
    assert "| accuracy |" in card
    assert "not a medical device" in card
    assert [row["epoch"] for row in losses(out)] == ["1", "2", "3", "4"]
    assert list((out / "tensorboard").glob("events*"))
    assert result.entry.data["items"] == {"train": 48, "val": 12}


def test_the_card_names_the_recipe_that_lies_beside_it(whole, tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "TASKS", {"toy": ("toy_task", "Toy")})
    out = whole[1]
    assert f"`comedo train run/recipe.json --data {out.parent.name} --out run`" in (out / "MODEL_CARD.md").read_text()
    small = replace(toy_recipe(), schedule=replace(toy_recipe().schedule, weight_decay=1e-7))  # no number in YAML 1.1
    claim(tmp_path, small)
    for recipe, folder in ((toy_recipe(), out), (small, tmp_path)):
        assert registry.read_run(read_values(folder / "recipe.json"), "recipe.json")[1] == recipe


def test_an_export_alone_is_described_too(whole, tmp_path):
    for name in ("recipe.json", "last.ckpt", "best.ckpt"):
        shutil.copyfile(whole[1] / name, tmp_path / name)
    entry = export_last(Toy(), toy_recipe(), data=tmp_path, out=tmp_path)
    card = (tmp_path / "MODEL_CARD.md").read_text()
    assert entry.sha256 in card
    assert "Not measured" in card
    assert "| accuracy |" not in card


def test_a_killed_run_goes_on_to_the_same_network(whole, tmp_path):
    with pytest.raises(Killed):
        train_run(DyingToy(), toy_recipe(), data=tmp_path, out=tmp_path / "run", quiet=True)
    assert torch.load(tmp_path / "run" / LAST, weights_only=False)["epoch"] == 1
    result = train_run(Toy(), toy_recipe(), data=tmp_path, out=tmp_path / "run", quiet=True)
    assert result.entry.sha256 == whole[0].entry.sha256
    assert losses(tmp_path / "run") == losses(whole[1])


def test_averaged_weights_are_kept_beside_those_that_learn_and_gone_on_with(whole, tmp_path):
    slow = toy_recipe()
    slow = replace(slow, schedule=replace(slow.schedule, average=0.9))
    through = train_run(Toy(), slow, data=tmp_path, out=tmp_path / "through", quiet=True)
    with pytest.raises(Killed):
        train_run(DyingToy(), slow, data=tmp_path, out=tmp_path / "killed", quiet=True)
    resumed = train_run(Toy(), slow, data=tmp_path, out=tmp_path / "killed", quiet=True)
    assert resumed.entry.sha256 == through.entry.sha256 != whole[0].entry.sha256
    saved = torch.load(tmp_path / "through" / LAST, weights_only=False)
    averaged, learning = saved["state_dict"], saved["current_model_state"]
    assert all(torch.equal(learning[name], value) for name, value in last_weights(whole[1]).items())
    assert not any(torch.equal(averaged[name], value) for name, value in learning.items() if value.is_floating_point())
    slowly, plainly = ([row["watch/loss"] for row in losses(out)] for out in (tmp_path / "through", whole[1]))
    assert slowly != plainly


def last_weights(out):
    return torch.load(out / LAST, weights_only=False)["state_dict"]


def test_a_run_stops_when_nothing_gets_better_and_stays_stopped(tmp_path):
    hopeless = toy_recipe(watch=Watch(share=0.2, patience=1))
    hopeless = replace(hopeless, schedule=replace(hopeless.schedule, rate=3.0, epochs=30))
    first = train_run(Toy(), hopeless, data=tmp_path, out=tmp_path / "run", quiet=True)
    assert first.epochs < 30
    assert first.best_epoch < first.epochs
    again = train_run(Toy(), hopeless, data=tmp_path, out=tmp_path / "run", quiet=True)
    assert (again.epochs, again.entry.sha256) == (first.epochs, first.entry.sha256)


def test_a_run_is_not_continued_with_another_recipe(whole):
    with pytest.raises(UnusableInput, match="another recipe"):
        train_run(Toy(), toy_recipe(squares=40), data=whole[1].parent, out=whole[1], quiet=True)


class MovedToy(Toy):
    """Somebody who was learnt from is held back now."""

    def items(self, recipe, root, cache):
        return [replace(s, split="val") if s.person == "person-0" else s for s in super().items(recipe, root, cache)]


def test_a_run_is_not_continued_on_other_photos(whole, tmp_path):
    for name in ("recipe.json", "data.json", "last.ckpt", "best.ckpt"):
        shutil.copyfile(whole[1] / name, tmp_path / name)
    with pytest.raises(UnusableInput, match=r"holds a run on other photos, people or splits .*choose another --out"):
        train_run(MovedToy(), toy_recipe(), data=tmp_path, out=tmp_path, quiet=True)
    with pytest.raises(UnusableInput, match="other photos"):
        export_last(MovedToy(), toy_recipe(), data=tmp_path, out=tmp_path)
    (tmp_path / "data.json").write_text("{")
    with pytest.raises(UnusableInput, match=r"data\.json is damaged"):
        train_run(Toy(), toy_recipe(), data=tmp_path, out=tmp_path, quiet=True)


class LeakyToy(Toy):
    """Somebody stands on both sides."""

    def items(self, recipe, root, cache):
        first, *others = super().items(recipe, root, cache)
        return [replace(first, split="val"), *others]


def test_a_person_on_both_sides_stops_the_run(tmp_path):
    with pytest.raises(LeakyData, match="1 of 30 people"):
        train_run(LeakyToy(), toy_recipe(), data=tmp_path, out=tmp_path / "run", quiet=True)
    assert not (tmp_path / "run" / LAST).exists()


def test_an_allowed_leak_is_written_down(tmp_path):
    result = train_run(LeakyToy(), toy_recipe(), data=tmp_path, out=tmp_path / "run", allow_leaks=True, quiet=True)
    assert "person-0" in result.entry.data["leaks_allowed"][0]


def test_a_run_is_measured_again_with_the_same_figures(whole, monkeypatch):
    monkeypatch.setattr(registry, "TASKS", {"toy": ("toy_task", "Toy")})
    result, out = whole
    assert evaluate_run(out, data=out.parent, quiet=True) == result.evaluation


def test_an_altered_network_is_not_measured(whole, tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "TASKS", {"toy": ("toy_task", "Toy")})
    for name in ("recipe.json", "manifest.json", "toy.onnx"):
        (tmp_path / name).write_bytes((whole[1] / name).read_bytes())
    (tmp_path / "toy.onnx").write_bytes((whole[1] / "toy.onnx").read_bytes()[:-1] + b"\x00")
    with pytest.raises(ModelError, match="altered"):
        evaluate_run(tmp_path, data=tmp_path, quiet=True)


SCRIPT = f"""
import sys
sys.path[:0] = {[str(Path(m.__file__).parents[n]) for m, n in ((comedo, 1), (toy_task, 0))]}
from comedo import cli
from comedo.training.runner import registry
registry.TASKS = {{"toy": ("toy_task", "Toy")}}
cli.main()
"""
YAML = """
task: toy
description: two processes
dropout: 0.0
schedule: {epochs: 3, per_step: 8, rate: 0.01, warmup: 1, precision: float32}
watch: {share: 0.2}
"""


def test_two_processes_learn_what_one_learns(tmp_path):
    """By the command, whose two flags start the processes; gloo carries the gradients."""
    (tmp_path / "two.py").write_text(SCRIPT)
    (tmp_path / "two.yaml").write_text(YAML)
    command = [sys.executable, "two.py", "train", "two.yaml", "--device", "cpu", "--devices", "2", "--out", "two"]
    alone = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
    }  # two processes with a thread for each core would wait for each other
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=600, env=alone)
    assert done.returncode == 0, done.stderr
    one = toy_recipe(description="two processes", dropout=0.0)
    one = replace(one, schedule=replace(one.schedule, epochs=3))
    result = train_run(Toy(), one, data=tmp_path, out=tmp_path / "one", quiet=True)
    ours, theirs = losses(tmp_path / "two"), losses(tmp_path / "one")
    assert [float(r["watch/loss"]) for r in ours] == pytest.approx([float(r["watch/loss"]) for r in theirs], rel=1e-3)
    figures = json.loads((tmp_path / "two" / "evaluation.json").read_text())["sections"][0]["figures"]
    assert figures[0]["value"] == result.evaluation.sections[0].figures[0].value


@pytest.mark.parametrize(
    ("device", "words"),
    [
        pytest.param("tpu", "auto, cpu or cuda", id="no device of ours"),
        pytest.param(
            "cuda",
            "no CUDA",
            id="no such device here",
            marks=pytest.mark.skipif(torch.cuda.is_available(), reason="there is one"),
        ),
    ],
)
def test_a_device_that_is_not_there_is_named(device, words, tmp_path):
    from comedo.training.runner.fit import Machine

    with pytest.raises(UnusableInput, match=words):
        train_run(Toy(), toy_recipe(), data=tmp_path, out=tmp_path / "run", machine=Machine(device), quiet=True)
