"""A CenterNet-style head: one heat map a class whose peaks are centres, and the box at each.

Source: Zhou et al. 2019, Objects as Points (arXiv:1904.07850). Two changes: the heat map comes from the
same neck as the other detectors', all levels brought to the finest and added; and size and offset
learn together by the overlap of the box that they make, instead of by two L1 terms whose weights
depend on the lesions' size.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from comedo.errors import UnusableInput
from comedo.training.detection.dense import Dense, Head, Truth, conv_block, start_at_prior, targets_of
from comedo.training.detection.losses import BoxLoss, box_loss, centre_focal
from comedo.training.detection.plan import DetectorPlan
from comedo.training.detection.points import cell_centres, flatten, points_of
from comedo.training.runner.shares import share_of_all

_LEAST_OVERLAP = 0.7  # Law & Deng 2018, CornerNet (arXiv:1808.01244), section 3.2
_LEVEL = 1e-3  # heats this near to each other are level


def heat_radius(sides: Tensor) -> Tensor:
    """How far corners of boxes (G, 2) may move, each on its own, and still overlap by 0.7.

    Source: the rule of CornerNet (arXiv:1808.01244, section 3.2). The least of three roots: both corners
    move alike, the box shrinks, the box grows.
    """
    total, product, t = sides.sum(-1), sides.prod(-1), _LEAST_OVERLAP
    alike = (total - (total.square() - 4 * product * (1 - t) / (1 + t)).sqrt()) / 2
    shrunk = (total - (total.square() - 4 * product * (1 - t)).sqrt()) / 4
    grown = ((total.square() + 4 * product * (1 - t) / t).sqrt() - total) / 4
    return torch.stack([alike, shrunk, grown]).amin(0)


def heat_target(truth: Truth, shape_hw: tuple[int, int], stride: int, classes: int) -> tuple[Tensor, Tensor]:
    """What the heat map should be, and which cell is whose centre.

    Args:
        truth: Boxes of the picture.
        shape_hw: Of the map.
        stride: Pixels of a cell.
        classes: How many.

    Returns:
        (H * W, classes) with Gaussians whose peaks are exactly 1, the higher where they overlap; and
        (H * W,) the box of each centre cell, the smaller of two, -1 elsewhere.
    """
    h, w = shape_hw
    device = truth.boxes.device
    heat = torch.zeros(classes, h * w, device=device)
    box = torch.full((h * w,), -1, dtype=torch.long, device=device)
    if len(truth.boxes) == 0:
        return heat.T, box
    sides = (truth.boxes[:, 2:] - truth.boxes[:, :2]) / stride
    cells = ((truth.boxes[:, :2] + truth.boxes[:, 2:]) / (2 * stride)).long()
    cells = torch.minimum(cells.clamp(min=0), torch.tensor([w - 1, h - 1], device=device))
    spread = (2 * heat_radius(sides) + 1) / 6
    y, x = torch.meshgrid(torch.arange(h, device=device), torch.arange(w, device=device), indexing="ij")
    far = (x - cells[:, 0, None, None]).square() + (y - cells[:, 1, None, None]).square()
    bells = torch.exp(-far / (2 * spread.square())[:, None, None]).flatten(1)
    for number in torch.argsort(sides.prod(-1), descending=True).tolist():
        row = int(truth.classes[number])
        heat[row] = torch.maximum(heat[row], bells[number])
        box[cells[number, 1] * w + cells[number, 0]] = number
    return heat.T, box


class CenterNetHead(Head):
    """Heat, size and offset at the finest stride."""

    def __init__(self, classes: int, plan: DetectorPlan) -> None:
        super().__init__()
        if plan.class_loss is not None:
            raise UnusableInput(
                f"a CenterNet-style detector learns its heat map by its own focal loss; set class_loss to null, "
                f"got {plan.class_loss}"
            )
        self.classes, self.stride = classes, plan.strides[0]
        self.box_kind, self.box_weight = BoxLoss(plan.box_loss), plan.box_weight
        self.tower = nn.Sequential(*(conv_block(plan.width) for _ in range(plan.stacked)))
        self.to_heat = start_at_prior(nn.Conv2d(plan.width, classes, 3, padding=1))
        self.to_size = nn.Conv2d(plan.width, 2, 3, padding=1)
        self.to_offset = nn.Conv2d(plan.width, 2, 3, padding=1)

    def forward(self, features: Sequence[Tensor]) -> Dense:
        fine = features[0]
        for level in features[1:]:
            fine = fine + functional.interpolate(level, size=features[0].shape[-2:], mode="nearest")
        x = self.tower(fine)
        heat = self.to_heat(x).float().sigmoid()
        # A ramp in place of a comparison: what is nearly level would be a peak in one run time and none in another.
        below = functional.max_pool2d(heat, 3, stride=1, padding=1) - heat
        peaks = heat * (1 - below / _LEVEL).clamp(min=0)
        half = self.to_size(x).float().clamp(max=8).exp() * (self.stride / 2)
        shift = self.to_offset(x).float().permute(0, 2, 3, 1)
        centre = ((cell_centres(heat) + shift) * self.stride).permute(0, 3, 1, 2)
        boxes = torch.cat([centre - half, centre + half], 1)
        return Dense(flatten([heat]), flatten([boxes]), points_of([heat], [self.stride]), flatten([peaks]))

    def losses(self, dense: Dense, truths: Sequence[Truth], done: float) -> dict[str, Tensor]:  # noqa: ARG002
        with torch.no_grad():
            drawn = [heat_target(t, dense.points.sizes_hw[0], self.stride, self.classes) for t in truths]
            heat, box = torch.stack([h for h, _ in drawn]), torch.stack([b for _, b in drawn])
            boxes, _ = targets_of(truths, box)
            positive = box >= 0
        number = share_of_all(positive.sum(), learning=self.training)
        off = box_loss(self.box_kind, dense.boxes[positive], boxes[positive])
        return {
            "class": centre_focal(dense.prob, heat).sum() / number,
            "box": self.box_weight * off.sum() / number,
        }
