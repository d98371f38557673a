"""The head of ATSS: two towers, one for classes, one for boxes and how central a point is."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from comedo.training.detection.assign import assign_adaptive, stack
from comedo.training.detection.boxes import boxes_from, iou
from comedo.training.detection.dense import (
    Dense,
    Head,
    Scale,
    Truth,
    centredness,
    class_targets,
    conv_block,
    start_at_prior,
    targets_of,
)
from comedo.training.detection.losses import BoxLoss, ClassLoss, box_loss, class_loss, cross_entropy
from comedo.training.detection.plan import DetectorPlan
from comedo.training.detection.points import flatten, points_of
from comedo.training.runner.shares import share_of_all


class AtssHead(Head):
    """Boxes as distances of a point to four edges.

    Source: Zhang et al. 2020, ATSS (arXiv:1912.02424): its assignment on the head of FCOS (Tian et al.
    2019, arXiv:1904.01355, figure 2), with centre-ness beside the boxes. Boxes weigh as central as
    their point should be; the score is probability times centre-ness.
    """

    def __init__(self, classes: int, plan: DetectorPlan) -> None:
        super().__init__()
        self.classes, self.strides, self.anchor_scale = classes, plan.strides, plan.anchor_scale
        self.box_kind, self.box_weight = BoxLoss(plan.box_loss), plan.box_weight
        self.class_kind = ClassLoss(plan.class_loss or ClassLoss.FOCAL)
        self.class_tower = nn.Sequential(*(conv_block(plan.width) for _ in range(plan.stacked)))
        self.box_tower = nn.Sequential(*(conv_block(plan.width) for _ in range(plan.stacked)))
        self.to_class = start_at_prior(nn.Conv2d(plan.width, classes, 3, padding=1))
        self.to_box = nn.Conv2d(plan.width, 4, 3, padding=1)
        self.to_centred = nn.Conv2d(plan.width, 1, 3, padding=1)
        self.scales = nn.ModuleList(Scale() for _ in plan.strides)

    def forward(self, features: Sequence[Tensor]) -> Dense:
        points = points_of(features, self.strides)
        logits, distances, centred = [], [], []
        for x, scale in zip(features, self.scales, strict=True):
            box_features = self.box_tower(x)
            logits.append(self.to_class(self.class_tower(x)))
            distances.append(scale(self.to_box(box_features)))
            centred.append(self.to_centred(box_features))
        prob = flatten(logits).float().sigmoid()
        edges = flatten(distances).float().clamp(max=8).exp() * points.stride[:, None]
        central = flatten(centred).float().sigmoid()
        return Dense(prob, boxes_from(points.xy, edges), points, prob * central, central[..., 0])

    def losses(self, dense: Dense, truths: Sequence[Truth], done: float) -> dict[str, Tensor]:  # noqa: ARG002
        with torch.no_grad():
            box, quality = stack([assign_adaptive(dense.points, t.boxes, scale=self.anchor_scale) for t in truths])
            boxes, classes = targets_of(truths, box)
            positive = box >= 0
            central = centredness(dense.points.xy, boxes)[positive]
            if self.class_kind is ClassLoss.QUALITY_FOCAL:  # the target is how good the box is
                quality = quality * iou(dense.boxes, boxes)
        number = share_of_all(positive.sum(), learning=self.training)
        all_central = share_of_all(central.sum(), learning=self.training)
        target = class_targets(classes, quality, self.classes)
        by_class = class_loss(self.class_kind, dense.prob.flatten(0, 1), target.flatten(0, 1), number)
        off = box_loss(self.box_kind, dense.boxes[positive], boxes[positive])
        assert dense.centred is not None
        says = cross_entropy(dense.centred[positive], central)
        return {
            "class": by_class,
            "box": self.box_weight * (off * central).sum() / all_central,
            "centred": says.sum() / number,
        }
