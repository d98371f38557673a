"""PAFPN: every level sees the coarse and the fine features.

Source: top-down path of Lin et al. 2017, Feature Pyramid Networks (arXiv:1612.03144), section 3; then
the bottom-up path of Liu et al. 2018, Path Aggregation Network (arXiv:1803.01534), section 3.1.
Coarser levels than the backbone's come from convolutions of stride 2.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional


def _conv3(channels: int, *, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(channels, channels, 3, stride, 1)


class Pafpn(nn.Module):
    """Features of one width at each stride.

    Args:
        channels: Of the backbone's levels, fine to coarse.
        width: Channels of every output.
        levels: Number of outputs, at least as many as inputs.
    """

    def __init__(self, channels: Sequence[int], width: int, levels: int) -> None:
        super().__init__()
        self.sides = nn.ModuleList(nn.Conv2d(c, width, 1) for c in channels)
        self.smooth = nn.ModuleList(_conv3(width) for _ in channels)
        self.downs = nn.ModuleList(_conv3(width, stride=2) for _ in channels[1:])
        self.mixes = nn.ModuleList(_conv3(width) for _ in channels[1:])
        self.coarser = nn.ModuleList(_conv3(width, stride=2) for _ in range(levels - len(channels)))

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        sides = [side(x) for side, x in zip(self.sides, features, strict=True)]
        merged = [sides[-1]]
        for side in reversed(sides[:-1]):
            merged.insert(0, side + functional.interpolate(merged[0], scale_factor=2.0, mode="nearest"))
        smooth = [conv(x) for conv, x in zip(self.smooth, merged, strict=True)]
        out = [smooth[0]]
        for down, mix, x in zip(self.downs, self.mixes, smooth[1:], strict=True):
            out.append(mix(x + torch.relu(down(out[-1]))))
        for conv in self.coarser:
            out.append(conv(torch.relu(out[-1])))
        return out
