"""`comedo train` and `comedo evaluate-run`; thin."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from comedo.errors import UnusableInput

if TYPE_CHECKING:
    from comedo.training.manifest import Entry
    from comedo.training.runner.fit import Machine


def train_task(
    values: Mapping[str, object],
    where: str,
    data: Path,
    out: Path,
    machine: Machine,
    *,
    cache: Path | None,
    export_only: bool,
    allow_leaks: bool,
) -> Entry | None:
    """Train by the values of a recipe, or only export what is there; tables go to stderr.

    Returns:
        The network's entry in the manifest; `None` in the helping processes of a run on several devices.
    """
    from comedo.training.evaluation.report import print_tables
    from comedo.training.runner.registry import read_run
    from comedo.training.runner.run import export_last, train_run

    task, recipe = read_run(values, where)
    if export_only:
        return _told(export_last(task, recipe, data=data, out=out, cache=cache), out)
    result = train_run(task, recipe, data=data, out=out, cache=cache, machine=machine, allow_leaks=allow_leaks)
    if result is None:
        return None
    _told(result.entry, out)
    if result.evaluation is not None:
        print_tables(result.evaluation, Console(stderr=True))
    return result.entry


def _told(entry: Entry, out: Path) -> Entry:
    typer.echo(f"{out / entry.file}: {entry.sha256}, at most {entry.parity:.1e} away from torch", err=True)
    return entry


def evaluate_run(
    run: Annotated[Path, typer.Argument(help="Folder of a run: --out of `comedo train`.")],
    data: Annotated[
        Path, typer.Option(help="Folder that holds the recipe's sets, or others laid out the same.")
    ] = Path("data"),
    cache: Annotated[Path | None, typer.Option(help="Folder of face maps that several runs share.")] = None,
    rounds: Annotated[int, typer.Option(help="Draws of the bootstrap; 0 for no intervals.")] = 1000,
    seed: Annotated[int, typer.Option(help="Of the bootstrap.")] = 0,
    quiet: Annotated[bool, typer.Option(help="No progress bar and no tables.")] = False,
) -> None:
    """Measure the exported network of a run on the held-back photos of its recipe.

    Needs the extra train: `pip install ".[train]"` in the folder of comedo's sources.

    Tables go to stderr, one JSON document to stdout; curves and confusion matrices lie in the
    run's folder as SVG. The network's hash is checked.

    For example: `comedo evaluate-run runs/severity --data ~/acne`
    """
    if not run.is_dir():
        raise UnusableInput(f"{run} is no folder of a run; name the --out of `comedo train`")
    from comedo.training.evaluation.report import print_tables, to_json
    from comedo.training.figures import Rounds
    from comedo.training.runner.run import evaluate_run as measure

    evaluation = measure(run, data=data, cache=cache, rounds=Rounds(rounds, seed), quiet=quiet)
    sys.stdout.write(to_json(evaluation) + "\n")
    if not quiet:
        print_tables(evaluation, Console(stderr=True))
