"""The training itself: Lightning with checkpoints at every epoch, so that a killed run goes on exactly."""

from __future__ import annotations

import csv
import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint, RichProgressBar, WeightAveraging
from lightning.pytorch.loggers import TensorBoardLogger
from torch import Tensor, nn

from comedo.errors import UnusableInput
from comedo.report.whole_file import write_whole
from comedo.training.runner.contract import Examples, Task
from comedo.training.runner.feed import first_batch, steps_of, training_feed, watching_feed
from comedo.training.runner.learner import WATCHED, Learner
from comedo.training.runner.plan import RunRecipe
from comedo.training.start import settle_norms

LAST, BEST = "last.ckpt", "best.ckpt"
_LOG = "log.csv"


@dataclass(frozen=True)
class Machine:
    """What a run runs on; it changes the speed and, with several devices, the statistics of batch norms."""

    device: str = "auto"  # auto, cpu, cuda
    devices: int = 1  # on this machine
    nodes: int = 1  # machines, each of which starts the same command
    workers: int = 0  # processes that prepare examples for each device

    @property
    def world(self) -> int:
        """Processes in all."""
        return self.devices * self.nodes


@dataclass(frozen=True)
class Fitted:
    """A network after training."""

    net: nn.Module  # of the best epoch, on the CPU, in evaluation mode
    epochs: int  # that were run
    best_epoch: int  # counted from 1
    main: bool  # whether this process is the one that goes on to export and measure


class MovingAverage(WeightAveraging):
    """Keeps a moving average of the weights, which is what is watched, written and exported.

    It forgets the first steps soon: after n of them at most (n + 1) / (n + 10) of it stays.
    """

    def __init__(self, stays: float) -> None:
        def average(ours: Tensor, theirs: Tensor, number: Tensor | int) -> Tensor:
            if not ours.dtype.is_floating_point:  # counters of batch norms
                return theirs
            return ours.lerp(theirs, 1 - min(stays, (int(number) + 1) / (int(number) + 10)))

        super().__init__(avg_fn=average)

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        self._device = trainer.strategy.root_device  # the network moves there later; its average belongs beside it
        super().setup(trainer, pl_module, stage)


class EpochLog(Callback):
    """One line of log.csv for each epoch: its losses by name."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def on_train_epoch_end(self, trainer: Trainer, module: LightningModule) -> None:  # noqa: ARG002
        if not trainer.is_global_zero:
            return
        epoch = trainer.current_epoch + 1
        figures = {k: f"{float(v):.6g}" for k, v in sorted(trainer.callback_metrics.items()) if "/" in k}
        rows: list[dict[str, Any]] = [{"epoch": epoch, "step": trainer.global_step, **figures}]
        if self.path.exists():  # a run killed before its checkpoint was written does this epoch again
            before = csv.DictReader(self.path.read_text(encoding="utf-8").splitlines())
            rows = [*(row for row in before if int(row["epoch"]) < epoch), *rows]
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, list(rows[-1]))
        writer.writeheader()
        writer.writerows(rows)
        write_whole(self.path, [text.getvalue().encode()])  # a kill leaves the lines of before


def fit(
    task: Task[Any, Any, Any],
    recipe: RunRecipe,
    net: nn.Module,
    learnt: Examples,
    watched: Examples | None,
    *,
    out: Path,
    machine: Machine,
    quiet: bool = False,
) -> Fitted:
    """Train until the last epoch, or until nothing gets better; continue what `out` holds.

    Args:
        task: Says what the loss is.
        recipe: Says how long and how fast.
        net: Before training.
        learnt: What is learnt from.
        watched: Of other people; `None` keeps the last epoch.
        out: Where last.ckpt, best.ckpt, log.csv and tensorboard/ live.
        machine: Devices.
        quiet: No progress bar.
    """
    schedule = recipe.schedule
    steps = steps_of(learnt.number, schedule) * schedule.epochs
    # Pictures lie with their channels together; weights laid out likewise make a step three times faster on a CPU.
    net = net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    learner = Learner(task, recipe, net, steps)
    with _calm():
        torch.manual_seed(schedule.seed)
        trainer = Trainer(**_settings(recipe, machine, out, watched is not None, quiet))
        rank, world = trainer.global_rank, trainer.world_size
        share = {"rank": rank, "world": world, "workers": machine.workers}
        feeds = training_feed(task, recipe, learnt, **share)
        watching = None if watched is None else watching_feed(task, recipe, watched, **share)
        last = out / LAST
        if not last.exists():
            (out / _LOG).unlink(missing_ok=True)  # of a run that left no checkpoint
            settle_norms(net, lambda: task.loss(recipe, net, first_batch(task, recipe, learnt), 0))
        learner.train()  # Lightning leaves the mode as it finds it
        if not _stopped_early(last, recipe):
            trainer.fit(learner, feeds, watching, ckpt_path=last if last.exists() else None, weights_only=False)
    return load_fitted(learner.net, out, main=trainer.is_global_zero)


def load_fitted(net: nn.Module, out: Path, *, main: bool = True) -> Fitted:
    """Fill a network with the weights of the best epoch in `out`, or of the last where nothing was watched.

    Raises:
        UnusableInput: There is no checkpoint, or it is another network's.
    """
    best = out / BEST if (out / BEST).exists() else out / LAST
    if not best.exists():
        raise UnusableInput(f"{out} holds no checkpoint {LAST}; train first")
    saved = _read(best)
    last = _read(out / LAST) if (out / LAST).exists() else saved
    try:
        net.cpu().load_state_dict({k.removeprefix("net."): v for k, v in saved["state_dict"].items()})
    except RuntimeError as error:
        raise UnusableInput(f"{best} holds another network than the recipe builds; choose another --out") from error
    return Fitted(net.eval(), int(last["epoch"]) + 1, int(saved["epoch"]) + 1, main)


def _read(checkpoint: Path) -> dict[str, Any]:
    saved: dict[str, Any] = torch.load(checkpoint, map_location="cpu", weights_only=False)
    return saved


def _stopped_early(last: Path, recipe: RunRecipe) -> bool:
    """Whether a finished run lies there, which Lightning would carry on for one more epoch."""
    if not last.exists() or recipe.watch.patience == 0:
        return False
    stopping = [state for name, state in _read(last)["callbacks"].items() if name.startswith("EarlyStopping")]
    return any(state["wait_count"] >= recipe.watch.patience for state in stopping)


def _settings(recipe: RunRecipe, machine: Machine, out: Path, watched: bool, quiet: bool) -> dict[str, Any]:
    schedule = recipe.schedule
    accelerator = accelerator_of(machine.device)
    return {
        "accelerator": accelerator,
        "devices": machine.devices,
        "num_nodes": machine.nodes,
        "strategy": "ddp" if machine.world > 1 else "auto",
        "sync_batchnorm": machine.world > 1 and accelerator == "gpu",
        "precision": "bf16-mixed" if schedule.precision == "bf16" else "32-true",
        "gradient_clip_val": schedule.clip or None,
        "max_epochs": schedule.epochs,
        "use_distributed_sampler": False,  # `Turn` shares the examples out
        "num_sanity_val_steps": 2 if watched else 0,  # what cannot be watched should fail now, not in an hour
        "log_every_n_steps": 1,
        "logger": TensorBoardLogger(out, name="tensorboard", version=""),
        "callbacks": _callbacks(recipe, out, watched, quiet),
        "enable_progress_bar": not quiet,
        "enable_model_summary": False,
    }


def _callbacks(recipe: RunRecipe, out: Path, watched: bool, quiet: bool) -> list[Callback]:
    keep: dict[str, Any] = {"dirpath": out, "enable_version_counter": False, "save_on_train_epoch_end": True}
    callbacks: list[Callback] = [EpochLog(out / _LOG)]
    if recipe.schedule.average > 0:
        callbacks.append(MovingAverage(recipe.schedule.average))
    if watched:
        callbacks.append(ModelCheckpoint(filename=Path(BEST).stem, monitor=WATCHED, save_top_k=1, **keep))
        if recipe.watch.patience > 0:
            callbacks.append(EarlyStopping(WATCHED, patience=recipe.watch.patience, check_on_train_epoch_end=True))
    # Last of all, so that it holds what the others know.
    callbacks.append(ModelCheckpoint(filename=Path(LAST).stem, save_top_k=1, every_n_epochs=1, **keep))
    return callbacks if quiet else [*callbacks, RichProgressBar(console_kwargs={"stderr": True})]


def accelerator_of(device: str) -> str:
    """Lightning's word for a device.

    Raises:
        UnusableInput: It is none, or there is no such device.
    """
    if device not in ("auto", "cpu", "cuda"):
        raise UnusableInput(
            f"--device must be auto, cpu or cuda, got {device!r}; choose among several GPUs by CUDA_VISIBLE_DEVICES"
        )
    if device == "cuda" and not torch.cuda.is_available():
        raise UnusableInput("torch sees no CUDA device; train with --device cpu")
    return "gpu" if device != "cpu" and torch.cuda.is_available() else "cpu"


@contextmanager
def _calm() -> Iterator[None]:
    """Without Lightning's hints about workers and loggers, which are chosen here on purpose."""
    talk = logging.getLogger("lightning.pytorch")
    level = talk.level
    talk.setLevel(logging.WARNING)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="lightning")
        warnings.filterwarnings("ignore", message=".*does not have many workers.*")
        warnings.filterwarnings("ignore", message=".*exists and is not empty.*")
        try:
            yield
        finally:
            talk.setLevel(level)
