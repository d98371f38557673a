from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from comedo.errors import UnusableInput
from comedo.training.export import export_onnx
from comedo.training.face_model import FaceExport, build_face_net
from comedo.training.lesion_model import build_lesion_net
from comedo.training.start import start_from_onnx

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
    export_onnx(FaceExport(net.eval()).eval(), path, opset=17)
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


def test_another_network_is_refused(shipped: tuple[nn.Module, Path]) -> None:
    with pytest.raises(UnusableInput, match="another network"):
        start_from_onnx(build_lesion_net(), shipped[1], pictures(0))


def test_a_file_that_is_no_network_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.onnx").write_bytes(b"no network")
    with pytest.raises(UnusableInput, match="cannot read"):
        start_from_onnx(build_face_net(), tmp_path / "x.onnx", pictures(0))
