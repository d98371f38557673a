"""Lesion masks by a U-Net, on rendered faces."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs comedo[train]")
pytest.importorskip("lightning", reason="needs comedo[train]")

import torch

from comedo.errors import UnusableInput
from comedo.training.backbones import build_backbone
from comedo.training.data.dataset import Circle, Label, Rectangle, Sample
from comedo.training.segmentation.examples import lesion_mask, to_working_size
from comedo.training.segmentation.judge import MEASURES, count_patches, draw_curves, mask_row
from comedo.training.segmentation.network import SegmentationExport, build_net, dice_loss
from comedo.training.segmentation.recipe import Net
from comedo.training.segmentation.task import lesion_probs
from recipe_trials import LESION_NET, figure, kill_in_epoch, run_small, small_recipe

SHORT = (*LESION_NET, "schedule.epochs=2", "schedule.steps=2", "augment.paste=3", "augment.background=true")


def test_it_learns_to_mark_lesions(lesion_run):
    out, result = lesion_run
    dice = figure(result, "Dice")
    assert dice.value > dice.baseline
    assert dice.value > 0.4
    assert (out / "lesion-segmentation.onnx").exists()
    assert "<svg" in (out / "precision-recall.svg").read_text()
    assert figure(result, "calibration error").value < figure(result, "calibration error from 0.1").value
    assert "<svg" in (out / "calibration.svg").read_text()


def test_the_encoder_of_another_run_can_be_the_start(lesion_run, tmp_path):
    out, _ = lesion_run
    trained, fresh = (build_backbone("small", weights, tmp_path) for weights in (str(out / "last.ckpt"), None))
    saved = torch.load(out / "last.ckpt", weights_only=True)["state_dict"]
    name = "stages.0.0.weight"
    assert torch.equal(trained.state_dict()[name], saved[f"net.encoder.{name}"])
    assert not torch.equal(fresh.state_dict()[name], saved[f"net.encoder.{name}"])
    with pytest.raises(UnusableInput, match="another backbone"):
        build_backbone("mobilenet-v2", str(out / "last.ckpt"), tmp_path)


def test_a_killed_run_goes_on_to_the_same_network(rendered, tmp_path):
    whole = run_small("lesion-segmentation", rendered, tmp_path / "whole", *SHORT)
    kill_in_epoch(1, "lesion-segmentation", rendered, tmp_path / "killed", *SHORT)
    assert run_small("lesion-segmentation", rendered, tmp_path / "killed", *SHORT).entry.sha256 == whole.entry.sha256


@pytest.mark.parametrize("backbone", ["mobilenet-v2", "efficientnet-b0"])
def test_other_backbones_fit(backbone, tmp_path):
    pytest.importorskip("monai", reason="needs comedo[train]")
    net = SegmentationExport(build_net(Net(backbone=backbone, widths=(8, 8, 8, 8)), tmp_path)).eval()
    with torch.no_grad():
        assert net(torch.zeros(1, 64, 96, 3, dtype=torch.uint8)).shape == (1, 64, 96)


def test_weights_that_are_not_there_are_named(tmp_path):
    with pytest.raises(UnusableInput, match="no encoder weights"):
        build_net(Net(backbone="mobilenet-v2", weights="absent.npz"), tmp_path)
    with pytest.raises(UnusableInput, match="null or 'imagenet'"):
        build_net(Net(backbone="efficientnet-b1", weights="mine.pt"), tmp_path)


@pytest.mark.parametrize(
    ("mask", "logit", "loss"),
    [
        pytest.param(0.0, -50.0, 0.0, id="nothing there, nothing found"),
        pytest.param(1.0, 50.0, 0.0, id="all there, all found"),
        pytest.param(1.0, -50.0, 1 - 1 / 17, id="all missed"),
        pytest.param(1.0, 0.0, 1 - 17 / 25, id="even odds everywhere"),
    ],
)
def test_dice_loss(mask, logit, loss):
    found = dice_loss(torch.full((1, 4, 4), logit), torch.full((1, 4, 4), mask))
    assert float(found) == pytest.approx(loss, abs=1e-6)


def test_dice_loss_is_monais():
    losses = pytest.importorskip("monai.losses", reason="needs comedo[train]")
    torch.manual_seed(0)
    logits, mask = torch.randn(2, 8, 8), (torch.rand(2, 8, 8) > 0.7).float()
    theirs = losses.DiceLoss(sigmoid=True, batch=True, smooth_nr=1.0, smooth_dr=1.0)(logits[:, None], mask[:, None])
    assert float(dice_loss(logits, mask)) == pytest.approx(float(theirs), abs=1e-6)


def test_only_the_categories_are_lesions():
    labels = (Label("acne", Rectangle((0, 0, 2, 2))), Label("spot", Circle((5, 5), 1)))
    sample = Sample("a.png", labels, 8, 8)
    assert lesion_mask(sample, ("acne",)).sum() == 4
    assert lesion_mask(sample, ()).sum() > 4
    assert not lesion_mask(Sample("b.png", (), 8, 8), ()).any()


def test_the_working_size_keeps_the_shape():
    image, mask = to_working_size(np.zeros((40, 20, 3), np.uint8), np.ones((40, 20), np.bool_), 80)
    assert image.shape == (80, 40, 3)
    assert mask.shape == (80, 40)
    assert mask.all()


def test_the_answer_comes_back_in_the_photos_pixels():
    """A network that calls red pixels lesion, asked through another size and padding."""
    image = np.zeros((50, 30, 3), np.uint8)
    image[10:20, 5:15, 0] = 255
    probs = lesion_probs(lambda x: {"probability": x["image"][..., 0].astype(np.float32) / 255}, image, 100)
    assert probs.shape == (50, 30)
    assert ((probs > 0.5) == (image[..., 0] > 0)).mean() > 0.98


def test_small_patches_and_the_background_are_not_counted():
    mask = np.zeros((20, 20), np.bool_)
    assert count_patches(mask, 1) == 0
    mask[2:5, 2:5] = mask[10, 10] = True
    assert count_patches(mask, 1) == 2
    assert count_patches(mask, 4) == 1


def test_figures_of_a_photo_by_hand():
    true = np.zeros((4, 4), np.bool_)
    true[0] = True
    probs = np.zeros((4, 4), np.float32)
    probs[:2, :2] = 0.9  # two pixels right, two false, two missed
    row = mask_row("a", "p", probs, true, threshold=0.5, least_area=1)
    figures = {m.name: m.of([row]) for m in MEASURES}
    assert figures["Dice"] == figures["Dice, mean"] == 0.5
    assert figures["IoU"] == pytest.approx(1 / 3)
    assert figures["count error"] == 0
    assert figures["coverage error"] == 0
    # Four pixels say 0.9 and two are lesion, twelve say 0 and two are.
    assert figures["calibration error"] == pytest.approx((4 * (0.9 - 0.5) + 12 * 2 / 12) / 16)
    assert figures["calibration error from 0.1"] == pytest.approx(0.9 - 0.5)


def test_photos_are_drawn_together_from_counts_alone():
    true = np.eye(10, dtype=np.bool_)
    rows = [
        mask_row(n, n, np.full((10, 10), p, np.float32), true, threshold=0.5, least_area=1)
        for n, p in (("a", 0.25), ("b", 0.25))
    ]
    assert rows[0].ranges.sums.shape == (10, 3)
    drawn = draw_curves(rows)
    assert "pixels (200): error 0.150" in drawn["calibration"]
    assert "said 0.25, true 0.1, 200 of them, 90 % interval 0.1 to 0.1" in drawn["calibration"]
    assert "by chance" in drawn["precision-recall"]


def test_a_recipe_needs_a_loss():
    with pytest.raises(UnusableInput, match="needs a loss"):
        small_recipe("lesion-segmentation", "dice=0")
