"""The face-map network and its loss."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from comedo.training.face_map.data import IGNORE, NOT_FACE
from comedo.training.networks import UNet, scaled
from comedo.training.runner.shares import share_of_all
from comedo.types import Part

CLASSES = len(Part)
# Small parts are rare in pixels but steer pose and scale.
_WEIGHTS = (1.0, 1.0, 1.2, 1.0, 1.0, 1.0, 2.0, 1.5, 1.5, 1.0)


def build_face_net() -> UNet:
    """The untrained face map: ten classes at half resolution."""
    return UNet(outputs=CLASSES, widths=(64, 48, 32, 32))


def face_loss(output: Tensor, labels: Tensor, *, learning: bool = False) -> dict[str, Tensor]:
    """Cross-entropy; where only "no face" is known, background and other share the credit.

    Args:
        output: (N, 10, h, w) logits.
        labels: (N, h, w) uint8 of Part, NOT_FACE or IGNORE.
        learning: Divide by the pixels of every process.
    """
    labels = labels.long()
    log_prob = functional.log_softmax(output, dim=1)
    known = labels < CLASSES
    weights = output.new_tensor(_WEIGHTS)
    picked = log_prob.gather(1, labels.clamp(max=CLASSES - 1).unsqueeze(1)).squeeze(1)
    weight = weights[labels.clamp(max=CLASSES - 1)] * known
    terms = {"parts": -(picked * weight).sum() / share_of_all(weight.sum(), learning=learning)}
    outside, told = (labels == NOT_FACE).float(), (labels != IGNORE).float().sum()
    either = torch.logaddexp(log_prob[:, Part.BACKGROUND], log_prob[:, Part.OTHER])
    terms["outside"] = -0.5 * (either * outside).sum() / share_of_all(told, learning=learning)
    return terms


class FaceExport(nn.Module):
    """The face map as it is shipped.

    Input (N, H, W, 3) uint8 RGB; output (N, 10, H/2, W/2) float32 probabilities.
    """

    def __init__(self, net: UNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, image: Tensor) -> Tensor:
        logits = self.net(scaled(image))
        return torch.softmax(logits, dim=1)
