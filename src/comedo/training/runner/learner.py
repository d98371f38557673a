"""A task's network and loss as Lightning wants them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from lightning.pytorch import LightningModule
from torch import Tensor, nn

from comedo.training.runner.contract import Batch, Task
from comedo.training.runner.plan import RunRecipe, Schedule

WATCHED = "watch/loss"


def rate_share(step: int, steps: int, schedule: Schedule) -> float:
    """Share of the peak learning rate at a step: a linear rise, then a cosine down to the last share."""
    done = min(1.0, step / max(1, steps))
    cosine = schedule.last_share + (1 - schedule.last_share) * 0.5 * (1 + math.cos(math.pi * done))
    return cosine * min(1.0, (step + 1) / max(1, schedule.warmup))


class Learner(LightningModule):
    """What Lightning drives; `net` is the task's network."""

    def __init__(self, task: Task[Any, Any, Any], recipe: RunRecipe, net: nn.Module, steps: int) -> None:
        super().__init__()
        self.task, self.recipe, self.net, self.steps = task, recipe, net, steps

    def on_train_batch_start(self, batch: Batch, index: int) -> None:  # noqa: ARG002
        # Dropout draws from torch's own numbers: seeding by the step makes a resumed run the same run.
        torch.manual_seed(self.recipe.schedule.seed + 1_000_003 * self.global_step + self.global_rank)

    def training_step(self, batch: Batch, index: int) -> Tensor:  # noqa: ARG002
        terms = self.task.loss(self.recipe, self.net, batch, self.current_epoch)
        total = torch.stack(list(terms.values())).sum()
        self._log("train", terms, total, batch)
        return total

    def validation_step(self, batch: Batch, index: int) -> None:  # noqa: ARG002
        terms = self.task.loss(self.recipe, self.net, batch, self.current_epoch)
        self._log("watch", terms, torch.stack(list(terms.values())).sum(), batch)

    def _log(self, side: str, terms: dict[str, Tensor], total: Tensor, batch: Batch) -> None:
        size = len(next(iter(batch.values())))
        figures = {f"{side}/loss": total.detach()} | {f"{side}/{k}": v.detach() for k, v in terms.items()}
        self.log_dict(figures, on_step=False, on_epoch=True, sync_dist=True, batch_size=size)
        if side == "train":
            self.log("loss", total.detach(), prog_bar=True, logger=False, batch_size=size)

    def configure_optimizers(self) -> Any:
        schedule = self.recipe.schedule
        optimizer = _optimizer(_groups(self.net, schedule), schedule)
        shares = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate_share(step, self.steps, schedule))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": shares, "interval": "step"}}


def _groups(net: nn.Module, schedule: Schedule) -> list[dict[str, Any]]:
    learning = [(n, p) for n, p in net.named_parameters() if p.requires_grad]
    encoder = [p for n, p in learning if n.startswith("encoder.")]
    rest = [p for n, p in learning if not n.startswith("encoder.")]
    groups = [
        {"params": encoder, "lr": schedule.rate * schedule.encoder_share},
        {"params": rest, "lr": schedule.rate},
    ]
    return [group for group in groups if group["params"]]


def _optimizer(groups: Sequence[dict[str, Any]], schedule: Schedule) -> torch.optim.Optimizer:
    if schedule.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=schedule.rate, momentum=schedule.momentum, weight_decay=schedule.weight_decay)
    kind = torch.optim.Adam if schedule.optimizer == "adam" else torch.optim.AdamW
    return kind(groups, lr=schedule.rate, weight_decay=schedule.weight_decay)
