"""Going on from weights whose batch norms were folded into the convolutions: a shipped network's ONNX file, ImageNet's.

To learn on, the batch norms are needed again, set so that the network computes the same as before:
each takes the mean and spread of its input on a batch of training pictures as its own, and undoes
them with its scale and shift.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from comedo.errors import UnusableInput
from comedo.training.networks import Encoder, UNet

Floats = NDArray[np.float32]


def read_convolutions(path: Path) -> list[tuple[Floats, Floats]]:
    """Weight and bias of each convolution of an ONNX file, in the order in which they run.

    Raises:
        UnusableInput: The file is absent or no ONNX model.
    """
    import onnx

    try:
        graph = onnx.load(str(path), load_external_data=False).graph
    except Exception as error:
        raise UnusableInput(f"cannot read the network {path} to start from: {error}") from error
    values = {i.name: onnx.numpy_helper.to_array(i) for i in graph.initializer}
    convolutions = []
    for node in graph.node:
        if node.op_type == "Conv":
            weight = values[node.input[1]]
            bias = values[node.input[2]] if len(node.input) > 2 else np.zeros(len(weight), np.float32)
            convolutions.append((weight.astype(np.float32), bias.astype(np.float32)))
    return convolutions


def _same_kind(net: nn.Module, path: Path) -> list[tuple[Floats, Floats]]:
    found = read_convolutions(path)
    if [w.shape for w, _ in found] != [tuple(m.weight.shape) for m in net.modules() if isinstance(m, nn.Conv2d)]:
        raise UnusableInput(f"{path} holds another network than the recipe builds; start from a file of the same kind")
    return found


def start_from_onnx(net: UNet, path: Path, pictures: Tensor) -> None:
    """Fill a fresh network with shipped weights, ready to learn on.

    Args:
        net: As built; its convolutions run in the order in which they are registered.
        path: ONNX file that comedo exported from the same kind of network.
        pictures: (N, 3, H, W) float in [0, 1], a typical batch: what the batch norms are set by.

    Raises:
        UnusableInput: The file holds another network.
    """
    convolutions = [m for m in net.modules() if isinstance(m, nn.Conv2d)]
    found = _same_kind(net, path)
    norms = [m for m in net.modules() if isinstance(m, nn.BatchNorm2d)]
    with torch.no_grad():
        for convolution, (weight, _) in zip(convolutions, found, strict=True):
            convolution.weight.copy_(torch.from_numpy(weight))
        # Every convolution but the head is followed by its batch norm.
        hooks = [
            norm.register_forward_pre_hook(_undo(torch.from_numpy(bias)))
            for norm, (_, bias) in zip(norms, found[:-1], strict=True)
        ]
        assert net.head.bias is not None
        net.head.bias.copy_(torch.from_numpy(found[-1][1]))
        was = net.training
        net.eval()(pictures)
        net.train(was)
        for hook in hooks:
            hook.remove()


@torch.no_grad()
def mean_with_onnx(net: UNet, path: Path, share: float) -> None:
    """Draw a network back towards the weights that it started from: (1 - share) of its own and `share` of theirs.

    The mean of both is often better on other people's photos than either (Wortsman et al., Robust fine-tuning of
    zero-shot models, CVPR 2022). It is taken of the weights with their batch norms folded in, as an exported file
    has them; the batch norms are left to add a bias.

    Args:
        net: Trained; changed in place, to be exported rather than trained on.
        path: ONNX file of the same kind of network.
        share: 0 to 1.

    Raises:
        UnusableInput: The file holds another network.
    """
    convolutions = [m for m in net.modules() if isinstance(m, nn.Conv2d)]
    norms = [m for m in net.modules() if isinstance(m, nn.BatchNorm2d)]
    found = _same_kind(net, path)
    for convolution, norm in zip(convolutions[:-1], norms, strict=True):  # the head has none
        assert norm.running_mean is not None
        assert norm.running_var is not None
        gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        convolution.weight.mul_(gain[:, None, None, None])
        norm.bias.sub_(norm.running_mean * gain)
        norm.running_mean.zero_()
        norm.running_var.fill_(1 - norm.eps)
        norm.weight.fill_(1)
    assert net.head.bias is not None
    added = [*(norm.bias for norm in norms), net.head.bias]
    for convolution, own, (weight, bias) in zip(convolutions, added, found, strict=True):
        convolution.weight.lerp_(torch.from_numpy(weight), share)
        own.lerp_(torch.from_numpy(bias), share)


@torch.no_grad()
def settle_norms(net: nn.Module, ask: Callable[[], object]) -> None:
    """Let encoders with folded weights compute the same while they learn as before.

    A norm of mean 0 and variance 1 that only shifts is right in evaluation alone: as soon as it takes the mean and
    variance of a batch instead, nothing is left of the features (docs/results.md has figures).

    Args:
        net: Before training; its mode stays.
        ask: Runs it on a typical batch.
    """
    folded = [m for m in net.modules() if isinstance(m, Encoder) and m.folded]
    norms = [m for encoder in folded for m in encoder.modules() if isinstance(m, nn.BatchNorm2d)]
    if not norms:
        return
    hooks = [norm.register_forward_pre_hook(_undo(norm.bias.detach().clone())) for norm in norms]
    was = net.training
    net.eval()
    ask()
    net.train(was)
    for hook in hooks:
        hook.remove()


def _undo(bias: Tensor):  # type: ignore[no-untyped-def]
    """A hook that makes a batch norm add `bias` and nothing else, whatever its input."""

    def hook(norm: nn.BatchNorm2d, inputs: tuple[Tensor]) -> None:
        x = inputs[0]
        mean, spread = x.mean(dim=(0, 2, 3)), x.var(dim=(0, 2, 3), unbiased=False)
        assert norm.running_mean is not None
        assert norm.running_var is not None
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(spread)
        norm.weight.copy_(torch.sqrt(spread + norm.eps))
        norm.bias.copy_(mean + bias)

    return hook
