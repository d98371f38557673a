"""Networks that read pictures: feature maps at strides 2, 4, 8, 16 and 32, from nothing or from ImageNet."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import Literal, Protocol

import torch
from torch import Tensor, cat, nn

from comedo.errors import UnusableInput
from comedo.training.imagenet import MEAN, SPREAD, fill, load_mobilenet
from comedo.training.networks import Encoder

BackboneName = Literal[
    "small",
    "mobilenet-v2",
    "efficientnet-b0",
    "efficientnet-b1",
    "efficientnet-b2",
    "efficientnet-b3",
    "efficientnet-b4",
]
_ENCODER = "net.encoder."  # begins the names of its weights in a checkpoint
_STAGE = re.compile(r"(.+)\.\d+(\.\d+\..+)")  # MONAI numbers stages and blocks, the published weights blocks alone
DOWNLOADED = "imagenet"  # weights that MONAI fetches; needs a network once


class Backbone(Protocol):
    """A network of five feature maps."""

    channels: tuple[int, ...]

    def __call__(self, images: Tensor) -> list[Tensor]:
        """(N, 3, H, W) float in [0, 1], H and W multiples of 32, to maps at strides 2, 4, 8, 16, 32."""
        ...


def build_backbone(name: BackboneName, weights: str | None, root: Path) -> nn.Module:
    """A backbone of that name, ready to learn on.

    Args:
        name: `small` is a plain network of 0.1 M parameters for tests and very few photos.
        weights: A checkpoint (.ckpt) of another run with this backbone, below `root` or anywhere: its encoder is
            taken. For mobilenet-v2 also a file below `root` or anywhere (see `load_mobilenet`); for EfficientNets
            `imagenet`, which MONAI downloads, or that file fetched before (.pth); `None` starts from nothing.
        root: The data folder.

    Raises:
        UnusableInput: There are no such weights for this backbone.
    """
    if weights is not None and weights.endswith(".ckpt"):
        return _load_encoder(build_backbone(name, None, root), root / weights)
    if name == "mobilenet-v2":
        return _mobilenet(weights, root)
    if name == "small":
        if weights is not None:
            raise UnusableInput(f"the backbone small has no pretrained weights, got {weights!r}; set weights to null")
        return Small()
    if weights is None or weights == DOWNLOADED:
        return _EfficientNet(name, downloaded=weights is not None)
    if not weights.endswith(".pth"):
        raise UnusableInput(
            f"weights of {name} must be null or {DOWNLOADED!r}, which is fetched, or that file (.pth); got {weights!r}"
        )
    net = _EfficientNet(name, downloaded=False)
    fill(net.inner, root / weights, lambda own: _STAGE.sub(r"\1\2", own))
    return net


def _load_encoder(net: nn.Module, path: Path) -> nn.Module:
    """The encoder of another run's network, whatever that was trained for."""
    if not path.exists():
        raise UnusableInput(f"there is no checkpoint {path} to start from; name last.ckpt of a run's folder")
    state: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)["state_dict"]
    own = {k.removeprefix(_ENCODER): v for k, v in state.items() if k.startswith(_ENCODER)}
    try:
        net.load_state_dict(own)
    except RuntimeError as error:
        raise UnusableInput(f"{path} was trained with another backbone; name the same one") from error
    return net


def _mobilenet(weights: str | None, root: Path) -> nn.Module:
    net = _Scaled(Encoder())
    if weights is not None:
        load_mobilenet(net.inner, root / weights)
    return net


class _Scaled(nn.Module):
    """MobileNetV2, which wants [-1, 1]."""

    channels = Encoder.channels

    def __init__(self, inner: Encoder) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, images: Tensor) -> list[Tensor]:
        return self.inner(images * 2.0 - 1.0)  # type: ignore[no-any-return]


class _EfficientNet(nn.Module):
    """MONAI's EfficientNet without its classifier (Tan & Le 2019, arXiv:1905.11946), which wants ImageNet's scale."""

    def __init__(self, name: str, *, downloaded: bool) -> None:
        super().__init__()
        from monai.networks.nets.efficientnet import EfficientNetBNFeatures, EfficientNetEncoder

        self.inner = EfficientNetBNFeatures(name, pretrained=downloaded)
        self.inner.set_swish(memory_efficient=False)  # its own gradient cannot be exported
        for unused in ("_conv_head", "_bn1", "_fc"):  # several processes want every parameter to learn
            setattr(self.inner, unused, nn.Identity())
        place = EfficientNetEncoder.backbone_names.index(name)
        self.channels = tuple(EfficientNetEncoder.num_channels_per_output()[place])

    def forward(self, images: Tensor) -> list[Tensor]:
        mean, spread = images.new_tensor(MEAN), images.new_tensor(SPREAD)
        return list(self.inner((images - mean[:, None, None]) / spread[:, None, None]))


class Small(nn.Module):
    """Five strided 3x3 convolutions."""

    channels = (8, 16, 24, 32, 48)

    def __init__(self) -> None:
        super().__init__()
        widths = (3, *self.channels)
        self.stages = nn.ModuleList(
            nn.Sequential(nn.Conv2d(a, b, 3, 2, 1, bias=False), nn.BatchNorm2d(b), nn.ReLU(inplace=True))
            for a, b in pairwise(widths)
        )

    def forward(self, images: Tensor) -> list[Tensor]:
        x, features = images * 2.0 - 1.0, []
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        return features


def pooled(features: list[Tensor], *, first: int = 1) -> Tensor:
    """Mean and maximum of the feature maps from `first` on, as one vector a picture (N, `pooled_width`).

    Texture lives in the fine maps, shape in the coarse ones.
    """
    return cat([pool for f in features[first:] for pool in (f.mean((2, 3)), f.amax((2, 3)))], 1)


def pooled_width(encoder: nn.Module, *, first: int = 1) -> int:
    """Length of the vector that `pooled` makes of an encoder's features."""
    channels: tuple[int, ...] = encoder.channels  # type: ignore[assignment]
    return 2 * sum(channels[first:])
