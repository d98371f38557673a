"""Detectors in two processes: together they learn what one process learns from all pictures of a step."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs comedo[train]")
pytest.importorskip("lightning", reason="needs comedo[train]")

import torch

from comedo.training.command import RECIPES
from comedo.training.detection.backbones import BackboneName
from comedo.training.detection.dense import Truth
from comedo.training.detection.detector import Detector
from comedo.training.detection.losses import ClassLoss
from comedo.training.detection.plan import DetectorKind, DetectorPlan
from comedo.training.figures import Rounds
from comedo.training.recipe import read_values
from comedo.training.runner.registry import read_run
from comedo.training.runner.run import Machine, train_run
from comedo.training.runner.shares import share_of_all
from two_processes import in_two_processes

# Four lesions on the first picture and one on the second: an even share of the positives is nobody's own number.
TRUTHS = (
    Truth(
        torch.tensor([[10.0, 12, 26, 30], [40, 36, 56, 50], [4, 44, 20, 60], [38, 6, 50, 18]]),
        torch.tensor([0, 1, 1, 0]),
    ),
    Truth(torch.tensor([[24.0, 20, 40, 38]]), torch.tensor([1])),
)
CASES = {
    "TOOD, first by ATSS": (DetectorPlan(kind=DetectorKind.TOOD), 0.0),
    "TOOD": (DetectorPlan(kind=DetectorKind.TOOD), 0.9),
    "ATSS": (DetectorPlan(kind=DetectorKind.ATSS), 0.9),
    "ATSS by GHM-C": (DetectorPlan(kind=DetectorKind.ATSS, class_loss=ClassLoss.GHM_C), 0.9),
    "CenterNet": (DetectorPlan(kind=DetectorKind.CENTERNET), 0.9),
}


def detector(name: str) -> Detector:
    torch.manual_seed(3)
    tiny = {"backbone": BackboneName.RESNEXT_TINY, "width": 16, "stacked": 1, "strides": (4, 8)}
    return Detector(2, replace(CASES[name][0], **tiny))


def loss(net: Detector, name: str, mine: slice) -> torch.Tensor:
    """Of some of the pictures."""
    pictures = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(5))
    return torch.stack(list(net.losses(net(pictures[mine]), TRUTHS[mine], CASES[name][1]).values())).sum()


def gradient(name: str, mine: slice) -> np.ndarray:
    """Of that loss, by all weights of the head."""
    net = detector(name)
    net.encoder.eval()  # batch norms know nothing of the other process's pictures
    loss(net, name, mine).backward()
    return np.concatenate([p.grad.numpy().ravel() for p in net.head.parameters() if p.grad is not None])


@torch.no_grad()
def watched(name: str) -> float:
    """The loss of the second picture where nobody learns."""
    return float(loss(detector(name).eval(), name, slice(1, 2)))


def one_of_two(rank: int) -> dict[str, np.ndarray]:
    """The gradients that a process of two gets from the picture that is its own."""
    found = {name: gradient(name, slice(rank, rank + 1)) for name in CASES}
    if rank == 0:  # has more to watch than the other, which would not answer
        found |= {f"{name}, watched": np.array(watched(name)) for name in CASES}
    return found


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """What two processes get."""
    return in_two_processes(one_of_two, tmp_path_factory.mktemp("processes"))


@pytest.mark.parametrize("name", CASES)
def test_the_mean_gradient_of_two_processes_is_that_of_one(name, both):
    one, two = gradient(name, slice(0, 2)), np.mean([found[name] for found in both], axis=0)
    assert np.abs(one).max() > 0
    assert np.abs(one - two).max() < 1e-3 * np.abs(one).max()


@pytest.mark.parametrize("name", CASES)
def test_what_is_watched_is_asked_of_no_other_process(name, both):
    assert both[0][f"{name}, watched"] == pytest.approx(watched(name), rel=1e-4)


@pytest.mark.parametrize(("amount", "least", "wanted"), [(0, 1.0, 1), (0.3, 1.0, 1), (5, 1.0, 5), (0, 0, 0)])
def test_who_learns_alone_divides_by_the_own_amount(amount, least, wanted):
    given = torch.tensor(amount)
    assert share_of_all(given, learning=True, least=least).item() == wanted
    assert given.item() == pytest.approx(amount)


TINY_RUN = (
    "sets=[{labels: annotations.json}]",
    "types=[red, brown]",
    "pretrained=null",
    "repeats=4",
    "ways=[whole]",
    "detector.backbone=resnext-tiny",
    "detector.width=16",
    "detector.stacked=1",
    "detector.strides=[4, 8]",
    "crops.size=96",
    "serve.longest=96",
    "serve.tile=96",
    "schedule.epochs=2",
    "schedule.steps=4",
    "schedule.per_step=4",
    "schedule.rate=0.003",
    "schedule.warmup=2",
    "schedule.precision=float32",
    "watch.share=0.3",
)


def losses(out: Path) -> list[float]:
    return [float(row["train/loss"]) for row in csv.DictReader((out / "log.csv").read_text().splitlines())]


def test_two_devices_train_a_detector_as_one_does(closeups, tmp_path):
    """Within a tenth of the losses: each process's batch norms see half of the pictures of a step."""
    changes = [flag for change in TINY_RUN for flag in ("--set", change)]
    command = [sys.executable, "-m", "comedo.training.cli", "train", "detect-tood", *changes, "--device", "cpu"]
    folders = ["--data", str(closeups), "--out", str(tmp_path / "two")]
    paths = {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*command, *folders, "--devices", "2"], capture_output=True, text=True, timeout=600, env={**os.environ, **paths}
    )
    assert done.returncode == 0, done.stderr
    task, recipe = read_run(read_values(RECIPES / "detect-tood.yaml", TINY_RUN), "detect-tood")
    train_run(task, recipe, data=closeups, out=tmp_path / "one", machine=Machine("cpu"), quiet=True, rounds=Rounds(5))
    assert losses(tmp_path / "two") == pytest.approx(losses(tmp_path / "one"), rel=0.1)
    assert (tmp_path / "two/detector.onnx").exists()
