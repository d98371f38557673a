"""The lesion network: what its channels mean and what it is trained to minimise."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from comedo.training.lesion_map.data import IGNORE
from comedo.training.networks import UNet, scaled
from comedo.training.runner.shares import share_of_all

# Channels of the network's output; the run time reads the same order (comedo.lesions.network).
MASK, ACTIVE, MARK, SPARSE, INFLAMED, LOG_RADIUS = range(6)


def build_lesion_net() -> UNet:
    """The untrained network; centres start improbable, as in CenterNet (arXiv:1904.07850)."""
    net = UNet(outputs=6, widths=(96, 64, 64, 32))
    assert net.head.bias is not None
    with torch.no_grad():
        net.head.bias[:] = torch.tensor([-2.0, -4.6, -4.6, -4.6, 0.0, 1.8])
    return net


def centre_focal(logits: Tensor, heat: Tensor, weight: Tensor, *, learning: bool = False) -> Tensor:
    """Penalty-reduced focal loss over centre heat (Law & Deng 2018, arXiv:1808.01244, eq. 1).

    Args:
        logits, heat, weight: (N, h, w); peaks of `heat` are exactly 1.
        learning: Count the peaks of every process.

    Returns:
        Scalar: the weighted sum over all cells divided by the peaks' weights, at least 4, so that
        a batch of clear skin does not outweigh one with lesions.
    """
    prob = torch.sigmoid(logits).clamp(1e-5, 1 - 1e-5)
    peak = (heat >= 0.999).float()
    at_peak = peak * (1 - prob) ** 2 * torch.log(prob)
    away = (1 - peak) * (1 - heat) ** 4 * prob**2 * torch.log(1 - prob)
    return -(weight * (at_peak + away)).sum() / share_of_all((peak * weight).sum(), learning=learning, least=4.0)


def soft_mask(logits: Tensor, mask: Tensor, weight: Tensor, *, learning: bool = False) -> Tensor:
    """Weighted cross-entropy plus soft Dice over the cells of full weight, (N, h, w) each; Dice by process."""
    entropy = functional.binary_cross_entropy_with_logits(
        logits, mask, reduction="none", pos_weight=logits.new_tensor(2.0)
    )
    loss = (entropy * weight).sum() / share_of_all(weight.sum(), learning=learning)
    exact = (weight >= 0.99).float()
    prob = torch.sigmoid(logits) * exact
    overlap = 2 * (prob * mask).sum() + 10.0
    dice = 1 - overlap / (prob.sum() + (mask * exact).sum() + 10.0)
    return loss + 0.3 * dice * (exact.sum() > 0).float()


def lesion_loss(output: Tensor, target: Mapping[str, Tensor], *, learning: bool = False) -> dict[str, Tensor]:
    """Every term of the loss; their sum is minimised. What nothing is known of adds 0.

    Args:
        output: (N, 6, h, w) logits.
        target: Stacked `LesionTarget`; with `kept_mask`, (N, h, w) in [0, 1], where `kept`, (N,), is 1.
        learning: Divide by what the crops of every process show.
    """
    heat, weight = target["heat"], target["heat_weight"]

    def mean(loss: Tensor, known: Tensor) -> Tensor:
        return (loss * known).sum() / share_of_all(known.sum(), learning=learning)

    def centres(channel: int, place: int) -> Tensor:
        return centre_focal(output[:, channel], heat[:, place], weight[:, place], learning=learning)

    typed, centre = target["inflamed"] != IGNORE, target["log_radius"] != IGNORE
    inflamed = _entropy(output[:, INFLAMED], torch.where(typed, target["inflamed"], 0.0))
    radius = functional.smooth_l1_loss(output[:, LOG_RADIUS], target["log_radius"], beta=0.2, reduction="none")
    terms = {
        "active": centres(ACTIVE, 0),
        "mark": 0.5 * centres(MARK, 1),
        "sparse": 0.4 * centres(SPARSE, 2),
        "mask": soft_mask(output[:, MASK], target["mask"], target["mask_weight"], learning=learning),
        "inflamed": 0.3 * mean(inflamed, typed),
        "radius": 0.3 * mean(radius, centre),
    }
    if "kept_mask" in target:
        kept = _entropy(output[:, MASK], target["kept_mask"])
        terms["kept mask"] = mean(kept, target["kept"][:, None, None].expand_as(kept))
    return terms


def _entropy(logits: Tensor, prob: Tensor) -> Tensor:
    return functional.binary_cross_entropy_with_logits(logits, prob, reduction="none")


class LesionExport(nn.Module):
    """The network as it is shipped: uint8 picture in, probabilities out, all in one graph.

    Input (N, H, W, 3) uint8 RGB; output (N, 6, H/2, W/2) float32: five probabilities and the
    radius in work pixels.
    """

    def __init__(self, net: UNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, image: Tensor) -> Tensor:
        logits = self.net(scaled(image))
        return torch.cat([torch.sigmoid(logits[:, :LOG_RADIUS]), torch.exp(logits[:, LOG_RADIUS:])], 1)
