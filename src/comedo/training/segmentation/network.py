"""A U-Net over any backbone, and its loss."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from comedo.training.backbones import build_backbone
from comedo.training.networks import Up
from comedo.training.segmentation.recipe import Net


class SegmentationNet(nn.Module):
    """(N, 3, H, W) float in [0, 1], H and W multiples of 32, to (N, H, W) logits of lesion."""

    def __init__(self, encoder: nn.Module, widths: tuple[int, int, int, int]) -> None:
        super().__init__()
        self.encoder = encoder
        *skips, deep = encoder.channels  # type: ignore[misc]
        ups = []
        for skip, width in zip(reversed(skips), widths, strict=True):
            ups.append(Up(deep, skip, width))
            deep = width
        self.ups = nn.ModuleList(ups)
        self.head = nn.Conv2d(deep, 1, 3, padding=1)

    def forward(self, images: Tensor) -> Tensor:
        features = self.encoder(images)
        x = features.pop()
        for up in self.ups:
            x = up(x, features.pop())
        return functional.interpolate(self.head(x), scale_factor=2.0, mode="bilinear", align_corners=False)[:, 0]


def build_net(plan: Net, root: Path) -> SegmentationNet:
    """The network before training; lesions start improbable."""
    net = SegmentationNet(build_backbone(plan.backbone, plan.weights, root), plan.widths)
    assert net.head.bias is not None
    nn.init.constant_(net.head.bias, -2.0)
    return net


def dice_loss(logits: Tensor, mask: Tensor, *, smooth: float = 1.0) -> Tensor:
    """One minus the soft Dice of a whole batch (Milletari et al. 2016), so that photos without lesions count too.

    Args:
        logits: (N, H, W).
        mask: (N, H, W) in [0, 1].
        smooth: Pixels added to both sides of the ratio.
    """
    prob = torch.sigmoid(logits)
    return 1 - (2 * (prob * mask).sum() + smooth) / (prob.sum() + mask.sum() + smooth)


class SegmentationExport(nn.Module):
    """As it is shipped: (N, H, W, 3) uint8 RGB to (N, H, W) probabilities."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, image: Tensor) -> Tensor:
        return torch.sigmoid(self.net(image.permute(0, 3, 1, 2).float() / 255.0))
