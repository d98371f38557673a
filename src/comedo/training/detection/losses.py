"""Losses of detectors: of boxes one minus an overlap, of classes four ways to weigh easy and hard.

Class losses take probabilities and targets (..., C) in [0, 1], float32, and return one term for
each; who calls divides by what the detector's paper divides by, over the pictures of a whole step
whatever the number of processes (`comedo.training.runner.shares`). Probabilities rather than logits, because the
task-aligned head's are a geometric mean of two.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum

import torch
from torch import Tensor

from comedo.training.detection.boxes import ciou, diou, giou
from comedo.training.runner.shares import share_of_all

_EDGE = 1e-7  # probabilities keep this far from 0 and 1, so that logarithms stay finite


class BoxLoss(StrEnum):
    """Which overlap a box is judged by."""

    GIOU = "giou"
    DIOU = "diou"
    CIOU = "ciou"


class ClassLoss(StrEnum):
    """How right and wrong probabilities are weighed."""

    FOCAL = "focal"
    QUALITY_FOCAL = "quality-focal"
    GHM_C = "ghm-c"


_OVERLAPS: Mapping[BoxLoss, Callable[[Tensor, Tensor], Tensor]] = {
    BoxLoss.GIOU: giou,
    BoxLoss.DIOU: diou,
    BoxLoss.CIOU: ciou,
}


def box_loss(kind: BoxLoss, found: Tensor, true: Tensor) -> Tensor:
    """One minus the overlap of boxes in pairs, (N,); 0 for equal boxes."""
    return 1 - _OVERLAPS[kind](found, true)


def cross_entropy(prob: Tensor, target: Tensor) -> Tensor:
    """Binary cross entropy for targets anywhere in [0, 1]."""
    prob = prob.clamp(_EDGE, 1 - _EDGE)
    return -(target * prob.log() + (1 - target) * torch.log1p(-prob))


def focal(prob: Tensor, target: Tensor, *, alpha: float = 0.25, gamma: float = 2.0) -> Tensor:
    """Focal loss for targets of 0 and 1; a soft target counts as 1 where it is above 0.

    Source: Lin et al. 2017 (arXiv:1708.02002), equation 5.
    """
    hard = (target > 0).to(prob.dtype)
    wrong = hard * (1 - prob) + (1 - hard) * prob
    share = hard * alpha + (1 - hard) * (1 - alpha)
    return share * wrong.pow(gamma) * cross_entropy(prob, hard)


def quality_focal(prob: Tensor, target: Tensor, *, beta: float = 2.0) -> Tensor:
    """Focal loss for targets that say how good the box is; 0 where the probability is the target.

    Source: Li et al. 2020, Generalized Focal Loss (arXiv:2006.04388), equation 4.
    """
    return (target - prob).abs().pow(beta) * cross_entropy(prob, target)


def _regions(prob: Tensor, target: Tensor, bins: int) -> tuple[Tensor, Tensor]:
    region = ((prob - target).abs() * bins).long().clamp(max=bins - 1)
    return region, torch.bincount(region.flatten(), minlength=bins)


def gradient_density(prob: Tensor, target: Tensor, *, bins: int = 10) -> Tensor:
    """How many examples have a gradient like each one's, per unit of gradient; of the shape of `prob`.

    Source: Li et al. 2019, GHM (arXiv:1811.05181), equations 5 and 6 by unit regions (section 3.4):
    the gradient's norm |prob - target| falls into one of `bins` equal regions of [0, 1]; the
    density is the number of examples there over the region's length.
    """
    region, counts = _regions(prob, target, bins)
    return counts[region].to(prob.dtype) * bins


def ghm_c(prob: Tensor, target: Tensor, *, bins: int = 10) -> Tensor:
    """Gradient harmonizing loss: what many examples have in common counts less.

    Source: Li et al. 2019 (arXiv:1811.05181), equation 9, with the length of all regions taken as that
    of those in use: otherwise a batch whose gradients fill two regions of ten weighs a fifth. The sum
    of the terms is the mean over regions of their mean cross entropy. The density has no gradient.
    """
    with torch.no_grad():
        region, counts = _regions(prob, target, bins)
        counts = share_of_all(counts, learning=prob.requires_grad, least=0)
        share = 1 / (counts[region] * (counts > 0).sum())
    return cross_entropy(prob, target) * share


def centre_focal(prob: Tensor, heat: Tensor, *, alpha: float = 2.0, beta: float = 4.0) -> Tensor:
    """Penalty-reduced focal loss of a heat map whose centres are exactly 1.

    Source: Zhou et al. 2019, Objects as Points (arXiv:1904.07850), equation 1.
    """
    centre = heat >= 1
    right = (1 - prob).pow(alpha) * cross_entropy(prob, torch.ones_like(prob))
    wrong = (1 - heat).pow(beta) * prob.pow(alpha) * cross_entropy(prob, torch.zeros_like(prob))
    return torch.where(centre, right, wrong)


def class_loss(kind: ClassLoss, prob: Tensor, target: Tensor, positives: Tensor) -> Tensor:
    """The sum of the terms; focal losses over the number of positives, GHM-C as it is.

    Args:
        kind: Which loss.
        prob: (P, C) in [0, 1].
        target: (P, C) in [0, 1].
        positives: What focal losses are divided by, positive: see `share_of_all`.
    """
    if kind is ClassLoss.GHM_C:
        return ghm_c(prob, target).sum()
    terms = focal if kind is ClassLoss.FOCAL else quality_focal
    return terms(prob, target).sum() / positives
