"""The same function in two processes that know of each other, as in a training on two devices."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

import torch
from torch import distributed

Found = TypeVar("Found")


def in_two_processes(compute: Callable[[int], Found], folder: Path) -> list[Found]:
    """What `compute(rank)` gives in each, joined by gloo."""
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        waiting = [pool.submit(_joined, compute, rank, folder / "meeting") for rank in (0, 1)]
        return [found.result(timeout=300) for found in waiting]


def _joined(compute: Callable[[int], Found], rank: int, meeting: Path) -> Found:
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=meeting.as_uri(), rank=rank, world_size=2)
    try:
        return compute(rank)
    finally:
        distributed.destroy_process_group()
