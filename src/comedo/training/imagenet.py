"""ImageNet weights from files that the user fetched; nothing is downloaded here.

Names and shapes are those of torchvision's `resnext50_32x4d`, `resnext101_64x4d` and `mobilenet_v2`; torchvision itself
is not needed.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from comedo.errors import UnusableInput
from comedo.training.networks import STAGES, Encoder

MEAN, SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's photos, as is usual
_IN_BLOCK = {"0": "conv1", "1": "bn1", "3": "conv2", "4": "bn2", "6": "conv3", "7": "bn3"}  # place among layers: name


def fill(net: nn.Module, path: Path, published: Callable[[str], str]) -> None:
    """Fill a network from a state dict of torch; what else the file holds, a classifier for example, is left.

    Args:
        net: Changed in place.
        path: The file.
        published: The name of a weight in the file by its name in the network.

    Raises:
        UnusableInput: The file is absent, no state dict, or another network's.
    """
    if not path.exists():
        raise UnusableInput(f"there are no encoder weights {path}; give the data folder, or set the key to null")
    try:
        found: dict[str, Tensor] = dict(torch.load(path, map_location="cpu", weights_only=True))
    except (RuntimeError, EOFError, TypeError, ValueError, pickle.UnpicklingError) as error:
        raise UnusableInput(f"{path} is no state dict of torch: {error}") from error
    own = net.state_dict()
    for name, value in own.items():
        weight = found.get(published(name))
        if weight is not None and weight.shape == value.shape:
            own[name] = weight
        elif not name.endswith("num_batches_tracked"):  # older files do not count batches
            raise UnusableInput(f"{path} holds another network: it has no {name} of shape {tuple(value.shape)}")
    net.load_state_dict(own)


def resnext_name(name: str) -> str:
    """What torchvision calls a weight of our ResNeXt."""
    match name.split("."):
        case ["stem", place, value]:
            return f"{_IN_BLOCK[place]}.{value}"
        case ["stages", stage, block, "shortcut", place, value]:
            return f"layer{int(stage) + 1}.{block}.downsample.{place}.{value}"
        case ["stages", stage, block, "layers", place, value]:
            return f"layer{int(stage) + 1}.{block}.{_IN_BLOCK[place]}.{value}"
    raise AssertionError(f"a ResNeXt has no {name}")


def mobilenet_name(name: str) -> str:
    """What torchvision calls a weight of our MobileNetV2: blocks are counted through, the last layer is not nested."""
    match name.split("."):
        case ["stem", place, value]:
            return f"features.0.{place}.{value}"
        case ["stages", stage, block, "layers", layer, place, value]:
            expansion, *_ = STAGES[int(stage)]
            number = 1 + sum(repeats for _, _, repeats, _ in STAGES[: int(stage)]) + int(block)
            last = 1 if expansion == 1 else 2
            inside = f"{int(layer) + int(place)}" if int(layer) == last else f"{layer}.{place}"
            return f"features.{number}.conv.{inside}.{value}"
    raise AssertionError(f"a MobileNetV2 has no {name}")


def load_mobilenet(encoder: Encoder, path: Path) -> None:
    """Start from ImageNet weights of MobileNetV2.

    Args:
        encoder: Changed in place.
        path: torchvision's state dict (.pth), or an npz as `Encoder.load_folded` wants it.

    Raises:
        UnusableInput: The file is absent or another network's.
    """
    if path.suffix == ".npz" and path.exists():
        encoder.load_folded(path)
        return
    fill(encoder, path, mobilenet_name)
    _rescale_stem(encoder)


@torch.no_grad()
def _rescale_stem(encoder: Encoder) -> None:
    """Let a stem that learnt on (x - mean) / spread, x in [0, 1], take 2 x - 1 instead.

    It then computes the same, but for the outermost pixels, beyond which zeros stand for another colour.
    """
    mean, spread = (torch.tensor(values)[:, None, None] for values in (MEAN, SPREAD))
    conv, norm = encoder.stem[0], encoder.stem[1]
    assert isinstance(conv, nn.Conv2d)
    assert isinstance(norm, nn.BatchNorm2d)
    assert norm.running_mean is not None
    norm.running_mean -= (conv.weight * (0.5 - mean) / spread).sum((1, 2, 3))
    conv.weight /= 2 * spread
