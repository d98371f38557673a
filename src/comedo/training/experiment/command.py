"""`comedo experiment`; thin."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def experiment(
    file: Annotated[str, typer.Argument(help="A YAML file, or one of comedo's own in recipes/experiments.")],
    data: Annotated[Path, typer.Option(help="Folder that holds the recipes' sets.")] = Path("data"),
    out: Annotated[Path | None, typer.Option(help="Folder of the experiment; by default experiments/FILE.")] = None,
    change: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change one value of every recipe; may be repeated."),
    ] = None,
    seeds: Annotated[str | None, typer.Option(help="Seeds instead of the file's, comma between.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    workers: Annotated[int, typer.Option(min=0, help="Processes that prepare examples.")] = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be trained, and stop.")] = False,
) -> None:
    """Train a grid of recipes, changes and seeds, and compare them in one table with intervals.

    Needs the extra train: `pip install ".[train]"` in the folder of comedo's sources.

    Each training lies in a folder of its own; the same command goes on where it was killed, and a line that is added
    later trains only what is new. Ends with experiment.md, experiment.svg and experiment.json.

    For example:

    - `comedo experiment detection --data ~/acne --out experiments/detection`

    - `comedo experiment mine.yaml --set schedule.epochs=2 --seeds 1 --dry-run`
    """
    from comedo.training.cli import find_recipe
    from comedo.training.experiment.find import find_experiment, with_options
    from comedo.training.experiment.plan import read_experiment
    from comedo.training.experiment.run import open_grid, run_experiment
    from comedo.training.experiment.trainings import resolve_recipe, train_cell
    from comedo.training.recipe import read_values
    from comedo.training.runner.fit import Machine

    path = find_experiment(file)
    plan = with_options(read_experiment(path), tuple(change or ()), seeds)
    resolve = resolve_recipe(find_recipe, read_values)
    if dry_run:
        grid = open_grid(plan, resolve)
        for arm in grid.arms:
            typer.echo(f"{arm.group}: {arm.name} ({', '.join(cell.key for cell in grid.cells[arm])})", err=True)
        typer.echo(f"{len(grid.arms)} lines, {len(grid.all_cells)} trainings", err=True)
        return
    folder = out or Path("experiments") / path.stem
    train = train_cell(data, Machine(device=device, workers=workers), folder / "cache")
    run_experiment(plan, folder, resolve=resolve, train=train, tell=lambda text: typer.echo(text, err=True))
    typer.echo((folder / "experiment.md").read_text("utf-8"))
