"""From patches to grades: a regression or one of three heads with probabilities, whose losses take distributions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from comedo.training.backbones import build_backbone, pooled, pooled_width
from comedo.training.severity.recipe import Net


class Coral(nn.Module):
    """One score and rising thresholds (Cao et al. 2020, arXiv:1901.07884): logits of "worse than grade k".

    The thresholds are sums of positive steps, so that a worse grade is never likelier than a milder limit.
    """

    def __init__(self, width: int, grades: int) -> None:
        super().__init__()
        self.score = nn.Linear(width, 1, bias=False)
        self.first = nn.Parameter(torch.tensor(-(grades - 2) / 2))
        self.steps = nn.Parameter(torch.full((grades - 2,), 0.5413))  # softplus of it is 1

    def forward(self, features: Tensor) -> Tensor:
        rising = torch.cumsum(functional.softplus(self.steps), 0)
        limits = self.first + torch.cat([self.steps.new_zeros(1), rising])
        return self.score(features) - limits  # type: ignore[no-any-return]


def _regression(width: int, grades: int) -> nn.Module:
    head = nn.Linear(width, 1)
    nn.init.constant_(head.bias, (grades - 1) / 2)
    return head


HEADS: Mapping[str, Callable[[int, int], nn.Module]] = {
    "regression": _regression,
    "coral": Coral,
    "corn": lambda width, grades: nn.Linear(width, grades - 1),
    "distribution": nn.Linear,
}


class SeverityNet(nn.Module):
    """(N, 3, H, W) float in [0, 1] to the head's raw output (N, 1), (N, K - 1) or (N, K).

    Rolled copies make rare grades common in training. Exported answers are brought back to the grades' true shares:
    scores by `line` (slope, offset), fitted to watched people; probabilities by `shares`, how often a photo of a grade
    is met over how often its patches were learnt from.
    """

    line: Tensor
    shares: Tensor

    def __init__(self, plan: Net, encoder: nn.Module, grades: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.frozen = plan.frozen
        if plan.frozen:
            encoder.requires_grad_(False).eval()
        width = pooled_width(encoder)
        layers: list[nn.Module] = [nn.BatchNorm1d(width)]
        for hidden in plan.hidden:
            layers += [nn.Linear(width, hidden), nn.ReLU(), nn.Dropout(plan.dropout)]
            width = hidden
        self.layers = nn.Sequential(*layers)
        self.head = HEADS[plan.head](width, grades)
        self.register_buffer("line", torch.tensor([1.0, 0.0]))
        self.register_buffer("shares", torch.ones(grades))

    def train(self, mode: bool = True) -> SeverityNet:
        """Set learning or evaluation, but for a frozen backbone."""
        super().train(mode)
        if self.frozen:
            self.encoder.eval()
        return self

    def forward(self, images: Tensor) -> Tensor:
        out: Tensor = self.head(self.layers(pooled(self.encoder(images))))
        return out


def build_net(plan: Net, root: Path, grades: int) -> SeverityNet:
    """The network before training."""
    return SeverityNet(plan, build_backbone(plan.backbone, plan.weights, root), grades)


def head_loss(head: str, output: Tensor, labels: Tensor) -> Tensor:
    """The loss of one head.

    Args:
        head: Name of `HEADS`.
        output: Its raw output, float32.
        labels: (N, K) distributions over grades; certainty is a single 1.

    Returns:
        Scalar: squared error of the mean grade; cross entropy of each "worse than k", over all labels (coral) or over
        the share of them that is k at least (corn: Shi et al. 2021, arXiv:2111.08851, equation 3, where a label is
        certain); or cross entropy of the distributions.
    """
    steps = torch.arange(labels.shape[1], device=labels.device, dtype=labels.dtype)
    if head == "regression":
        return functional.mse_loss(output[:, 0], labels @ steps)
    worse = (1 - torch.cumsum(labels, 1)[:, :-1]).clamp(0, 1)
    if head == "coral":
        return functional.binary_cross_entropy_with_logits(output, worse)
    if head == "corn":
        so_bad = labels[:, :-1]  # exactly k
        terms = worse * functional.logsigmoid(output) + so_bad * functional.logsigmoid(-output)
        return -terms.sum() / (worse + so_bad).sum().clamp(min=1e-6)
    return functional.cross_entropy(output, labels)


class SeverityExport(nn.Module):
    """As it is shipped: (N, S, S, 3) uint8 RGB to scores (N,) in grades and, of ordinal heads, (N, K) probabilities."""

    def __init__(self, net: SeverityNet, head: str) -> None:
        super().__init__()
        self.net, self.head = net, head

    def forward(self, patches: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        output: Tensor = self.net(patches.permute(0, 3, 1, 2).float() / 255.0)
        if self.head == "regression":
            return output[:, 0] * self.net.line[0] + self.net.line[1]
        probs = torch.softmax(output, 1) if self.head == "distribution" else _steps_to_probs(self._worse(output))
        probs = probs * self.net.shares
        probs = probs / probs.sum(1, keepdim=True)
        steps = torch.arange(probs.shape[1], dtype=probs.dtype)
        return (probs * steps).sum(1), probs

    def _worse(self, output: Tensor) -> Tensor:
        """Probability of "worse than k" (N, K - 1); those of corn are conditional on each other and so multiplied."""
        if self.head == "corn":
            return torch.cumsum(functional.logsigmoid(output), 1).exp()
        return torch.sigmoid(output)


def _steps_to_probs(worse: Tensor) -> Tensor:
    ends = torch.cat([torch.ones_like(worse[:, :1]), worse, torch.zeros_like(worse[:, :1])], 1)
    return ends[:, :-1] - ends[:, 1:]
