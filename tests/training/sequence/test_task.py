"""On rendered faces, in seconds: trains, goes on after a kill, exports, and beats "no change"."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

pytest.importorskip("lightning", reason="needs comedo[train]")

from comedo.build import build_analyzer
from comedo.errors import UnusableInput
from comedo.training.figures import Rounds
from comedo.training.leaks import LeakyData, guard
from comedo.training.runner.fit import Machine
from comedo.training.runner.plan import Schedule, Watch
from comedo.training.runner.run import train_run
from comedo.training.sequence.framing import Framing
from comedo.training.sequence.plan import DrawPlan, NetPlan, SequenceRecipe
from comedo.training.sequence.probes import probes
from comedo.training.sequence.series import Course, Series, save_frames
from comedo.training.sequence.task import SequenceChange, asked
from large_lesions import SIDE, large_lesions

RECIPE = SequenceRecipe(
    description="a rehearsal",
    schedule=Schedule(epochs=16, steps=8, per_step=8, rate=3e-3, warmup=10, precision="float32"),
    watch=Watch(share=0),
    draw=DrawPlan(gaps=0.2, unsound=0.2),
    net=NetPlan(side_px=SIDE, lesions=True, most_photos=5, widths=(8, 12, 16, 16), hidden=24),
)


class LargeLesions(SequenceChange):
    """The task on series that a small network can learn in seconds."""

    def __init__(self, series):
        self.series = series

    def items(self, recipe, root, cache):
        return [*self.series, *probes([s for s in self.series if s.split == "val"], cache)]


@pytest.fixture(scope="module")
def task(tmp_path_factory):
    """Rendered, and their lesions found by comedo's own networks, once for all tests here."""
    framing = Framing(SIDE, lesions=True, load=cache(build_analyzer))
    return LargeLesions(large_lesions(tmp_path_factory.mktemp("faces"), framing, people=3, held_back=2))


def run(task, out, recipe=RECIPE):
    return train_run(task, recipe, data=out, out=out, machine=Machine(device="cpu"), quiet=True, rounds=Rounds(20))


@pytest.fixture(scope="module")
def trained(task, tmp_path_factory):
    pytest.importorskip("torch")
    out = tmp_path_factory.mktemp("run")
    return run(task, out), out


def sections(evaluation):
    return {s.name: {f.name: f for f in s.figures} for s in evaluation.sections}


def test_it_tells_changes_of_other_people_and_beats_no_change(trained):
    found = sections(trained[0].evaluation)["rendered"]
    assert found["balanced_accuracy"].value > 0.6 > found["balanced_accuracy"].baseline
    assert found["qwk"].value > 0.6 > found["qwk"].baseline
    assert found["changes_told"].value >= 0.5 > found["changes_told"].baseline
    assert found["changes_turned_round"].value == 0
    assert found["false_changes"].value == 0


def test_spoilt_series_are_measured_apart(trained):
    found = sections(trained[0].evaluation)
    assert {"noise (rendered)", "stranger (rendered)"} <= set(found)
    assert found["noise (rendered)"]["balanced_accuracy"].value is None
    assert found["noise (rendered)"]["false_changes"].baseline == 0


def test_noise_is_called_neither_better_nor_worse_by_a_net_that_answers_of_faces(trained):
    found = sections(trained[0].evaluation)
    assert found["rendered"]["no_answer"].value <= 0.5
    assert found["noise (rendered)"]["no_answer"].value == 1
    assert found["noise (rendered)"]["false_changes"].value == 0


def test_the_exported_network_computes_the_same(trained):
    entry = trained[0].entry
    assert entry.parity < 1e-3
    assert entry.input.startswith("faces (1, 5, 64, 64, 4) uint8 RGB and active lesions found by lesion-map")
    assert {p.stem for p in trained[1].glob("*.svg")} == {"courses", "calibration", "answers"}


class Killed(BaseException):
    """Like a signal: nothing catches it."""


def test_a_killed_run_goes_on_to_the_same_network(task, tmp_path, monkeypatch):
    short = replace(RECIPE, schedule=replace(RECIPE.schedule, epochs=2, steps=2))
    whole = run(task, tmp_path / "whole", short)
    loss, calls = SequenceChange.loss, []

    def dying(self, *arguments):
        calls.append(1)
        if len(calls) > 3:
            raise Killed
        return loss(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(SequenceChange, "loss", dying)
        with pytest.raises(Killed):
            run(task, tmp_path / "killed", short)
    assert run(task, tmp_path / "killed", short).entry.sha256 == whole.entry.sha256


def test_a_person_on_both_sides_stops_the_training(tmp_path):
    frames = [np.full((64, 64, 3), 100 + i, np.uint8) for i in range(2)]
    path = save_frames(tmp_path / "a.npy", frames)
    both = [Series(f"own/{s}", "anna", s, "own", Course.SAME, path) for s in ("train", "val")]
    with pytest.raises(LeakyData, match="1 of 1 people"):
        guard(SequenceChange().members(both))


def test_a_recipe_without_series_is_refused(tmp_path):
    with pytest.raises(UnusableInput, match="names no series"):
        SequenceChange().items(SequenceRecipe(description="", schedule=RECIPE.schedule), tmp_path, tmp_path)
    with pytest.raises(UnusableInput, match="side_px must be a multiple of 64, got 96"):
        NetPlan(side_px=96)
    with pytest.raises(UnusableInput, match="spoilt must lie between 0 and 1, got 0"):
        replace(RECIPE, spoilt=0.0)


def test_long_series_keep_their_first_and_newest_photos():
    frames = np.arange(7, dtype=np.uint8)[:, None, None, None] * np.ones((1, 2, 2, 3), np.uint8)
    found = asked(frames, 4)
    assert found["faces"][0, :, 0, 0, 0].tolist() == [0, 4, 5, 6]
    assert asked(frames[:2], 4)["mask"].tolist() == [[True, True, False, False]]
