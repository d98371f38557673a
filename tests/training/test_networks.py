"""The U-Net's own pieces against torch: the cheap gradient computes the same, frozen stages stay as they are."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs comedo[train]")

import torch
from torch.nn import functional

from comedo.training.networks import Encoder, UNet, _Depthwise
from comedo.training.runner.contract import Shipped
from comedo.training.runner.plan import Ship
from comedo.training.runner.ship import export_checked

STRIDED = {"kernel_size": 3, "stride": 2, "padding": 1, "groups": 4, "bias": False}


def with_gradients(compute, x, weight):
    """Output, and the gradients of its weighted sum with respect to input and filter."""
    x, weight = x.clone().requires_grad_(True), weight.clone().requires_grad_(True)
    y = compute(x, weight)
    (y * torch.arange(y.numel(), dtype=y.dtype).reshape(y.shape).cos()).sum().backward()
    return y.detach(), x.grad, weight.grad


def ours(x, weight):
    layer = _Depthwise(4, 4, **STRIDED).train()
    return torch.func.functional_call(layer, {"weight": weight}, (x,))


def torchs(x, weight):
    return functional.conv2d(x, weight, stride=2, padding=1, groups=4)


@pytest.mark.parametrize(
    "size_hw", [(32, 64), (2, 2), (1, 1), (7, 12), (12, 7), (9, 5)], ids=lambda s: f"{s[0]} x {s[1]}"
)
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last], ids=["planes", "channels last"])
def test_a_strided_depthwise_filter_learns_as_torchs_own(size_hw, layout):
    torch.manual_seed(3)
    x, weight = torch.randn(2, 4, *size_hw).to(memory_format=layout), torch.randn(4, 1, 3, 3)
    for found, wanted in zip(with_gradients(ours, x, weight), with_gradients(torchs, x, weight), strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-5)


def test_in_low_precision_it_follows_torch_as_well():
    torch.manual_seed(3)
    x, weight = torch.randn(2, 4, 16, 16), torch.randn(4, 1, 3, 3)
    with torch.autocast("cpu", torch.bfloat16):
        found, wanted = with_gradients(ours, x, weight), with_gradients(torchs, x, weight)
    assert found[0].dtype == wanted[0].dtype == torch.bfloat16
    for a, b in zip(found, wanted, strict=True):
        torch.testing.assert_close(a.float(), b.float(), rtol=0.05, atol=0.05)


def test_it_is_exported_as_the_plain_convolution_that_it_is(tmp_path):
    onnx = pytest.importorskip("onnx")

    class Layer(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = _Depthwise(3, 3, **(STRIDED | {"groups": 3}))

        def forward(self, image):
            return self.layer(image.permute(0, 3, 1, 2).float())

    picture = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 3), np.uint8)
    shipped = Shipped(Layer(), [{"image": picture}], ("maps",), "", "")
    export_checked(shipped, tmp_path / "layer.onnx", Ship())
    convolutions = [n for n in onnx.load(str(tmp_path / "layer.onnx")).graph.node if n.op_type == "Conv"]
    values = {a.name: onnx.helper.get_attribute_value(a) for n in convolutions for a in n.attribute}
    assert len(convolutions) == 1
    assert (values["group"], values["strides"], values["pads"]) == (3, [2, 2], [1, 1, 1, 1])


def numbers(module):
    return {name: value.clone() for name, value in module.state_dict().items()}


def test_frozen_stages_stay_as_they_are_and_the_others_learn():
    torch.manual_seed(4)
    net = UNet(1, (8, 8, 8, 8))
    net.encoder.freeze(2)
    net.train()
    before = numbers(net.encoder)
    optimizer = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=0.1)
    for _ in range(2):
        net(torch.rand(2, 3, 64, 64)).square().mean().backward()
        optimizer.step()
    for name, value in numbers(net.encoder).items():
        same = torch.equal(before[name], value)
        if name.startswith(("stem.", "stages.0.", "stages.1.")):
            assert same, name
        elif name.endswith(("running_mean", "running_var", "conv.weight")):
            assert not same, name


@pytest.mark.parametrize("stages", [0, 1, 3])
def test_frozen_stages_are_never_set_to_learning(stages):
    encoder = Encoder()
    encoder.freeze(stages)
    encoder.train()
    assert encoder.stem.training is (stages == 0)
    assert [stage.training for stage in encoder.stages] == [i >= stages for i in range(7)]
    assert [p.requires_grad for p in encoder.stages[stages].parameters()] == [True] * len(
        list(encoder.stages[stages].parameters())
    )
