"""The places of a feature pyramid: centres of its cells in pixels, square anchors around them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Points:
    """All cells of all levels, fine to coarse, row by row; the same for every picture of a size."""

    xy: Tensor  # (P, 2) float32, pixels of the picture
    stride: Tensor  # (P,) float32
    sizes_hw: tuple[tuple[int, int], ...]  # cells of each level

    @property
    def per_level(self) -> tuple[int, ...]:
        """Points of each level."""
        return tuple(h * w for h, w in self.sizes_hw)

    def anchors(self, scale: float) -> Tensor:
        """Squares of `scale` strides around the points, (P, 4)."""
        half = self.stride[:, None] * (scale / 2)
        return torch.cat([self.xy - half, self.xy + half], 1)


def cell_centres(feature: Tensor) -> Tensor:
    """Centres of the cells of (N, C, H, W) in cells, (H, W, 2) float32.

    Counted by running sums, so that an exported network does it at any size.
    """
    ones = torch.ones_like(feature[0, 0], dtype=torch.float32)
    return torch.stack([ones.cumsum(1) - 0.5, ones.cumsum(0) - 0.5], -1)


def points_of(features: Sequence[Tensor], strides: Sequence[int]) -> Points:
    """The points of a pyramid's features."""
    grids = [cell_centres(x).reshape(-1, 2) * stride for x, stride in zip(features, strides, strict=True)]
    lengths = [torch.full_like(grid[:, 0], stride) for grid, stride in zip(grids, strides, strict=True)]
    return Points(torch.cat(grids), torch.cat(lengths), tuple((x.shape[2], x.shape[3]) for x in features))


def flatten(maps: Sequence[Tensor]) -> Tensor:
    """Maps (N, C, H, W) of each level as one (N, P, C), in the order of the points."""
    return torch.cat([m.flatten(2).transpose(1, 2) for m in maps], 1)
