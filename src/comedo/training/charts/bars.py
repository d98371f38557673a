"""Progress bars on stderr, where somebody watches and there is something to wait for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

Thing = TypeVar("Thing")
_MANY = 20  # things from which a bar is worth it
_COLUMNS = (TextColumn("{task.description}"), MofNCompleteColumn(), BarColumn(), TimeRemainingColumn())


def tracked(things: Sequence[Thing], words: str, *, many: int = _MANY) -> Iterator[Thing]:
    """The things one by one, with a bar where there are so many at least and stderr is a terminal."""
    console = Console(stderr=True)
    quiet = len(things) < many or not console.is_terminal
    with Progress(*_COLUMNS, console=console, disable=quiet, transient=True) as bar:
        yield from bar.track(things, description=words)
