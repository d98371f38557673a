"""What the losses of several processes divide by."""

from __future__ import annotations

import torch
from torch import Tensor, distributed


def share_of_all(amount: Tensor, *, learning: bool, least: float = 1.0) -> Tensor:
    """What a loss divides by: the amount on the pictures of all processes, divided evenly among them.

    Gradients are averaged over processes. If each divided by what its own pictures have, a lesion among many
    would weigh less than one alone, and two processes would learn something else than one.

    Args:
        amount: On this process's pictures, without gradient: how many positives, or the sum of their weights.
        learning: Only then are the others asked: they watch other numbers of batches, and nobody would answer.
        least: The sum over all processes counts as no less.
    """
    if not (learning and distributed.is_available() and distributed.is_initialized()):
        return amount.clamp(min=least)
    total = amount.to(torch.float32, copy=True)
    distributed.all_reduce(total)
    return total.clamp(min=least) / distributed.get_world_size()
