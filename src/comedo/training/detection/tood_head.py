"""The head of TOOD: both tasks look at the same layers, each in its own way, and then agree.

Source of all of it: Feng et al. 2021, TOOD: Task-aligned One-stage Object Detection (arXiv:2108.07755).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from comedo.training.detection.assign import assign_adaptive, assign_aligned, stack
from comedo.training.detection.boxes import boxes_from
from comedo.training.detection.dense import (
    Dense,
    GroupNorm,
    Head,
    Scale,
    Truth,
    centredness,
    class_targets,
    conv_block,
    start_at_prior,
    targets_of,
)
from comedo.training.detection.losses import BoxLoss, ClassLoss, box_loss, class_loss
from comedo.training.detection.plan import DetectorPlan
from comedo.training.detection.points import cell_centres, flatten, points_of
from comedo.training.runner.shares import share_of_all


class Task(nn.Module):
    """One task's view of the shared layers: equations 2 to 4, without the last convolution."""

    def __init__(self, width: int, stacked: int) -> None:
        super().__init__()
        wide = width * stacked
        self.attention = nn.Sequential(
            nn.Conv2d(wide, max(4, wide // 8), 1),
            nn.ReLU(inplace=True),
            nn.Conv2d(max(4, wide // 8), stacked, 1),
            nn.Sigmoid(),
        )
        self.stacked = stacked
        self.join = nn.Conv2d(wide, width, 1, bias=False)
        self.norm = GroupNorm(width)

    def forward(self, layers: Tensor, pooled: Tensor) -> Tensor:
        share = self.attention(pooled).repeat_interleave(layers.shape[1] // self.stacked, dim=1)
        return torch.relu(self.norm(self.join(layers * share)))


def sample_at(maps: Tensor, offset: Tensor) -> Tensor:
    """Each channel of each cell taken from a place of its own nearby, bilinear: equation 6.

    Args:
        maps: (N, K, H, W).
        offset: (N, 2K, H, W): x and y of each channel, in cells.
    """
    n, k, h, w = maps.shape
    moved = offset.reshape(n * k, 2, h, w).permute(0, 2, 3, 1) + cell_centres(maps)
    place = torch.stack([moved[..., 0] / w, moved[..., 1] / h], -1) * 2 - 1
    taken = functional.grid_sample(
        maps.reshape(n * k, 1, h, w), place, mode="bilinear", padding_mode="border", align_corners=False
    )
    return taken.reshape(n, k, h, w)


def _narrow(wide: int, last: nn.Conv2d) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(wide, last.in_channels, 1), nn.ReLU(inplace=True), last)


def _start_at_zero(conv: nn.Conv2d) -> nn.Conv2d:
    for parameter in conv.parameters():
        nn.init.zeros_(parameter)
    return conv


class ToodHead(Head):
    """Task-aligned head with task-aligned learning.

    The first `plan.adaptive_share` of the training assigns by ATSS with focal loss, as the paper's
    implementation and the reference system do: an untrained network aligns with nothing.
    """

    def __init__(self, classes: int, plan: DetectorPlan) -> None:
        super().__init__()
        self.classes, self.strides, self.anchor_scale = classes, plan.strides, plan.anchor_scale
        self.box_kind, self.box_weight = BoxLoss(plan.box_loss), plan.box_weight
        self.class_kind = ClassLoss(plan.class_loss or ClassLoss.QUALITY_FOCAL)
        self.adaptive_share = plan.adaptive_share
        wide = plan.width * plan.stacked
        self.shared = nn.ModuleList(conv_block(plan.width) for _ in range(plan.stacked))
        self.class_task, self.box_task = Task(plan.width, plan.stacked), Task(plan.width, plan.stacked)
        self.to_class = start_at_prior(nn.Conv2d(plan.width, classes, 3, padding=1))
        self.to_box = nn.Conv2d(plan.width, 4, 3, padding=1)
        middle = max(4, wide // 16)
        self.to_agreement = _narrow(wide, start_at_prior(nn.Conv2d(middle, 1, 3, padding=1)))
        # At first every edge is the cell's own.
        self.to_offset = _narrow(wide, _start_at_zero(nn.Conv2d(middle, 8, 3, padding=1)))
        self.scales = nn.ModuleList(Scale() for _ in plan.strides)

    def forward(self, features: Sequence[Tensor]) -> Dense:
        points = points_of(features, self.strides)
        probs, boxes = [], []
        for x, scale, stride in zip(features, self.scales, self.strides, strict=True):
            layers = self._layers(x)
            pooled = layers.mean((2, 3), keepdim=True)
            logits = self.to_class(self.class_task(layers, pooled)).float()
            agreement = self.to_agreement(layers).float()
            # Equation 5; the small term keeps the root's slope finite.
            probs.append((logits.sigmoid() * agreement.sigmoid() + 1e-12).sqrt())
            edges = scale(self.to_box(self.box_task(layers, pooled))).float().clamp(max=8).exp()
            boxes.append(self._aligned(edges * stride, self.to_offset(layers).float(), stride))
        prob = flatten(probs)
        return Dense(prob, flatten(boxes), points, prob)

    def _layers(self, x: Tensor) -> Tensor:
        """The outputs of all shared convolutions, equation 1, (N, stacked * width, H, W)."""
        found = []
        for block in self.shared:
            x = block(x)
            found.append(x)
        return torch.cat(found, 1)

    def _aligned(self, edges: Tensor, offset: Tensor, stride: int) -> Tensor:
        """Boxes whose edges come from cells nearby; a box turned inside out stays as it was."""
        centres = cell_centres(edges) * stride
        own = boxes_from(centres, edges.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        taken = sample_at(own, offset)
        sound = (taken[:, 2:] > taken[:, :2]).all(1, keepdim=True)
        return torch.where(sound, taken, own)

    def losses(self, dense: Dense, truths: Sequence[Truth], done: float) -> dict[str, Tensor]:
        adaptive = done < self.adaptive_share
        with torch.no_grad():
            pictures = zip(truths, dense.prob, dense.boxes, strict=True)
            if adaptive:
                found = [assign_adaptive(dense.points, t.boxes, scale=self.anchor_scale) for t in truths]
            else:
                found = [assign_aligned(dense.points, t.boxes, t.classes, p, b) for t, p, b in pictures]
            box, quality = stack(found)
            boxes, classes = targets_of(truths, box)
            positive = box >= 0
            weight = (centredness(dense.points.xy, boxes) if adaptive else quality)[positive]
        kind = ClassLoss.FOCAL if adaptive else self.class_kind
        target = class_targets(classes, quality, self.classes)
        # Equations 10 and 12: both sums are over the qualities, which ATSS sets to 1.
        qualities, weights = (share_of_all(v.sum(), learning=self.training) for v in (quality, weight))
        by_class = class_loss(kind, dense.prob.flatten(0, 1), target.flatten(0, 1), qualities)
        off = box_loss(self.box_kind, dense.boxes[positive], boxes[positive])
        return {"class": by_class, "box": self.box_weight * (off * weight).sum() / weights}
