"""One training on other terms: killed by a signal, on two machines, with worker processes, in mixed precision."""

from __future__ import annotations

import csv
import json
import os
import pickle
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs comedo[train]")
pytest.importorskip("lightning", reason="needs comedo[train]")

import torch

import comedo
import toy_task
from comedo.training.runner.feed import training_feed, watching_feed
from comedo.training.runner.fit import LAST
from comedo.training.runner.run import train_run
from recipe_trials import EACH_TASK, LESION_NET, LESION_RUN, QUICK, SETS, figure, shipped_recipe, small_recipe
from toy_task import Toy, toy_recipe

COMMAND = f"""
import os, signal, sys
sys.path[:0] = {[str(Path(m.__file__).parents[n]) for m, n in ((comedo, 1), (toy_task, 0))]}
from comedo import cli
from comedo.training.runner import registry
from toy_task import Toy

class Dying(Toy):
    def loss(self, recipe, net, batch, epoch):
        if epoch == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().loss(recipe, net, batch, epoch)

sys.modules["tasks_here"] = sys.modules["__main__"]
registry.TASKS = {{"toy": ("tasks_here", os.environ.get("TOY", "Toy"))}}
cli.main()
"""
YAML = """
task: toy
description: bright or dark
dropout: {dropout}
schedule: {{epochs: 4, per_step: 8, rate: 0.01, warmup: 1, precision: float32}}
watch: {{share: 0.2}}
"""


@pytest.fixture
def command(tmp_path):
    """Starts `comedo train` of the toy task in a process of its own."""

    def start(*flags: str, dropout: float = 0.2, **environment: str) -> subprocess.Popen[str]:
        (tmp_path / "toy.yaml").write_text(YAML.format(dropout=dropout))
        (tmp_path / "command.py").write_text(COMMAND)
        arguments = ["train", "toy.yaml", "--device", "cpu", "--out", "run", *flags]
        return subprocess.Popen(
            [sys.executable, "command.py", *arguments],
            cwd=tmp_path,
            env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    return start


def losses(out: Path, name: str = "watch/loss") -> list[float]:
    return [float(row[name]) for row in csv.DictReader((out / "log.csv").read_text().splitlines())]


def test_a_run_that_a_signal_killed_ends_with_the_same_bytes(command, tmp_path):
    killed = command(TOY="Dying")
    said, _ = killed.communicate(timeout=600)
    assert killed.returncode == -signal.SIGKILL, said
    assert torch.load(tmp_path / "run" / LAST, weights_only=False)["epoch"] == 1
    again = train_run(Toy(), toy_recipe(), data=tmp_path, out=tmp_path / "run", quiet=True)
    whole = train_run(Toy(), toy_recipe(), data=tmp_path, out=tmp_path / "whole", quiet=True)
    assert again.entry.sha256 == whole.entry.sha256
    assert (tmp_path / "run/log.csv").read_text() == (tmp_path / "whole/log.csv").read_text()


def test_two_machines_learn_what_one_learns(command, tmp_path):
    """The same command on each; the environment says who is who. Both are this machine, and meet on its loopback."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = str(found.getsockname()[1])
    place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    machines = [command("--nodes", "2", dropout=0.0, NODE_RANK=rank, **place) for rank in "01"]
    said = [machine.communicate(timeout=600)[0] for machine in machines]
    assert [machine.returncode for machine in machines] == [0, 0], "\n".join(said)
    train_run(Toy(), toy_recipe(dropout=0.0), data=tmp_path, out=tmp_path / "one", quiet=True)
    assert losses(tmp_path / "run") == pytest.approx(losses(tmp_path / "one"), rel=1e-3)
    assert (tmp_path / "run/toy.onnx").exists()


def test_two_processes_learn_to_mark_lesions_as_one_does(rendered, lesion_run, tmp_path):
    """Within 0.1 of Dice: each process's batch norms see half of the pictures of a step."""
    changes = [flag for change in (SETS, *QUICK, *LESION_RUN) for flag in ("--set", change)]
    folders = ["--data", str(rendered), "--cache", str(rendered / "cache"), "--out", str(tmp_path)]
    command = [sys.executable, "-m", "comedo.training.cli", "train", "lesion-segmentation", *changes, *folders]
    paths = {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*command, "--device", "cpu", "--devices", "2"],
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, **paths},
    )
    assert done.returncode == 0, done.stderr
    (section,) = json.loads((tmp_path / "evaluation.json").read_text())["sections"]
    two = next(f["value"] for f in section["figures"] if f["name"] == "Dice")
    assert two == pytest.approx(figure(lesion_run[1], "Dice").value, abs=0.1)


def test_mixed_precision_learns_nearly_the_same(tmp_path):
    plain = toy_recipe(dropout=0.0)
    mixed = replace(plain, schedule=replace(plain.schedule, precision="bf16"))
    results = [
        train_run(Toy(), recipe, data=tmp_path, out=tmp_path / recipe.schedule.precision, quiet=True)
        for recipe in (plain, mixed)
    ]
    ours, theirs = losses(tmp_path / "bf16", "train/loss"), losses(tmp_path / "float32", "train/loss")
    assert ours == pytest.approx(theirs, rel=0.05)
    assert ours != theirs
    (accuracy,) = results[1].evaluation.sections[0].figures
    assert accuracy.value > accuracy.baseline
    weights = torch.load(tmp_path / "bf16" / LAST, weights_only=False)["state_dict"]
    assert {w.dtype for w in weights.values()} == {torch.float32}


@pytest.fixture(scope="module")
def crops(rendered):
    """Task, recipe and examples with everything that is drawn: places, zoom, light, pasted lesions."""
    task, recipe = small_recipe("lesion-segmentation", *LESION_NET, "augment.paste=2", "schedule.per_step=3")
    recipe = replace(recipe, schedule=replace(recipe.schedule, steps=2))
    photos = task.items(recipe, rendered, rendered / "cache")[4:8]
    return task, recipe, task.examples(recipe, photos, learning=True)


def arrays(batches) -> list[dict[str, np.ndarray]]:
    return [{name: tensor.numpy() for name, tensor in batch.items()} for batch in batches]


@pytest.mark.filterwarnings("ignore:This DataLoader will create")  # on a machine of one core
def test_two_workers_draw_the_batches_of_none(crops):
    task, recipe, examples = crops
    drawn = []
    for workers in (0, 2):
        feed = training_feed(task, recipe, examples, rank=0, world=1, workers=workers)
        drawn.append([])
        for epoch in (0, 1):
            feed.sampler.set_epoch(epoch)
            drawn[-1] += arrays(feed)
    assert len(drawn[0]) == len(drawn[1]) == 4
    for ours, theirs in zip(*drawn, strict=True):
        assert ours.keys() == theirs.keys()
        assert all((ours[name] == theirs[name]).all() for name in ours)
    assert (drawn[0][0]["image"] != drawn[0][2]["image"]).any()


def test_watched_examples_are_the_same_in_every_epoch(crops):
    task, recipe, examples = crops
    feed = watching_feed(task, recipe, examples, rank=0, world=1, workers=0)
    first, second = arrays(feed), arrays(feed)
    assert all((a["image"] == b["image"]).all() for a, b in zip(first, second, strict=True))


@EACH_TASK
def test_what_another_process_draws_is_the_same(name, changes, rendered):
    """Examples travel to workers by pickling."""
    task, recipe = shipped_recipe(name, *changes)
    items = task.items(recipe, rendered, rendered / "cache")[:3]
    examples = task.examples(recipe, items, learning=True)
    there = pickle.loads(pickle.dumps(examples))
    ours, theirs = (e.draw(2, np.random.default_rng([3, 1, 2])) for e in (examples, there))
    assert ours.keys() == theirs.keys()
    assert all(np.array_equal(ours[key], theirs[key]) for key in ours)
