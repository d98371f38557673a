"""Severity from region patches, on rendered faces."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs comedo[train]")
pytest.importorskip("lightning", reason="needs comedo[train]")

import torch

from comedo.errors import UnusableInput
from comedo.training.severity.faces import PatchExamples, cut, labels_of
from comedo.training.severity.judge import MEASURES, GradeRow, by_person, draw_grades
from comedo.training.severity.network import Coral, SeverityExport, build_net, head_loss
from comedo.training.severity.recipe import Net
from comedo.training.severity.task import fit_line
from comedo.types import Region
from drawn import save
from recipe_trials import figure, kill_in_epoch, look_and_answer, predict, run_small, small_recipe

SMALL = (
    "grades=[clear, mild, moderate, severe]",
    "net.hidden=[32]",
    "net.dropout=0",
    "patches.side=96",
    "schedule.per_step=24",
    "schedule.rate=0.01",
    "schedule.encoder_share=0.1",
    "augment.light=0.15",
    "augment.white_balance=0.1",
)
SHORT = (*SMALL, "schedule.epochs=2", "schedule.steps=2")


@pytest.fixture(scope="module")
def faces(rendered, tmp_path_factory):
    task, recipe = small_recipe("severity", *SMALL)
    return recipe, task.items(recipe, rendered, rendered / "cache")


@pytest.fixture(scope="module")
def graded(rendered, lesion_run, tmp_path_factory):
    """Runs of the two recipes, each trained when first asked for."""
    made = {}

    def run(name):
        if name not in made:
            out = tmp_path_factory.mktemp(name) / "run"
            start = f"net.weights={lesion_run[0] / 'last.ckpt'}"
            made[name] = out, run_small(name, rendered, out, *SMALL, start, "schedule.epochs=12", "watch.share=0")
        return made[name]

    return run


@pytest.mark.parametrize("name", ["severity", "severity-ordinal"])
def test_it_learns_to_grade(name, graded):
    out, result = graded(name)
    for figured in ("RMSE", *(["RPS"] if name == "severity-ordinal" else [])):
        found = figure(result, figured)
        assert found.value < found.baseline
    assert [s.name.split()[0] for s in result.evaluation.sections] == ["photos", "people"]
    drawn = {p.stem for p in out.glob("*.svg")}
    assert drawn == {"confusion", "precision-recall", "scores"} | (
        {"calibration"} if name == "severity-ordinal" else set()
    )


@pytest.mark.parametrize("name", ["severity", "severity-ordinal"])
def test_new_photos_get_the_grade_that_held_back_ones_got(name, graded, rendered):
    for row, answer in look_and_answer(graded(name)[0], rendered, 3):
        assert answer["score"] == pytest.approx(row.score, abs=1e-4)
        assert answer["grade"] == row.said
        assert answer["grade_name"] == ("clear", "mild", "moderate", "severe")[row.said]
        if name == "severity":
            assert answer["probabilities"] is None
        else:
            assert list(answer["probabilities"].values()) == pytest.approx(row.probs, abs=1e-4)


def test_without_a_face_there_is_no_grade_unless_it_is_asked_for(graded, rendered, tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (200, 160, 3), dtype=np.uint8)
    (tmp_path / "photos").mkdir()
    save(tmp_path / "photos/noise.png", noise)
    shutil.copy(rendered / "photos/5-3.png", tmp_path / "photos/face.png")
    run = graded("severity")[0]
    done, (face, none), rows = predict(run, tmp_path / "photos", "--out", tmp_path / "out")
    assert done.exit_code == 3
    assert "noise.png: no face was found" in done.stderr
    assert face["answer"]["patches"] == ["forehead", "left_cheek", "right_cheek", "chin"]
    assert none["answer"] is None
    assert none["error"]["code"] == "no_face"
    assert none["photos"][0]["sha256"] is not None
    assert [(row["grade"] == "", row["error_code"]) for row in rows] == [(False, ""), (True, "no_face")]
    done, (_, whole), _ = predict(run, tmp_path / "photos", "--out", tmp_path / "out", "--without-face")
    assert done.exit_code == 0
    assert whole["answer"]["patches"] == ["whole photo"]
    assert whole["notices"] == ["no face was found: the whole photo was graded as one patch"]


@pytest.mark.parametrize("kept", [True, False])
def test_face_maps_are_kept_where_it_is_asked_for(kept, graded, rendered, tmp_path, monkeypatch):
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    photo, options = rendered / "photos/5-3.png", ("--cache", tmp_path / "cache") if kept else ()
    done, *_ = predict(graded("severity")[0], photo, "--out", tmp_path / "out", *options)
    assert done.exit_code == 0
    assert len(list(tmp_path.glob("cache/faces/*.png"))) == kept
    assert not list((tmp_path / "temporary").iterdir())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        pytest.param(("--format", "coco"), "name the file or folder to write them to with --labels", id="format"),
        pytest.param(("--way", "slices"), "--way is for detectors; a run of severity goes without it", id="way"),
        pytest.param(("--cut-off", "0.5"), "--cut-off is for detectors", id="cut-off"),
        pytest.param(("--labels", "x.json"), "marks no lesions: leave --labels out", id="labels"),
        pytest.param(("--twin",), "holds no 8-bit twin", id="twin"),
    ],
)
def test_options_of_other_tasks_are_refused(options, words, graded, rendered, tmp_path):
    done, *_ = predict(graded("severity")[0], rendered / "photos", "--out", tmp_path / "out", *options)
    assert done.exit_code == 2
    assert words in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_killed_run_goes_on_to_the_same_network(rendered, tmp_path):
    whole = run_small("severity", rendered, tmp_path / "whole", *SHORT, "net.dropout=0.2")
    kill_in_epoch(1, "severity", rendered, tmp_path / "killed", *SHORT, "net.dropout=0.2")
    again = run_small("severity", rendered, tmp_path / "killed", *SHORT, "net.dropout=0.2")
    assert again.entry.sha256 == whole.entry.sha256


def test_frontal_faces_have_four_patches(faces):
    _, found = faces
    assert Counter(len(face.boxes) for face in found).most_common(1)[0][0] == 4
    assert {region for face in found for region in face.boxes} >= {Region.FOREHEAD, Region.CHIN}


def test_rarer_grades_get_more_rolled_copies(faces):
    recipe, found = faces
    rare = [f for f in found if f.grade != 3] + [f for f in found if f.grade == 3][:2]
    number = {g: sum(f.grade == g for f in rare) for g in (0, 3)}
    assert number == {0: 6, 3: 2}
    examples = PatchExamples(recipe, rare, learning=True)
    copies = Counter(rare[face].grade for face, _, copy, _ in examples._places if copy)
    patches = Counter(rare[face].grade for face, _, copy, _ in examples._places if not copy)
    # 2 + max(0, floor(6 / n) - 1) copies of each patch
    assert copies[0] == 2 * patches[0]
    assert copies[3] == 4 * patches[3]


def test_held_back_patches_are_neither_rolled_nor_changed(faces):
    recipe, found = faces
    examples = PatchExamples(recipe, found[:3], learning=False)
    assert len(examples) == sum(len(face.boxes) for face in found[:3])
    first, second = (examples.draw(0, np.random.default_rng(seed)) for seed in (1, 2))
    assert (first["patch"] == second["patch"]).all()
    assert first["label"].tolist() == [1, 0, 0, 0]


def test_votes_and_smoothing_make_distributions(faces):
    recipe, found = faces
    split = next(f for f in found if f.votes == [1, 0])
    assert labels_of(recipe, [split])[0].tolist() == [0.5, 0.5, 0, 0]
    assert labels_of(replace(recipe, votes=False), [split])[0].tolist() == [0, 1, 0, 0]
    soft = labels_of(replace(recipe, smoothing=0.5), [split])[0]
    assert soft.sum() == pytest.approx(1)
    assert (soft > 0).all()


def test_the_thresholds_of_coral_rise_whatever_it_learnt():
    head = Coral(3, 5)
    with torch.no_grad():
        head.steps[:] = torch.tensor([-9.0, 4.0, 0.0])
        worse = torch.sigmoid(head(torch.randn(20, 3)))
    assert (worse[:, :-1] >= worse[:, 1:]).all()


@pytest.mark.parametrize(
    ("head", "output", "label", "loss"),
    [
        pytest.param("regression", [[1.5]], [0.5, 0, 0.5], 0.25, id="distance from the mean of the votes"),
        pytest.param("regression", [[2.0]], [0, 0, 1.0], 0.0, id="right"),
        pytest.param("coral", [[0.0, 0.0]], [0, 1.0, 0], float(np.log(2)), id="even odds of each step"),
        pytest.param("coral", [[40.0, -40.0]], [0, 1.0, 0], 0.0, id="worse than 0, not worse than 1"),
        pytest.param(
            "distribution", [[0.0, 0.0, 0.0]], [0.2, 0.3, 0.5], float(np.log(3)), id="even odds of each grade"
        ),
    ],
)
def test_losses_take_distributions(head, output, label, loss):
    found = head_loss(head, torch.tensor(output), torch.tensor([label], dtype=torch.float32))
    assert float(found) == pytest.approx(loss, abs=1e-6)


@pytest.mark.parametrize("head", ["coral", "distribution"])
def test_ordinal_heads_answer_with_probabilities(head, tmp_path):
    net = build_net(Net(backbone="small", hidden=(8,), head=head), tmp_path, 4).eval()
    with torch.no_grad():
        score, probs = SeverityExport(net, head)(torch.randint(0, 255, (3, 32, 32, 3), dtype=torch.uint8))
    assert probs.sum(1).tolist() == pytest.approx([1] * 3, abs=1e-5)
    assert (probs >= 0).all()
    assert score.tolist() == pytest.approx((probs @ torch.arange(4.0)).tolist(), abs=1e-5)


def test_a_frozen_backbone_stays_as_it_was(tmp_path):
    net = build_net(Net(backbone="small", frozen=True, hidden=(8,)), tmp_path, 4).train()
    assert not net.encoder.training
    assert not any(p.requires_grad for p in net.encoder.parameters())
    assert net.layers.training


@pytest.mark.parametrize(
    ("said", "true", "line"),
    [
        pytest.param([1.0, 2.0, 3.0], [0.0, 2.0, 4.0], (2.0, -2.0), id="stretched"),
        pytest.param([3.0, 2.0, 1.0], [0.0, 1.0, 2.0], (0.0, 1.0), id="worse than nothing: the mean grade"),
        pytest.param([1.5, 1.5], [0.0, 1.0], (0.0, 0.5), id="always the same"),
    ],
)
def test_the_line_from_scores_to_grades(said, true, line):
    assert fit_line(said, true) == pytest.approx(line)


def test_scores_are_brought_to_the_grades_of_watched_people(faces, tmp_path):
    recipe, found = faces
    task, _ = small_recipe("severity", *SMALL)
    net = task.build(recipe, tmp_path, found).eval()
    task.settle(recipe, net, found[:5])
    assert net.line.tolist() == [1, 0]  # too few to tell
    task.settle(recipe, net, found)
    patches = [
        torch.from_numpy(np.stack([cut(f.read(), b, recipe.patches.side) for b in f.boxes.values()])) for f in found
    ]
    with torch.no_grad():
        said = [float(SeverityExport(net, "regression")(p).mean()) for p in patches]
    assert np.mean(said) == pytest.approx(np.mean([f.grade for f in found]), abs=1e-3)


@pytest.mark.parametrize("head", ["coral", "corn", "distribution"])
def test_rolled_copies_do_not_make_rare_grades_likely(head, faces, tmp_path):
    _, found = faces
    task, recipe = small_recipe("severity", *SMALL, f"net.head={head}")
    rare = [f for f in found if f.grade != 3] + [f for f in found if f.grade == 3][:2]  # six of each other grade
    net = task.build(recipe, tmp_path, rare).eval()
    assert net.shares.tolist() == pytest.approx([1 / 3, 1 / 3, 1 / 3, 1 / 5])
    plain = build_net(recipe.net, tmp_path, 4).eval()
    plain.load_state_dict({**net.state_dict(), "shares": torch.ones(4)})
    with torch.no_grad():
        picture = torch.randint(0, 255, (2, 32, 32, 3), dtype=torch.uint8)
        (_, probs), (_, learnt) = (SeverityExport(n, head)(picture) for n in (net, plain))
    expected = learnt * net.shares / (learnt * net.shares).sum(1, keepdim=True)
    assert torch.allclose(probs, expected, atol=1e-6)


def test_people_are_the_mean_of_their_photos():
    rows = [GradeRow("a", "p", 1.0, 1, 4), GradeRow("b", "p", 2.0, 3, 4), GradeRow("c", "q", 0.2, 0, 4)]
    merged = by_person(rows)
    assert [(r.person, r.score, r.true) for r in merged] == [("p", 1.5, 2.0), ("q", 0.2, 0.0)]
    figures = {m.name: m.of(rows) for m in MEASURES}
    assert figures["RMSE"] == pytest.approx(((0 + 1 + 0.04) / 3) ** 0.5)
    assert figures["MAE"] == pytest.approx(1.2 / 3)
    assert figures["accuracy"] == pytest.approx(2 / 3)
    assert figures["RPS"] is None
    assert figures["calibration error"] is None
    # Nearest grades 1, 2, 0: each photo has a range of its own.
    assert figures["score calibration"] == pytest.approx((0 + 1 + 0.2) / 3)
    assert all(m.of([]) is None for m in MEASURES)


def test_what_ordinal_heads_say_is_compared_with_shares_of_each_grade():
    sure = (1.0, 0.0, 0.0)
    rows = [GradeRow(n, n, 0.0, true, 3, sure) for n, true in (("a", 0), ("b", 0), ("c", 1), ("d", 2))]
    figures = {m.name: m.of(rows) for m in MEASURES}
    # "At least 1" and "at least 2" are said never; true of two photos and of one in four.
    assert figures["calibration error"] == pytest.approx((2 / 4 + 1 / 4) / 2)
    assert figures["score calibration"] == pytest.approx(3 / 4)
    drawn = draw_grades(rows, ("clear", "mild", "severe"))
    assert "mild (4): error 0.500" in drawn["calibration"]
    assert "severe (4): error 0.250" in drawn["calibration"]
    assert "mild: AP 0.50, by chance 0.50" in drawn["precision-recall"]
    assert "said 0, true 0.75, 4 of them" in drawn["scores"]
    plain = [replace(r, probs=None) for r in rows]
    assert set(draw_grades(plain, ("clear", "mild", "severe"))) == {"confusion", "precision-recall", "scores"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param("grades=[one]", "two grades", id="one grade"),
        pytest.param("patches.side=100", "multiple of 32", id="an odd side"),
        pytest.param("augment.paste=3", "augment.paste to 0", id="pasting"),
    ],
)
def test_a_recipe_that_makes_no_sense_is_refused(change, words):
    with pytest.raises(UnusableInput, match=words):
        small_recipe("severity", change)


def test_a_grade_that_the_recipe_does_not_name_is_refused(rendered):
    task, recipe = small_recipe("severity", *SMALL, "grades=[clear, mild, moderate]")
    with pytest.raises(UnusableInput, match="has grade 3"):
        task.items(recipe, rendered, rendered / "cache")
