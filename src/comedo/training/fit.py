"""The training loop of both networks: seeded, resumable, averaged weights, bf16 on CPUs."""

from __future__ import annotations

import copy
import csv
import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor, nn

Batch = tuple[Tensor, dict[str, Tensor]]
Loss = Callable[[Tensor, dict[str, Tensor]], dict[str, Tensor]]


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to learn."""

    steps: int = 7000  # optimiser steps in all
    minutes: float = 0.0  # when positive: the learning rate falls so that training ends in time
    warmup: int = 100  # steps of rising learning rate
    rate: float = 1.5e-3  # peak learning rate of the decoder
    encoder_share: float = 0.5  # the pretrained encoder learns at this share of it
    frozen_stages: int = 0  # first stages of the encoder that stay as they start, with the stem; 0 for none
    weight_decay: float = 1e-2
    average: float = 0.998  # of the exponential moving average that is validated and shipped
    save_every_s: float = 180.0  # seconds between checkpoints
    seed: int = 17


@dataclass
class State:
    """Everything needed to go on after a kill."""

    net: nn.Module
    averaged: nn.Module
    optimizer: torch.optim.Optimizer
    step: int = 0
    spent_s: float = 0.0

    def save(self, path: Path, extra: dict[str, Any]) -> None:
        """Write a checkpoint so that a kill leaves the old one or the new one, never half."""
        draft = path.with_suffix(".draft")
        torch.save(
            {
                "net": self.net.state_dict(),
                "averaged": self.averaged.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "step": self.step,
                "spent_s": self.spent_s,
                **extra,
            },
            draft,
        )
        draft.replace(path)

    def load(self, path: Path) -> None:
        """Continue from a checkpoint written by `save`."""
        saved = torch.load(path, map_location="cpu", weights_only=True)
        self.net.load_state_dict(saved["net"])
        self.averaged.load_state_dict(saved["averaged"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.step, self.spent_s = saved["step"], saved["spent_s"]


def start(net: nn.Module, schedule: Schedule) -> State:
    """Optimiser and averaged copy for a fresh network with an `encoder`."""
    encoder = [p for n, p in net.named_parameters() if n.startswith("encoder.")]
    rest = [p for n, p in net.named_parameters() if not n.startswith("encoder.")]
    groups = [
        {"params": encoder, "share": schedule.encoder_share},
        {"params": rest, "share": 1.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=schedule.rate, weight_decay=schedule.weight_decay)
    return State(net=net, averaged=copy.deepcopy(net).eval(), optimizer=optimizer)


def progress_of(state: State, schedule: Schedule) -> float:
    """Share of the training that is done, by steps or by time, whichever is further; in [0, 1]."""
    by_time = state.spent_s / (60 * schedule.minutes) if schedule.minutes > 0 else 0.0
    return min(1.0, max(state.step / schedule.steps, by_time))


def _set_rate(state: State, schedule: Schedule) -> None:
    done = progress_of(state, schedule)
    rate = schedule.rate * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done)))
    rate *= min(1.0, (state.step + 1) / schedule.warmup)
    for group in state.optimizer.param_groups:
        group["lr"] = rate * group["share"]


@torch.no_grad()
def _average(state: State, schedule: Schedule) -> None:
    keep = min(schedule.average, (state.step + 1) / (state.step + 10))
    for ours, theirs in zip(state.averaged.state_dict().values(), state.net.state_dict().values(), strict=True):
        if ours.dtype.is_floating_point:
            ours.lerp_(theirs, 1 - keep)
        else:
            ours.copy_(theirs)


def fit(
    net: nn.Module,
    batches: Callable[[int], Batch],
    loss: Loss,
    *,
    schedule: Schedule,
    folder: Path,
    device: str = "cpu",
    validate: Callable[[nn.Module], dict[str, float]] | None = None,
    validate_every: int = 1000,
) -> nn.Module:
    """Train until the schedule ends; continue where a checkpoint in `folder` stopped.

    Args:
        net: A network with an `encoder`; (N, 3, H, W) float in [0, 1] in, maps out.
        batches: Step number to batch: uint8 pictures (N, H, W, 3) and targets. Being a function
            of the step, it gives the same batches after a kill.
        loss: Output and targets to named terms, which are summed.
        schedule: Length and rates.
        folder: Where last.pt, log.csv live.
        device: A torch device.
        validate: Called with the averaged network now and then; its figures are logged.
        validate_every: Steps between validations.

    Returns:
        The averaged network, in evaluation mode.
    """
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(schedule.seed)
    net = net.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    state = start(net, schedule)
    if (folder / "last.pt").exists():
        state.load(folder / "last.pt")
    config = {"schedule": asdict(schedule)}
    saved_at = time.monotonic()
    bar = Progress(
        TextColumn("step"), MofNCompleteColumn(), BarColumn(), TextColumn("{task.fields[note]}"), TimeRemainingColumn()
    )
    net.train()
    with bar, ThreadPoolExecutor(1) as ahead, (folder / "log.csv").open("a", newline="") as log:
        writer, task = csv.writer(log), bar.add_task("fit", total=schedule.steps, completed=state.step, note="")
        for image, target in _read_ahead(ahead, batches, state.step, lambda: progress_of(state, schedule) < 1):
            began = time.monotonic()
            _set_rate(state, schedule)
            terms = _step(state, image.to(device), {k: v.to(device) for k, v in target.items()}, loss)
            _average(state, schedule)
            state.step += 1
            state.spent_s += time.monotonic() - began
            if state.step % 20 == 0:
                note = " ".join(f"{k} {v:.3f}" for k, v in terms.items())
                bar.update(task, completed=state.step, note=note)
                writer.writerow([state.step, round(state.spent_s), *(f"{k}={v:.4f}" for k, v in terms.items())])
                log.flush()
            if time.monotonic() - saved_at > schedule.save_every_s:
                state.save(folder / "last.pt", config)
                saved_at = time.monotonic()
            if validate is not None and state.step % validate_every == 0:
                figures = validate(state.averaged)
                writer.writerow([state.step, "validation", *(f"{k}={v:.4f}" for k, v in figures.items())])
                log.flush()
    state.save(folder / "last.pt", config)
    return state.averaged


def _read_ahead(
    pool: ThreadPoolExecutor, batches: Callable[[int], Batch], step: int, more: Callable[[], bool]
) -> Iterator[Batch]:
    """Prepare the next batch in a thread while the present one is learnt from."""
    coming = pool.submit(batches, step)
    while more():
        batch = coming.result()
        step += 1
        coming = pool.submit(batches, step)
        yield batch
    coming.cancel()


def _step(state: State, image: Tensor, target: dict[str, Tensor], loss: Loss) -> dict[str, float]:
    batch = image.permute(0, 3, 1, 2).float().div_(255.0).contiguous(memory_format=torch.channels_last)
    with torch.autocast(image.device.type, torch.bfloat16):
        output = state.net(batch)
    terms = loss(output.float(), target)
    total = torch.stack(list(terms.values())).sum()
    state.optimizer.zero_grad(set_to_none=True)
    total.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(state.net.parameters(), 5.0)
    state.optimizer.step()
    return {k: float(v.detach()) for k, v in terms.items()}
