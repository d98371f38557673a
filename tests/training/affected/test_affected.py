"""Affected or not, on rendered faces."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs comedo[train]")
pytest.importorskip("lightning", reason="needs comedo[train]")

import torch

from comedo.errors import UnusableInput
from comedo.training.affected.faces import masked_view
from comedo.training.affected.judge import MEASURES, AffectedRow, draw_answers
from comedo.training.affected.task import AffectedExport, fit_platt
from drawn import save
from recipe_trials import figure, kill_in_epoch, look_and_answer, predict, run_small, small_recipe

SMALL = (
    "least=6",  # of 0, 5, 12, 26 lesions, marks included
    "net.dropout=0",
    "view.side=256",
    "schedule.per_step=8",
    "schedule.rate=0.003",
    "schedule.encoder_share=0.1",
    "augment.light=0.2",
    "augment.white_balance=0.1",
)
SHORT = (*SMALL, "schedule.epochs=2", "schedule.steps=2")


@pytest.fixture(scope="module")
def judged(rendered, lesion_run, tmp_path_factory):
    out = tmp_path_factory.mktemp("affected") / "run"
    start = f"net.weights={lesion_run[0] / 'last.ckpt'}"
    return out, run_small("affected", rendered, out, *SMALL, start, "schedule.epochs=60", "watch.share=0")


def test_it_learns_who_is_affected(judged):
    out, result = judged
    mean_f1, auc = figure(result, "F1, mean"), figure(result, "ROC AUC")
    assert mean_f1.value > mean_f1.baseline
    assert auc.value > 0.8
    assert auc.baseline == 0.5
    assert {p.stem for p in out.glob("*.svg")} == {"confusion", "precision-recall", "calibration"}


def test_new_photos_are_judged_as_held_back_ones_were(judged, rendered):
    for row, answer in look_and_answer(judged[0], rendered, 3):
        assert answer["probability"] == pytest.approx(row.prob, abs=1e-4)
        assert answer["affected"] is row.called


def test_another_cut_off_calls_other_photos_affected(judged, rendered, tmp_path):
    photos = sorted((rendered / "photos").glob("5-*.png"))
    for cut, called in ((0, True), (1, False)):
        _, documents, _ = predict(
            judged[0], *photos, "--out", tmp_path / str(cut), "--cut-off", cut, "--cache", rendered / "cache"
        )
        assert [d["answer"]["affected"] for d in documents] == [called] * 4


def test_without_a_face_nobody_is_judged_unless_it_is_asked_for(judged, tmp_path):
    save(tmp_path / "noise.png", np.random.default_rng(0).integers(0, 256, (200, 160, 3), dtype=np.uint8))
    done, (none,), _ = predict(judged[0], tmp_path / "noise.png", "--out", tmp_path / "out")
    assert (done.exit_code, none["answer"], none["error"]["code"]) == (3, None, "no_face")
    done, (whole,), _ = predict(judged[0], tmp_path / "noise.png", "--out", tmp_path / "out", "--without-face")
    assert (done.exit_code, whole["notices"]) == (0, ["no face was found: the whole photo was judged"])


def test_a_killed_run_goes_on_to_the_same_network(rendered, tmp_path):
    whole = run_small("affected", rendered, tmp_path / "whole", *SHORT)
    kill_in_epoch(1, "affected", rendered, tmp_path / "killed", *SHORT)
    assert run_small("affected", rendered, tmp_path / "killed", *SHORT).entry.sha256 == whole.entry.sha256


def test_only_skin_is_left(rendered):
    task, recipe = small_recipe("affected", *SMALL)
    view = masked_view(task.items(recipe, rendered, rendered / "cache")[0].photo, recipe)
    grey = (np.abs(view.astype(int) - 128) <= 1).all(2)
    assert 0.2 < grey.mean() < 0.9
    assert grey[:8, :8].all()


@pytest.fixture(scope="module")
def faces(rendered):
    task, recipe = small_recipe("affected", *SMALL)
    return task, recipe, task.items(recipe, rendered, rendered / "cache")


def test_without_enough_watched_people_the_odds_of_training_photos_are_undone(faces, tmp_path):
    task, recipe, items = faces
    some = [f for f in items if f.affected][:6] + [f for f in items if not f.affected][:2]
    net = task.build(recipe, tmp_path, some).eval()
    task.settle(recipe, net, some)
    with torch.no_grad():
        probability, even = AffectedExport(net)(torch.randint(0, 255, (3, 64, 64, 3), dtype=torch.uint8))
    assert (probability / (1 - probability)).tolist() == pytest.approx((3 * even / (1 - even)).tolist(), rel=1e-3)


def test_probabilities_are_fitted_to_watched_people():
    logits = np.repeat([-4.0, 4.0], 100).tolist()
    affected = [k % 4 == 0 for k in range(100)] + [k % 4 != 0 for k in range(100)]  # 25 % and 75 %, not 2 % and 98 %
    slope, offset = fit_platt(logits, affected)
    assert (slope, offset) == pytest.approx((np.log(3) / 4, 0), abs=1e-3)
    assert fit_platt([-v for v in logits], affected) is None
    assert fit_platt(logits[95:105], affected[95:105]) is None


def test_both_kinds_are_needed(rendered, tmp_path):
    task, recipe = small_recipe("affected", *SMALL, "least=99")
    items = task.items(recipe, rendered, rendered / "cache")
    with pytest.raises(UnusableInput, match="0 are affected"):
        task.build(recipe, tmp_path, items)


def test_figures_by_hand():
    rows = [
        AffectedRow("a", "p", 0.9, True, True),
        AffectedRow("b", "q", 0.4, False, True),
        AffectedRow("c", "r", 0.6, True, False),
        AffectedRow("d", "s", 0.1, False, False),
    ]
    figures = {m.name: m.of(rows) for m in MEASURES}
    assert figures["F1, mean"] == figures["F1 affected"] == figures["balanced accuracy"] == 0.5
    assert figures["ROC AUC"] == 0.75
    assert figures["Brier"] == pytest.approx((0.01 + 0.36 + 0.36 + 0.01) / 4)
    assert figures["calibration error"] == pytest.approx((0.1 + 0.6 + 0.6 + 0.1) / 4)
    drawn = draw_answers(rows)
    assert set(drawn) == {"confusion", "precision-recall", "calibration"}
    assert f"photos: AP {(1 + 2 / 3) / 2:.2f}, by chance 0.50" in drawn["precision-recall"]
    assert "photos (4): error 0.350" in drawn["calibration"]
