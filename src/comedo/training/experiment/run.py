"""An experiment from its file to its table."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from comedo.errors import UnusableInput
from comedo.report.whole_file import write_whole
from comedo.training.experiment.cells import Cell, Done, Resolve, Train, lacking, make_cell, run_cells
from comedo.training.experiment.plan import Arm, ExperimentPlan, arms_of
from comedo.training.experiment.report import to_markdown, to_svg
from comedo.training.experiment.table import Line, make_lines


@dataclass(frozen=True)
class Grid:
    """The lines of an experiment and the trainings of each, one a seed."""

    arms: tuple[Arm, ...]
    cells: Mapping[Arm, tuple[Cell, ...]]

    @property
    def all_cells(self) -> list[Cell]:
        """Every training, seed by seed, so that a run that is stopped has compared all lines with the first seeds."""
        turns = zip(*self.cells.values(), strict=True)
        return list({cell.key: cell for turn in turns for cell in turn}.values())


def open_grid(plan: ExperimentPlan, resolve: Resolve) -> Grid:
    """Every line with its trainings; all recipes are read before anything is trained.

    Raises:
        UnusableInput: A line or its recipe is wrong, or its evaluation can have no such section or figure.
    """
    arms = tuple(arms_of(plan))
    grid = Grid(arms, {arm: tuple(make_cell(arm, seed, resolve) for seed in plan.seeds) for arm in arms})
    for arm, (cell, *_) in grid.cells.items():
        possible = cell.recipe.sections or (arm.section or "",)  # where the photos decide, the name is believed
        reason = lacking(arm, plan.figures, dict.fromkeys(possible, cell.recipe.figures))
        if reason is not None:
            raise UnusableInput(f"{arm.group}, {arm.name}: {reason}")
    return grid


def run_experiment(
    plan: ExperimentPlan, out: Path, *, resolve: Resolve, train: Train, tell: Callable[[str], None]
) -> list[Line]:
    """Train what is missing, then write experiment.md, experiment.svg and experiment.json into `out`.

    Raises:
        UnusableInput: A line, its recipe or its figures are wrong, which is said before anything is trained; or
            nothing could be trained.
    """
    grid = open_grid(plan, resolve)
    cells = grid.all_cells
    done: dict[str, Done] = {}
    for number, (cell, found) in enumerate(run_cells(cells, out, train), 1):
        done[cell.key] = found
        said = f"failed: {found.failed}" if found.failed is not None else f"{found.seconds / 60:.1f} min"
        tell(f"training {number} of {len(cells)} ({cell.key}, seed {cell.seed}): {said}")
    if all(found.failed is not None for found in done.values()):
        raise UnusableInput(f"no training of {plan.experiment} went through: {next(iter(done.values())).failed}")
    lines = make_lines(grid.arms, {arm: [done[c.key] for c in grid.cells[arm]] for arm in grid.arms}, plan.figures)
    out.mkdir(parents=True, exist_ok=True)
    rows = {"experiment": asdict(plan), "lines": [asdict(line) for line in lines]}
    write_whole(out / "experiment.json", [(json.dumps(rows, indent=1) + "\n").encode()])
    write_whole(out / "experiment.md", [to_markdown(plan, lines).encode()])
    write_whole(out / "experiment.svg", [to_svg(plan, lines).encode()])
    return lines
