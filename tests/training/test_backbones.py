"""EfficientNets and MobileNetV2 as encoders, and weights for them from a file of one's own."""

from __future__ import annotations

import copy
import re

import pytest

pytest.importorskip("torch", reason="needs comedo[train]")
pytest.importorskip("monai", reason="needs comedo[train]")

import torch

from comedo.errors import UnusableInput
from comedo.training.backbones import build_backbone
from comedo.training.command import RECIPES
from comedo.training.imagenet import MEAN, SPREAD, mobilenet_name
from comedo.training.networks import Encoder
from comedo.training.recipe import read_values
from comedo.training.runner.registry import read_run
from comedo.training.start import settle_norms


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


def test_mobilenets_names_are_torchvisions():
    """Named one by one here, as table 2 of Sandler et al. 2018 goes through the stages."""
    blocks = [(1, 1), (6, 2), (6, 3), (6, 4), (6, 3), (6, 3), (6, 1)]  # expansion, repeats
    norm = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    wanted = ["features.0.0.weight", *(f"features.0.1.{n}" for n in norm)]
    number = 0
    for expansion, repeats in blocks:
        for _ in range(repeats):
            number += 1
            nested = 1 if expansion == 1 else 2
            for layer in range(nested):
                wanted += [f"features.{number}.conv.{layer}.0.weight"]
                wanted += [f"features.{number}.conv.{layer}.1.{n}" for n in norm]
            wanted += [f"features.{number}.conv.{nested}.weight"]
            wanted += [f"features.{number}.conv.{nested + 1}.{n}" for n in norm]
    assert [mobilenet_name(name) for name in Encoder().state_dict()] == wanted
    assert number == 17


def test_mobilenet_takes_torchvisions_weights(tmp_path):
    """Which learnt on ImageNet's scale; here pictures come in [-1, 1]."""
    torch.manual_seed(2)
    theirs = Encoder()
    theirs.train()(torch.randn(4, 3, 64, 64))  # norms as after a training
    theirs.eval()
    state = {mobilenet_name(name): value for name, value in theirs.state_dict().items()}
    torch.save({**state, "classifier.1.weight": torch.zeros(1000, 1280)}, tmp_path / "mobilenet_v2.pth")
    ours = build_backbone("mobilenet-v2", "mobilenet_v2.pth", tmp_path).eval()
    picture = torch.rand(1, 3, 64, 64)
    mean, spread = (torch.tensor(v)[:, None, None] for v in (MEAN, SPREAD))
    with torch.no_grad():
        wanted, found = theirs((picture - mean) / spread), ours(picture)
    inside = (slice(None), slice(None), slice(4, -4), slice(4, -4))
    assert torch.allclose(found[0][inside], wanted[0][inside], atol=1e-4)
    before = copy.deepcopy(ours.inner.state_dict())
    settle_norms(ours, lambda: ours(picture))  # theirs are not folded: nothing to settle
    assert all(torch.equal(value, before[name]) for name, value in ours.inner.state_dict().items())


@pytest.mark.parametrize("name", ["efficientnet-b0", "mobilenet-v2"])
@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(None, "no encoder weights", id="absent"),
        pytest.param(b"not torch", "no state dict", id="no torch file"),
        pytest.param({"_conv_stem.weight": torch.zeros(3)}, "another network", id="another network's"),
        pytest.param([1, 2], "no state dict", id="no table"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(name, content, words, tmp_path):
    path = tmp_path / "b0.pth"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        torch.save(content, path)
    with pytest.raises(UnusableInput, match=words):
        build_backbone(name, "b0.pth", tmp_path)
