"""`comedo quantize`; thin."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from comedo.errors import UnusableInput


def quantize(
    network: Annotated[str, typer.Argument(help="lesion-map, face-map, or the folder of a run of another recipe.")],
    weights: Annotated[
        Path | None, typer.Option(help="Folder of the lesion map or face map; its twin is written there.")
    ] = None,
    data: Annotated[Path, typer.Option(help="Folder that holds the recipe's sets.")] = Path("data"),
    recipe: Annotated[str | None, typer.Option(help="Whose training pictures; by default the network's.")] = None,
    pictures: Annotated[int, typer.Option(min=4, help="Training pictures for the ranges of the activations.")] = 96,
    limit: Annotated[
        float, typer.Option(help="Of lesion and face map: largest mean difference; above it nothing is kept.")
    ] = 0.05,
    replace: Annotated[
        bool, typer.Option("--replace", help="Of lesion and face map: the twin takes its network's place and name.")
    ] = False,
    cache: Annotated[Path | None, typer.Option(help="Of a run: folder of face maps that several runs share.")] = None,
) -> None:
    """Write a network's twin in 8-bit integers, which CPUs with VNNI run about 1.6 times as fast.

    Needs the extra train: `pip install ".[train]"` in the folder of comedo's sources.

    The run time takes the twin of a lesion map or face map by itself where it is faster; `COMEDO_PRECISION=float32`
    forbids it. Measure with `comedo evaluate` what it costs before you ship it. The twin of a run is measured beside
    its network on the held-back photos: the table of what is lost goes to stdout.

    For example:

    - `comedo quantize lesion-map --data ~/acne --weights weights`

    - `comedo quantize runs/severity --data ~/acne`
    """
    if weights is None and Path(network).is_dir():
        _quantize_run(Path(network), data, cache, pictures)
        return
    if weights is None:
        raise UnusableInput(
            f"{network} is no folder of a run; of lesion-map and face-map name the folder with --weights"
        )
    from comedo.training.cli import find_recipe
    from comedo.training.quantize import add_twin, put_in_place, training_pictures
    from comedo.training.recipe import read_values

    number, path = pictures // 4 * 4, find_recipe(recipe or network)
    drawn = training_pictures(read_values(path), path.name, data, number + 8)
    entry = add_twin(network, weights, drawn[:number], drawn[number:], limit=limit)
    if replace:
        entry = put_in_place(entry, weights)
    typer.echo(f"{weights / entry.file}: {entry.sha256}, {entry.parity:.4f} away in the mean", err=True)


def _quantize_run(run: Path, data: Path, cache: Path | None, pictures: int) -> None:
    from comedo.training.runner.quantize import lost_table, quantize_run

    made = quantize_run(run, data=data, cache=cache, examples=pictures)
    typer.echo(f"{run / made.entry.file}: {made.entry.sha256}", err=True)
    typer.echo(lost_table(made.whole, made.twin).rstrip())
