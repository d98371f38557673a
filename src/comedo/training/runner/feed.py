"""From examples to batches: the same ones whatever the number of workers, devices and kills."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import numpy as np
from torch.utils.data import DataLoader, Dataset, Sampler

from comedo.errors import UnusableInput
from comedo.training.runner.contract import Arrays, Batch, Examples, Item, Task
from comedo.training.runner.plan import RunRecipe, Schedule, Watch

_WATCHED = 2**31 - 1  # stands for the epoch in the random numbers of watched examples
_ORDER = 2**31 - 2  # and for the index in those of an epoch's order

Place = tuple[int, int, int]  # epoch, index of the example, how often the epoch has drawn it before


class DrawnExamples(Dataset[list[Arrays]]):
    """Examples as torch asks for them: those of a batch at a time."""

    def __init__(self, examples: Examples, seed: int) -> None:
        self.examples, self.seed = examples, seed

    def __getitem__(self, places: list[Place]) -> list[Arrays]:
        return [self.examples.draw(place[1], np.random.default_rng([self.seed, *place])) for place in places]


@dataclass
class Turn(Sampler[list[Place]]):
    """Which examples one of several processes draws in each step of an epoch.

    All processes together take `per_step` examples a step; each takes every `world`-th of them.
    """

    number: int
    per_step: int
    steps: int
    seed: int
    rank: int = 0
    world: int = 1
    epoch: int = 0  # Lightning says which through set_epoch

    def set_epoch(self, epoch: int) -> None:
        """The epoch that comes next."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.steps

    def __iter__(self) -> Iterator[list[Place]]:
        wanted = self.steps * self.per_step
        rng = np.random.default_rng([self.seed, self.epoch, _ORDER])
        rounds = -(-wanted // self.number)
        order = np.concatenate([rng.permutation(self.number) for _ in range(rounds)])[:wanted]
        for step in range(self.steps):
            taken = range(step * self.per_step, (step + 1) * self.per_step)[self.rank :: self.world]
            yield [(self.epoch, int(order[k]), k // self.number) for k in taken]


def steps_of(number: int, schedule: Schedule) -> int:
    """Steps of one epoch."""
    return schedule.steps or max(1, -(-number // schedule.per_step))


def training_feed(
    task: Task[Any, Any, Any], recipe: RunRecipe, examples: Examples, *, rank: int, world: int, workers: int
) -> DataLoader[Batch]:
    """Batches of one process.

    Raises:
        UnusableInput: There is nothing to learn from, or a step does not divide among the processes.
    """
    schedule = recipe.schedule
    if examples.number == 0:
        raise UnusableInput("the recipe's data holds no training examples; give its folder with --data")
    if schedule.per_step % world:
        raise UnusableInput(
            f"schedule.per_step is {schedule.per_step} and must divide among {world} processes; "
            f"--set schedule.per_step={-(-schedule.per_step // world) * world}"
        )
    turn = Turn(
        examples.number, schedule.per_step, steps_of(examples.number, schedule), schedule.seed, rank=rank, world=world
    )
    return _loader(task, DrawnExamples(examples, schedule.seed), turn, workers)


def first_batch(task: Task[Any, Any, Any], recipe: RunRecipe, examples: Examples) -> Batch:
    """What a run of one process learns from first."""
    schedule = recipe.schedule
    places = next(iter(Turn(examples.number, schedule.per_step, 1, schedule.seed)))
    return task.collate(DrawnExamples(examples, schedule.seed)[places])


def watching_feed(
    task: Task[Any, Any, Any], recipe: RunRecipe, examples: Examples, *, rank: int, world: int, workers: int
) -> DataLoader[Batch]:
    """The watched examples, always the same, in batches of one process.

    Raises:
        UnusableInput: A process would have nothing to watch, and the others would wait for it for ever.
    """
    if examples.number < world:
        raise UnusableInput(
            f"{examples.number} examples are watched, too few for {world} processes; take fewer --devices or --nodes, "
            "watch more people (--set watch.share=0.3), or nobody (--set watch.share=0)"
        )
    size = max(1, recipe.schedule.per_step // world)
    mine = [(_WATCHED, i, 0) for i in range(examples.number)][rank::world]
    batches = [mine[i : i + size] for i in range(0, len(mine), size)]
    return _loader(task, DrawnExamples(examples, recipe.schedule.seed), batches, workers)


def _loader(
    task: Task[Any, Any, Any], drawn: DrawnExamples, turns: Turn | list[list[Place]], workers: int
) -> DataLoader[Batch]:
    return DataLoader(
        drawn,  # type: ignore[arg-type] # collate_fn makes a batch of its lists
        batch_size=None,  # the sampler names whole batches
        sampler=turns,
        collate_fn=task.collate,
        num_workers=workers,
        # Threads of OpenCV and ONNX Runtime do not survive a fork.
        multiprocessing_context="spawn" if workers else None,
        persistent_workers=workers > 0,
    )


def divide(items: Sequence[Item], watch: Watch, seed: int) -> tuple[list[Item], list[Item], list[Item]]:
    """Items to learn from, to watch and to measure on; nobody is in two of them."""
    learnt: list[Item] = []
    watched: list[Item] = []
    held_back: list[Item] = []
    for item in items:
        if item.split == "train":
            (watched if _drawn(item.person, seed) < watch.share else learnt).append(item)
        elif item.split == "val":
            held_back.append(item)
    return learnt, watched, held_back


def _drawn(person: str, seed: int) -> float:
    """A number in [0, 1) that belongs to a person and a seed."""
    return crc32(f"{seed}/{person}".encode()) / 2**32
