"""The two networks of comedo: one U-Net body on a MobileNetV2 encoder, two heads.

The encoder is the standard MobileNetV2 1.0 (Sandler et al. 2018, arXiv:1801.04381) without its
classifier, so that ImageNet weights fit; the decoder is plain 3x3 convolutions with ReLU, which
run fast on CPUs. Images enter as uint8 RGB scaled to [0, 1]; the mapping to the encoder's
[-1, 1] is part of the network, so that nobody has to remember it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

# (expansion, channels, repeats, stride) of each stage: table 2 of arXiv:1801.04381.
STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
# Stages after which a feature map is handed to the decoder: strides 2, 4, 8, 16, 32.
_TAPS = {0: 16, 1: 24, 2: 32, 4: 96, 6: 320}


class _Thinned(torch.autograd.Function):
    """A depthwise 3x3 convolution of stride 2 whose gradient is that of the dense one, 3x faster on CPUs.

    The gradient is laid on every second pixel of zeros the size of the input, whose sides may be odd.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return functional.conv2d(x, weight, stride=2, padding=1, groups=len(weight))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor]:
        x, weight = ctx.saved_tensors
        dense = torch.zeros_like(x)
        dense[:, :, ::2, ::2] = gradients[0]
        towards = (True, True, False)
        to_x, to_weight, _ = torch.ops.aten.convolution_backward(
            dense, x, weight, None, (1, 1), (1, 1), (1, 1), False, (0, 0), len(weight), towards
        )
        return to_x, to_weight


class _Depthwise(nn.Conv2d):
    """One filter per channel."""

    def forward(self, x: Tensor) -> Tensor:
        if self.training and x.device.type == "cpu" and self.stride == (2, 2):
            dtype = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else x.dtype
            y: Tensor = _Thinned.apply(x.to(dtype), self.weight.to(dtype))  # type: ignore[no-untyped-call]
            return y
        return super().forward(x)


def _conv(
    cin: int, cout: int, *, kernel: int = 3, stride: int = 1, groups: int = 1, relu6: bool = True
) -> nn.Sequential:
    kind = _Depthwise if groups > 1 else nn.Conv2d
    layers: list[nn.Module] = [
        kind(cin, cout, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(cout),
    ]
    if relu6:
        layers.append(nn.ReLU6(inplace=True))
    return nn.Sequential(*layers)


class InvertedResidual(nn.Module):
    """Expand, filter each channel, project; with a shortcut where the shapes agree."""

    def __init__(self, cin: int, cout: int, *, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = cin * expansion
        layers = [_conv(cin, hidden, kernel=1)] if expansion != 1 else []
        layers += [
            _conv(hidden, hidden, stride=stride, groups=hidden),
            _conv(hidden, cout, kernel=1, relu6=False),
        ]
        self.layers = nn.Sequential(*layers)
        self.shortcut = stride == 1 and cin == cout

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layers(x)
        return x + y if self.shortcut else y


class Encoder(nn.Module):
    """MobileNetV2 1.0 features at strides 2, 4, 8, 16 and 32."""

    channels = tuple(_TAPS.values())

    def __init__(self) -> None:
        super().__init__()
        self.stem = _conv(3, 32, stride=2)
        stages, cin = [], 32
        for expansion, cout, repeats, stride in STAGES:
            blocks = []
            for index in range(repeats):
                blocks.append(InvertedResidual(cin, cout, stride=stride if index == 0 else 1, expansion=expansion))
                cin = cout
            stages.append(nn.Sequential(*blocks))
        self.stages = nn.ModuleList(stages)
        self.folded = False  # whether the batch norms do nothing but shift: see `comedo.training.start.settle_norms`
        self._frozen = 0

    def freeze(self, stages: int) -> None:
        """Keep the stem and the first `stages` stages as they are, with the statistics of their batch norms.

        The early layers have the largest maps: without them a step takes about three quarters of the time.
        """
        self._frozen = stages
        for part in self._frozen_parts():
            part.requires_grad_(False).eval()

    def _frozen_parts(self) -> list[nn.Module]:
        return [self.stem, *list(self.stages)[: self._frozen]] if self._frozen else []

    def train(self, mode: bool = True) -> Encoder:
        """Set learning or evaluation, but for the frozen parts."""
        super().train(mode)
        for part in self._frozen_parts():
            part.eval()
        return self

    def forward(self, x: Tensor) -> list[Tensor]:
        x = self.stem(x)
        features = []
        for index, stage in enumerate(self.stages):
            x = stage(x)
            if index in _TAPS:
                features.append(x)
        return features

    def load_folded(self, path: Path) -> None:
        """Start from ImageNet weights whose batch norms were folded into the convolutions.

        Args:
            path: npz with `NN.conv.weight`, `NN.dw.weight` and `.bias`, in network order.

        The weight goes to the convolution, the bias to the shift of a batch norm whose running
        mean is 0 and variance 1, which computes exactly the folded network.
        """
        with np.load(path) as archive:
            names = sorted(n[: -len(".weight")] for n in archive.files if n.endswith(".weight"))
            pairs = [(archive[f"{n}.weight"], archive[f"{n}.bias"]) for n in names]
        convs = [m for m in self.modules() if isinstance(m, nn.Conv2d)]
        norms = [m for m in self.modules() if isinstance(m, nn.BatchNorm2d)]
        for (weight, bias), conv, norm in zip(pairs, convs, norms, strict=False):
            if weight.shape != tuple(conv.weight.shape):
                raise ValueError(
                    f"{path}: expected a weight of shape {tuple(conv.weight.shape)}, got {weight.shape}; "
                    "it is not a MobileNetV2 1.0"
                )
            conv.weight.data = torch.from_numpy(weight.astype(np.float32))
            norm.bias.data = torch.from_numpy(bias.astype(np.float32))
        self.folded = True


class Up(nn.Module):
    """Double the resolution of the deep features and join them with the encoder's."""

    def __init__(self, deep: int, skip: int, out: int) -> None:
        super().__init__()
        self.squeeze = _conv(deep, out, kernel=1)
        self.side = _conv(skip, out, kernel=1)
        self.mix = _conv(out, out)

    def forward(self, deep: Tensor, skip: Tensor) -> Tensor:
        deep = functional.interpolate(self.squeeze(deep), scale_factor=2.0, mode="nearest")
        y: Tensor = self.mix(deep + self.side(skip))
        return y


def scaled(pictures: Tensor) -> Tensor:
    """Pictures (N, H, W, 3) uint8 as the U-Net takes them: (N, 3, H, W) float32 in [0, 1]."""
    return pictures.permute(0, 3, 1, 2).float() / 255.0


class UNet(nn.Module):
    """Encoder, decoder and one 1x1 head; the output has stride 2.

    Args:
        outputs: Channels of the head.
        widths: Decoder channels at strides 16, 8, 4 and 2.

    Input (N, 3, H, W) float in [0, 1], H and W multiples of 32; output (N, outputs, H/2, W/2).
    """

    def __init__(self, outputs: int, widths: tuple[int, int, int, int]) -> None:
        super().__init__()
        self.encoder = Encoder()
        deep, ups = self.encoder.channels[-1], []
        for skip, width in zip(reversed(self.encoder.channels[:-1]), widths, strict=True):
            ups.append(Up(deep, skip, width))
            deep = width
        self.ups = nn.ModuleList(ups)
        self.last = _conv(deep, deep)
        self.head = nn.Conv2d(deep, outputs, 1)

    def forward(self, image: Tensor) -> Tensor:
        features = self.encoder(image * 2.0 - 1.0)
        x = features.pop()
        for up in self.ups:
            x = up(x, features.pop())
        y: Tensor = self.head(self.last(x))
        return y
