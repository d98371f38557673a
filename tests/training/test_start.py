from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from comedo.errors import UnusableInput
from comedo.training.face_map.model import FaceExport, build_face_net
from comedo.training.lesion_map.model import build_lesion_net
from comedo.training.networks import Encoder
from comedo.training.runner.plan import Ship
from comedo.training.runner.ship import export_checked
from comedo.training.start import mean_with_onnx, read_convolutions, settle_norms, start_from_onnx
from comedo.training.unet_task import ship_map

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> tuple[nn.Module, Path]:
    torch.manual_seed(3)
    net = build_face_net()
    with torch.no_grad():
        for m in net.modules():
            if isinstance(m, nn.BatchNorm2d):  # as after a training: nothing is at its default
                m.running_mean.normal_(0, 0.2)
                m.running_var.uniform_(0.5, 2.0)
                m.weight.uniform_(0.5, 1.5)
                m.bias.normal_(0, 0.2)
    path = tmp_path_factory.mktemp("shipped") / "face-map.onnx"
    export_checked(ship_map(net, FaceExport, ""), path, Ship())
    return net, path


def pictures(seed: int) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).random((4, 3, 64, 64), np.float32))


def test_the_network_computes_the_same_as_before(shipped: tuple[nn.Module, Path]) -> None:
    net, path = shipped
    again = build_face_net()
    start_from_onnx(again, path, pictures(0))
    with torch.no_grad():
        wanted, found = net.eval()(pictures(1)), again.eval()(pictures(1))
    assert torch.allclose(found, wanted, atol=1e-3 * float(wanted.abs().max()))


def test_it_does_so_while_learning_too(shipped: tuple[nn.Module, Path]) -> None:
    net, path = shipped
    again = build_face_net()
    start_from_onnx(again, path, pictures(0))
    with torch.no_grad():
        wanted, found = net.eval()(pictures(0)), again.train()(pictures(0))
    assert torch.allclose(found, wanted, atol=1e-2 * float(wanted.abs().max()))


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_the_mean_with_the_start_is_that_of_the_exported_weights(
    share: float, shipped: tuple[nn.Module, Path], tmp_path: Path
) -> None:
    learnt = copy.deepcopy(shipped[0])
    with torch.no_grad():
        for value in learnt.parameters():
            value.mul_(1 + 0.1 * torch.randn_like(value))
    export_checked(ship_map(learnt, FaceExport, ""), tmp_path / "learnt.onnx", Ship())
    mean_with_onnx(learnt, shipped[1], share)
    export_checked(ship_map(learnt, FaceExport, ""), tmp_path / "mean.onnx", Ship())
    files = (tmp_path / "learnt.onnx", shipped[1], tmp_path / "mean.onnx")
    for own, start, mean in zip(*map(read_convolutions, files), strict=True):
        for k in (0, 1):
            assert np.allclose(mean[k], (1 - share) * own[k] + share * start[k], atol=1e-5)


def test_another_network_is_refused(shipped: tuple[nn.Module, Path]) -> None:
    with pytest.raises(UnusableInput, match="another network"):
        start_from_onnx(build_lesion_net(), shipped[1], pictures(0))
    with pytest.raises(UnusableInput, match="another network"):
        mean_with_onnx(build_lesion_net(), shipped[1], 0.5)


def test_a_file_that_is_no_network_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.onnx").write_bytes(b"no network")
    with pytest.raises(UnusableInput, match="cannot read"):
        start_from_onnx(build_face_net(), tmp_path / "x.onnx", pictures(0))


@pytest.fixture
def folded(tmp_path: Path) -> Encoder:
    """An encoder from weights whose norms were folded, as ImageNet's come."""
    torch.manual_seed(5)
    encoder, arrays = Encoder(), {}
    for number, conv in enumerate(m for m in encoder.modules() if isinstance(m, nn.Conv2d)):
        scale = 0.5 + torch.rand(len(conv.weight), 1, 1, 1)  # of the norm that was there
        arrays[f"{number:02}.conv.weight"] = (conv.weight.detach() * scale).numpy()
        arrays[f"{number:02}.conv.bias"] = 0.3 * torch.randn(len(conv.weight)).numpy()
    np.savez(tmp_path / "folded.npz", **arrays)
    encoder.load_folded(tmp_path / "folded.npz")
    return encoder


def largest_gap(found: list[torch.Tensor], wanted: list[torch.Tensor]) -> float:
    return max(float((f - w).abs().max() / w.abs().max()) for f, w in zip(found, wanted, strict=True))


def test_folded_norms_keep_the_features_while_learning(folded: Encoder) -> None:
    again = copy.deepcopy(folded)
    with torch.no_grad():
        wanted = folded.eval()(pictures(1))
        assert largest_gap(folded.train()(pictures(1)), wanted) > 0.5  # what settling is for
    settle_norms(again, lambda: again(pictures(1)))
    with torch.no_grad():
        assert largest_gap(again.eval()(pictures(1)), wanted) < 1e-3
        assert largest_gap(again.train()(pictures(1)), wanted) < 1e-2


def test_norms_that_were_not_folded_stay_as_they_are() -> None:
    encoder = Encoder()
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    settle_norms(encoder, lambda: encoder(pictures(1)))
    assert all(torch.equal(value, before[name]) for name, value in encoder.state_dict().items())
