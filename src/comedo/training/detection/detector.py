"""A whole detector: backbone, neck, head; and its form for ONNX Runtime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor, nn

from comedo.training.detection.atss_head import AtssHead
from comedo.training.detection.backbones import STRIDES, build_backbone
from comedo.training.detection.centernet_head import CenterNetHead
from comedo.training.detection.dense import Dense, Head, Truth
from comedo.training.detection.neck import Pafpn
from comedo.training.detection.plan import DetectorKind, DetectorPlan
from comedo.training.detection.tood_head import ToodHead

_HEADS: Mapping[DetectorKind, type[AtssHead] | type[ToodHead] | type[CenterNetHead]] = {
    DetectorKind.TOOD: ToodHead,
    DetectorKind.ATSS: AtssHead,
    DetectorKind.CENTERNET: CenterNetHead,
}


class Detector(nn.Module):
    """Pictures (N, 3, H, W) float in [0, 1], sides multiples of 32, to a `Dense`."""

    def __init__(self, classes: int, plan: DetectorPlan, *, weights: Path | None = None) -> None:
        super().__init__()
        self.first = STRIDES.index(plan.strides[0])
        levels = min(len(STRIDES), self.first + len(plan.strides))
        self.encoder = build_backbone(plan.backbone, levels=levels, weights=weights)
        self.neck = Pafpn(self.encoder.channels[self.first :], plan.width, len(plan.strides))
        self.head: Head = _HEADS[plan.kind](classes, plan)

    def forward(self, image: Tensor) -> Dense:
        dense: Dense = self.head(self.neck(self.encoder(image)[self.first :]))
        return dense

    def losses(self, dense: Dense, truths: Sequence[Truth], done: float) -> dict[str, Tensor]:
        """Named terms to sum; `done` is the share of the training that is behind."""
        return self.head.losses(dense, truths, done)


class ShippedDetector(nn.Module):
    """(1, H, W, 3) uint8 RGB to boxes (1, P, 4) in its pixels and scores (1, P, C)."""

    def __init__(self, net: Detector) -> None:
        super().__init__()
        self.net = net

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        dense = self.net(image.permute(0, 3, 1, 2).float() / 255.0)
        return dense.boxes, dense.score
