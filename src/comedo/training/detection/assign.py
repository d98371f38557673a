"""Which point learns which box: by position and overlap (ATSS), or by what the network does well (TAL).

All boxes of a picture are (G, 4), points (P, 2), in its pixels. A point learns at most one box.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from comedo.training.detection.boxes import distances_to, iou_matrix
from comedo.training.detection.points import Points

_BACKGROUND = -1


@dataclass(frozen=True, eq=False)
class Assignment:
    """What each point of one picture learns."""

    box: Tensor  # (P,) index of the box, -1 for background
    quality: Tensor  # (P,) in [0, 1]: target of the box's class; 0 for background

    @property
    def positive(self) -> Tensor:
        """(P,) which points learn a box."""
        return self.box >= 0


def inside(points_xy: Tensor, boxes: Tensor) -> Tensor:
    """(G, P) which points lie inside which boxes."""
    return distances_to(points_xy[None], boxes[:, None]).amin(-1) > 0


def _settle(wanted: Tensor, preference: Tensor) -> Tensor:
    """(P,) the box of each point: of several that want it (G, P) the one of highest preference."""
    best = torch.where(wanted, preference, preference.new_tensor(-torch.inf)).argmax(0)
    return torch.where(wanted.any(0), best, _BACKGROUND)


def _nobody(points: int, device: torch.device) -> Assignment:
    nothing = torch.full((points,), _BACKGROUND, dtype=torch.long, device=device)
    return Assignment(nothing, torch.zeros(points, device=device))


def _nearest_per_level(points: Points, boxes: Tensor, number: int) -> Tensor:
    """(G, P) the `number` points of each level nearest to each box's centre."""
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    distance = (centres[:, None] - points.xy).square().sum(-1)
    chosen = torch.zeros_like(distance, dtype=torch.bool)
    start = 0
    for length in points.per_level:
        level = distance[:, start : start + length]
        nearest = level.topk(min(number, length), dim=1, largest=False).indices
        chosen[:, start : start + length].scatter_(1, nearest, True)
        start += length
    return chosen


def assign_adaptive(points: Points, boxes: Tensor, *, scale: float, number: int = 9) -> Assignment:
    """Adaptive training sample selection.

    Source: Zhang et al. 2020, ATSS (arXiv:1912.02424), algorithm 1: of the `number` nearest anchors
    of each level those whose overlap with the box is at least mean plus standard deviation of all
    candidates' overlaps, and whose centre is inside; a contested anchor goes to the box that it
    overlaps most. One square anchor of `scale` strides a point.
    """
    if len(boxes) == 0:
        return _nobody(len(points.xy), points.xy.device)
    overlap = iou_matrix(boxes, points.anchors(scale))
    candidates = _nearest_per_level(points, boxes, number)
    counted = candidates.sum(1).clamp(min=2)
    mean = (overlap * candidates).sum(1) / counted
    spread = (((overlap - mean[:, None]).square() * candidates).sum(1) / (counted - 1)).sqrt()
    wanted = candidates & (overlap >= (mean + spread)[:, None]) & inside(points.xy, boxes)
    box = _settle(wanted, overlap)
    return Assignment(box, (box >= 0).float())


def assign_aligned(
    points: Points,
    boxes: Tensor,
    classes: Tensor,
    prob: Tensor,
    found: Tensor,
    *,
    number: int = 13,
    alpha: float = 1.0,
    beta: float = 6.0,
) -> Assignment:
    """Task-aligned assignment.

    Source: Feng et al. 2021, TOOD (arXiv:2108.07755), section 3.2: the alignment of a point with a
    box is score^alpha * overlap^beta (equation 7); the `number` best points inside each box learn
    it. Their target is the alignment, scaled so that the best of a box has the box's best overlap.

    Args:
        points: Of the picture.
        boxes: (G, 4).
        classes: (G,) their classes.
        prob: (P, C) probabilities that the network gives, without gradient.
        found: (P, 4) boxes that the network gives, without gradient.
        number: Points that learn a box, at most.
        alpha: Weight of the score.
        beta: Weight of the overlap.
    """
    if len(boxes) == 0:
        return _nobody(len(points.xy), points.xy.device)
    overlap = iou_matrix(boxes, found)
    alignment = prob[:, classes].T.pow(alpha) * overlap.pow(beta) * inside(points.xy, boxes)
    best = alignment.topk(min(number, alignment.shape[1]), dim=1)
    wanted = torch.zeros_like(alignment, dtype=torch.bool).scatter_(1, best.indices, best.values > 0)
    box = _settle(wanted, overlap)
    learns = torch.zeros_like(wanted).scatter_(0, box.clamp(min=0)[None], (box >= 0)[None])
    own = torch.where(learns, alignment, 0.0)
    highest = torch.where(learns, overlap, 0.0).amax(1, keepdim=True)
    quality = own / own.amax(1, keepdim=True).clamp(min=1e-12) * highest
    return Assignment(box, quality.amax(0))


def stack(assignments: Sequence[Assignment]) -> tuple[Tensor, Tensor]:
    """Boxes' indices and qualities of several pictures, each (N, P)."""
    return torch.stack([a.box for a in assignments]), torch.stack([a.quality for a in assignments])
