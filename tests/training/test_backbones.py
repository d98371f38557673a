"""EfficientNets as encoders, and weights for them from a file of one's own."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("torch", reason="needs comedo[train]")
pytest.importorskip("monai", reason="needs comedo[train]")

import torch

from comedo.errors import UnusableInput
from comedo.training.backbones import build_backbone
from comedo.training.command import RECIPES
from comedo.training.recipe import read_values
from comedo.training.runner.registry import read_run


@pytest.fixture
def net(tmp_path):
    torch.manual_seed(0)
    return build_backbone("efficientnet-b0", None, tmp_path).eval()


def published(net):
    """Its weights under the names of the published files, in which blocks alone are numbered."""
    return {
        re.sub(r"(_blocks)\.\d+(\.\d+\.)", r"\1\2", name): value
        for name, value in net.inner.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }


def test_the_reference_encoder_is_efficientnet_b1(tmp_path):
    """Table 1 of Tan & Le 2019 with a depth of 1.1: 23 blocks; without its last layers 6.1 M parameters are left."""
    _, recipe = read_run(read_values(RECIPES / "lesion-segmentation.yaml"), "lesion-segmentation")
    assert (recipe.net.backbone, recipe.dice, recipe.cross_entropy) == ("efficientnet-b1", 1.0, 0.0)
    encoder = build_backbone(recipe.net.backbone, recipe.net.weights, tmp_path).eval()
    assert encoder.channels == (16, 24, 40, 112, 320)
    assert sum(len(stage) for stage in encoder.inner._blocks) == 23
    assert 6.0e6 < sum(p.numel() for p in encoder.parameters()) < 6.2e6
    with torch.no_grad():
        maps = encoder(torch.rand(1, 3, 64, 64))
    assert [tuple(m.shape[1:]) for m in maps] == [(c, 32 >> k, 32 >> k) for k, c in enumerate(encoder.channels)]


def test_weights_come_from_a_file(net, tmp_path):
    torch.save({**published(net), "_fc.weight": torch.zeros(1000, 1280)}, tmp_path / "b0.pth")
    filled = build_backbone("efficientnet-b0", "b0.pth", tmp_path).eval()
    picture = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        assert all(torch.equal(a, b) for a, b in zip(filled(picture), net(picture), strict=True))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(None, "no encoder weights", id="absent"),
        pytest.param(b"not torch", "no state dict", id="no torch file"),
        pytest.param({"_conv_stem.weight": torch.zeros(3)}, "another network", id="another network's"),
        pytest.param([1, 2], "no state dict", id="no table"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(content, words, tmp_path):
    path = tmp_path / "b0.pth"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        torch.save(content, path)
    with pytest.raises(UnusableInput, match=words):
        build_backbone("efficientnet-b0", "b0.pth", tmp_path)
