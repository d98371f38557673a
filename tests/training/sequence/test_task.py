"""On rendered faces, in seconds: trains, goes on after a kill, exports, and beats "no change"."""

import shutil
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

pytest.importorskip("lightning", reason="needs comedo[train]")

from comedo.build import build_analyzer
from comedo.errors import UnusableInput
from comedo.training.figures import Rounds
from comedo.training.leaks import LeakyData, guard
from comedo.training.predict.trained import open_trained
from comedo.training.runner.fit import Machine
from comedo.training.runner.plan import Schedule, Watch
from comedo.training.runner.run import train_run
from comedo.training.sequence.answer import other_finder, series_answer
from comedo.training.sequence.framing import Framing
from comedo.training.sequence.plan import DrawPlan, NetPlan, SequenceRecipe
from comedo.training.sequence.probes import probes
from comedo.training.sequence.series import Course, Series, save_frames
from comedo.training.sequence.task import SequenceChange, asked
from drawn import save
from large_lesions import SIDE, faces_of, large_lesions
from recipe_trials import predict

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


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """Folders of two photos of a held-back person: who gets better, and the same by the order of names alone."""
    folder = tmp_path_factory.mktemp("people")
    clear, covered = faces_of(100)
    for name, order in (("dated", ("2026-01-30.png", "2025-11-02.png")), ("named", ("day10.png", "day9.png"))):
        for file, face in zip(order, (clear[0], covered[0]), strict=True):
            save(folder / name / file, face.image)
    return folder


def test_new_photos_get_the_answer_that_the_held_back_series_got(trained, task, people, tmp_path):
    out = trained[1]
    done, (dated, named), rows = predict(out, people, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    opened = open_trained(out)
    row = task.look(opened.recipe, opened.run, next(s for s in task.series if s.name == "100-better"))
    for said in (dated["answer"], named["answer"]):
        assert said["probabilities"] == pytest.approx(
            dict(zip(("worse", "same", "better"), row.probs, strict=True)), abs=1e-4
        )
        assert said["sound_series_probability"] == pytest.approx(row.sound, abs=1e-4)
        assert said["course"] == (None if row.answer is None else row.answer.name.lower())
        assert said["photos_used"] == 2
    assert [p["taken"] for p in dated["photos"]] == ["2025-11-02T00:00:00", "2026-01-30T00:00:00"]
    assert [p["name"] for p in named["photos"]] == ["day9.png", "day10.png"]
    assert dated["notices"] == []
    assert "order of their names" in named["notices"][0]
    assert [r["photo"] for r in rows] == ["dated", "named"]
    assert [len(r["sha256"].split()) for r in rows] == [2, 2]


def test_photos_of_a_series_that_cannot_be_used_are_left_out(trained, people, tmp_path):
    shutil.copytree(people / "dated", tmp_path / "anna")
    (tmp_path / "anna/2025-12-24.png").write_bytes(b"no photo")
    shutil.copy(tmp_path / "anna/2026-01-30.png", tmp_path / "anna/copy of 2026-01-30.png")
    done, (said,), _ = predict(trained[1], tmp_path / "anna", "--out", tmp_path / "out")
    assert done.exit_code == 2
    assert "anna/2025-12-24.png: a photo must be JPEG" in done.stderr
    assert said["answer"]["photos_used"] == 2
    assert [(p["name"], p["sha256"] is None) for p in said["photos"]] == [
        ("2025-11-02.png", False),
        ("2025-12-24.png", True),
        ("2026-01-30.png", False),
    ]
    assert "copy of 2026-01-30.png was left out: it is a copy" in said["notices"][0]
    assert "2025-12-24.png was left out: a photo must be" in said["notices"][1]


def test_one_photo_is_no_series(trained, people, tmp_path):
    done, (said,), _ = predict(trained[1], people / "dated/2026-01-30.png", "--out", tmp_path / "out")
    assert done.exit_code == 3
    assert said["answer"] is None
    assert said["error"]["message"].startswith("a series wants two photos or more with a face, 1 of these 1 show one")


@pytest.mark.parametrize(
    ("probs", "sound", "course", "words"),
    [
        pytest.param((0.1, 0.0, 0.9), 0.9, "better", "better (probability 0.90)", id="better"),
        pytest.param((0.3, 0.0, 0.7), 0.9, None, "cannot tell: the likeliest course has", id="not sure"),
        pytest.param((0.9, 0.1, 0.0), 0.3, None, "cannot tell: that these photos are of one person", id="unsound"),
    ],
)
def test_an_answer_in_words(probs, sound, course, words):
    said = series_answer(RECIPE, probs, sound, 7, ())
    assert said.values["course"] == course
    assert said.sentence.startswith(words)
    assert said.values["photos_used"] == 5
    assert said.notices == ("of 7 photos the network took the first and the 4 newest",)


def test_lesions_found_by_another_map_than_in_training_are_told(trained):
    framing = Framing(SIDE, lesions=True, load=cache(build_analyzer))
    assert other_finder(framing, trained[0].entry.input) == ()
    assert "another lesion map" in other_finder(framing, "faces and lesions found by lesion-map@sha256:0")[0]
    assert other_finder(replace(framing, lesions=False), "faces") == ()


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
