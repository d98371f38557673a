"""What passes between a detector's head, its losses and its decoding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from comedo.training.detection.boxes import distances_to
from comedo.training.detection.points import Points

PRIOR = 0.01  # probability that every point starts with (Lin et al. 2017, arXiv:1708.02002, section 3.3)


@dataclass(frozen=True, eq=False)
class Truth:
    """The boxes of one picture."""

    boxes: Tensor  # (G, 4) float32, pixels of the picture
    classes: Tensor  # (G,) long


@dataclass(frozen=True, eq=False)
class Dense:
    """What a head says at each of P points of N pictures."""

    prob: Tensor  # (N, P, C) float32 in [0, 1]
    boxes: Tensor  # (N, P, 4) float32, pixels of the picture
    points: Points
    score: Tensor  # (N, P, C): what detections are ranked by
    centred: Tensor | None = None  # (N, P) in [0, 1]: how central the point says it is


class Head(nn.Module):
    """From a pyramid's features to a `Dense`, and from that to losses."""

    def forward(self, features: Sequence[Tensor]) -> Dense:
        raise NotImplementedError

    def losses(self, dense: Dense, truths: Sequence[Truth], done: float) -> dict[str, Tensor]:
        """Named terms to sum; `done` is the share of the training that is behind, in [0, 1]."""
        raise NotImplementedError


class Scale(nn.Module):
    """One learnt factor, for levels that share a head."""

    def __init__(self) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.ones(()))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.factor


class GroupNorm(nn.GroupNorm):
    """Group norm, because batches of detectors are small; without the check that keeps torch from tracing it."""

    def __init__(self, channels: int) -> None:
        super().__init__(max(1, channels // 16), channels)

    def forward(self, x: Tensor) -> Tensor:
        return torch.group_norm(x, self.num_groups, self.weight, self.bias, self.eps)


def conv_block(channels: int) -> nn.Sequential:
    """3x3 convolution, norm, ReLU."""
    conv = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
    return nn.Sequential(conv, GroupNorm(channels), nn.ReLU(inplace=True))


def start_at_prior(conv: nn.Conv2d, prior: float = PRIOR) -> nn.Conv2d:
    """Make a convolution's outputs start near the logit of `prior`."""
    nn.init.normal_(conv.weight, std=0.01)
    assert conv.bias is not None
    nn.init.constant_(conv.bias, -float(torch.logit(torch.tensor(1 - prior))))
    return conv


def centredness(points_xy: Tensor, boxes: Tensor) -> Tensor:
    """1 in the middle of a box, 0 on its edge and outside.

    Source: Tian et al. 2019, FCOS (arXiv:1904.01355), equation 3.
    """
    left, top, right, bottom = distances_to(points_xy, boxes).clamp(min=0).unbind(-1)
    across = torch.minimum(left, right) / torch.maximum(left, right).clamp(min=1e-6)
    down = torch.minimum(top, bottom) / torch.maximum(top, bottom).clamp(min=1e-6)
    return (across * down).sqrt()


def targets_of(truths: Sequence[Truth], box: Tensor) -> tuple[Tensor, Tensor]:
    """Box (N, P, 4) and class (N, P) of each point; of background the first's, to be masked.

    Args:
        truths: Of each picture.
        box: (N, P) index into the picture's boxes, -1 for background.
    """
    boxes, classes = [], []
    for truth, index in zip(truths, box, strict=True):
        chosen = index.clamp(min=0)
        if len(truth.boxes) == 0:
            boxes.append(truth.boxes.new_zeros(len(index), 4))
            classes.append(torch.zeros_like(index))
        else:
            boxes.append(truth.boxes[chosen])
            classes.append(truth.classes[chosen])
    return torch.stack(boxes), torch.stack(classes)


def class_targets(classes: Tensor, quality: Tensor, number: int) -> Tensor:
    """(N, P, C) with each point's quality in the column of its class; background has quality 0."""
    column = torch.nn.functional.one_hot(classes, number).to(quality.dtype)
    return column * quality[..., None]
