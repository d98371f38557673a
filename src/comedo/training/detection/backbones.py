"""Backbones: pictures to features at strides 4, 8, 16 and 32.

ResNeXt after Xie et al. 2017 (arXiv:1611.05431), table 1, at any width; MobileNetV2 as in the lesion
map, because its ImageNet weights are at hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import torch
from torch import Tensor, nn

from comedo.training.imagenet import MEAN, SPREAD, fill, load_mobilenet, resnext_name
from comedo.training.networks import Encoder

STRIDES = (4, 8, 16, 32)
_MOBILENET_STAGES = (2, 3, 5, 7)  # stages of MobileNetV2 that give each stride


class BackboneName(StrEnum):
    """The backbones by name."""

    RESNEXT_101 = "resnext101-64x4d"
    RESNEXT_50 = "resnext50-32x4d"
    RESNEXT_TINY = "resnext-tiny"
    MOBILENET_V2 = "mobilenet-v2"


@dataclass(frozen=True)
class ResNeXtPlan:
    """How deep and wide a ResNeXt is."""

    depths: tuple[int, int, int, int]
    cardinality: int  # groups of each 3x3 convolution
    group_width: int  # channels of a group in the first stage; doubled from stage to stage
    stem: int  # channels of the first convolution; a stage gives 4, 8, 16, 32 times as many


PLANS: Mapping[BackboneName, ResNeXtPlan] = {
    BackboneName.RESNEXT_101: ResNeXtPlan((3, 4, 23, 3), 64, 4, 64),
    BackboneName.RESNEXT_50: ResNeXtPlan((3, 4, 6, 3), 32, 4, 64),
    BackboneName.RESNEXT_TINY: ResNeXtPlan((1, 1, 1, 1), 4, 4, 8),
}


def _conv(cin: int, cout: int, kernel: int, *, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    conv = nn.Conv2d(cin, cout, kernel, stride, kernel // 2, groups=groups, bias=False)
    return [conv, nn.BatchNorm2d(cout)]


class Bottleneck(nn.Module):
    """Squeeze, a grouped 3x3 convolution, widen; added to its input."""

    def __init__(self, cin: int, cout: int, *, width: int, groups: int, stride: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *_conv(cin, width, 1),
            nn.ReLU(inplace=True),
            *_conv(width, width, 3, stride=stride, groups=groups),
            nn.ReLU(inplace=True),
            *_conv(width, cout, 1),
        )
        same = stride == 1 and cin == cout
        self.shortcut = nn.Identity() if same else nn.Sequential(*_conv(cin, cout, 1, stride=stride))

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.layers(x) + self.shortcut(x))


class ResNeXt(nn.Module):
    """Features at strides 4, 8, ... of pictures (N, 3, H, W) in [0, 1], from the first `levels` stages."""

    mean: Tensor
    spread: Tensor

    def __init__(self, plan: ResNeXtPlan, *, levels: int = 4) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            *_conv(3, plan.stem, 7, stride=2), nn.ReLU(inplace=True), nn.MaxPool2d(3, stride=2, padding=1)
        )
        self.channels = tuple(plan.stem * 4 * 2**stage for stage in range(levels))
        stages, cin = [], plan.stem
        for stage, (depth, cout) in enumerate(zip(plan.depths, self.channels, strict=False)):
            width = plan.cardinality * plan.group_width * 2**stage
            blocks = []
            for block in range(depth):
                stride = 2 if block == 0 and stage > 0 else 1
                blocks.append(Bottleneck(cin, cout, width=width, groups=plan.cardinality, stride=stride))
                cin = cout
            stages.append(nn.Sequential(*blocks))
        self.stages = nn.ModuleList(stages)
        self.register_buffer("mean", torch.tensor(MEAN)[:, None, None], persistent=False)
        self.register_buffer("spread", torch.tensor(SPREAD)[:, None, None], persistent=False)

    def forward(self, image: Tensor) -> list[Tensor]:
        x = self.stem((image - self.mean) / self.spread)
        features = []
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        return features


class MobileNetV2(nn.Module):
    """The same of the lesion map's encoder."""

    def __init__(self, *, levels: int = 4, weights: Path | None = None) -> None:
        super().__init__()
        self.encoder = Encoder()
        if weights is not None:
            load_mobilenet(self.encoder, weights)
        self.channels = Encoder.channels[1 : levels + 1]
        self.encoder.stages = self.encoder.stages[: _MOBILENET_STAGES[levels - 1]]

    def forward(self, image: Tensor) -> list[Tensor]:
        features: list[Tensor] = self.encoder(image * 2.0 - 1.0)
        return features[1:]


def build_backbone(name: BackboneName, *, levels: int = 4, weights: Path | None = None) -> ResNeXt | MobileNetV2:
    """A fresh backbone.

    Args:
        name: Which.
        levels: Strides that are wanted, from 4 on; what lies deeper is left out.
        weights: ImageNet weights: for MobileNetV2 as `load_mobilenet` wants them, for a ResNeXt torchvision's file.

    Raises:
        UnusableInput: The file is absent or another network's.
    """
    if name is BackboneName.MOBILENET_V2:
        return MobileNetV2(levels=levels, weights=weights)
    net = ResNeXt(PLANS[name], levels=levels)
    if weights is not None:
        fill(net, weights, resnext_name)
    return net
