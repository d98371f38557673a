"""Arithmetic of boxes in torch: overlaps with their gradients, distances to edges, suppression.

Boxes are (..., 4) float tensors x0, y0, x1, y1 in pixels, 0 being the outer edge of the first pixel.
"""

from __future__ import annotations

from enum import StrEnum

import torch
from torch import Tensor

_TINY = 1e-7


class Overlap(StrEnum):
    """What the shared area of two boxes is divided by when boxes are merged."""

    UNION = "union"
    SMALLER = "smaller"


def area(boxes: Tensor) -> Tensor:
    """Area in square pixels, 0 for empty boxes."""
    sides = (boxes[..., 2:] - boxes[..., :2]).clamp(min=0)
    return sides[..., 0] * sides[..., 1]


def shared_area(a: Tensor, b: Tensor) -> Tensor:
    """Area that boxes have in common; the shapes broadcast."""
    low = torch.maximum(a[..., :2], b[..., :2])
    high = torch.minimum(a[..., 2:], b[..., 2:])
    sides = (high - low).clamp(min=0)
    return sides[..., 0] * sides[..., 1]


def iou(a: Tensor, b: Tensor) -> Tensor:
    """Intersection over union of boxes in pairs; 0 where both are empty."""
    both = shared_area(a, b)
    return both / (area(a) + area(b) - both).clamp(min=_TINY)


def iou_matrix(a: Tensor, b: Tensor) -> Tensor:
    """Intersection over union of every box of `a` (N, 4) with every one of `b` (M, 4): (N, M)."""
    return iou(a[:, None], b[None])


def _hull_sides(a: Tensor, b: Tensor) -> Tensor:
    return torch.maximum(a[..., 2:], b[..., 2:]) - torch.minimum(a[..., :2], b[..., :2])


def giou(a: Tensor, b: Tensor) -> Tensor:
    """Generalized IoU in [-1, 1].

    Source: Rezatofighi et al. 2019 (arXiv:1902.09630), algorithm 1: IoU less the share of the
    smallest box around both that neither fills.
    """
    both = shared_area(a, b)
    union = area(a) + area(b) - both
    sides = _hull_sides(a, b)
    hull = (sides[..., 0] * sides[..., 1]).clamp(min=_TINY)
    return both / union.clamp(min=_TINY) - (hull - union) / hull


def diou(a: Tensor, b: Tensor) -> Tensor:
    """Distance IoU in [-1, 1].

    Source: Zheng et al. 2020 (arXiv:1911.08287), equation 7: IoU less the squared distance of the
    centres over the squared diagonal of the smallest box around both.
    """
    apart = (a[..., :2] + a[..., 2:] - b[..., :2] - b[..., 2:]) / 2
    diagonal = _hull_sides(a, b).square().sum(-1).clamp(min=_TINY)
    return iou(a, b) - apart.square().sum(-1) / diagonal


def ciou(a: Tensor, b: Tensor) -> Tensor:
    """Complete IoU: distance IoU less a term for unlike proportions.

    Source: Zheng et al. 2020 (arXiv:1911.08287), equations 8 to 11; the weight alpha is 0 where the
    boxes overlap by less than a half (section 3.3 of arXiv:2005.03572) and has no gradient.
    """
    wide_a, wide_b = ((x[..., 2:] - x[..., :2]).clamp(min=_TINY) for x in (a, b))
    turn = torch.atan2(wide_a[..., 0], wide_a[..., 1]) - torch.atan2(wide_b[..., 0], wide_b[..., 1])
    unlike = 4 / torch.pi**2 * turn.square()
    with torch.no_grad():
        overlap = iou(a, b)
        alpha = torch.where(overlap < 0.5, 0.0, unlike / (1 - overlap + unlike).clamp(min=_TINY))
    return diou(a, b) - alpha * unlike


def boxes_from(points: Tensor, distances: Tensor) -> Tensor:
    """Boxes whose left, top, right and bottom edges lie `distances` (..., 4) from `points` (..., 2)."""
    return torch.cat([points - distances[..., :2], points + distances[..., 2:]], dim=-1)


def distances_to(points: Tensor, boxes: Tensor) -> Tensor:
    """Left, top, right and bottom distance from points to edges, negative where a point is outside."""
    return torch.cat([points - boxes[..., :2], boxes[..., 2:] - points], dim=-1)


def suppress(
    boxes: Tensor, scores: Tensor, groups: Tensor, *, limit: float, measure: Overlap = Overlap.UNION
) -> Tensor:
    """Greedy non-maximum suppression inside each group (image, class, or both).

    Args:
        boxes: (N, 4).
        scores: (N,); of equal ones the first goes first.
        groups: (N,) whole numbers; only boxes of one group suppress each other.
        limit: A box goes when its overlap with a kept one of higher score exceeds this.
        measure: Intersection over union, or over the smaller box, which also takes the halves of a
            lesion that a slice's edge cut.

    Returns:
        Indices of the kept boxes, highest score first.
    """
    order = torch.argsort(scores, descending=True, stable=True)
    boxes, groups = boxes[order], groups[order]
    kept: list[int] = []
    free = torch.ones(len(order), dtype=torch.bool, device=boxes.device)
    areas = area(boxes)
    for row in range(len(order)):
        if not free[row]:
            continue
        kept.append(row)
        both = shared_area(boxes[row], boxes[row + 1 :])
        own, other = areas[row], areas[row + 1 :]
        whole = own + other - both if measure is Overlap.UNION else torch.minimum(own, other)
        alike = (both > limit * whole) & (groups[row + 1 :] == groups[row])
        free[row + 1 :] &= ~alike
    return order[torch.tensor(kept, dtype=torch.long, device=order.device)]
