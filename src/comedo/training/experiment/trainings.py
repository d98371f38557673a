"""The trainings of an experiment by the common runner."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from comedo.errors import UnusableInput
from comedo.training.evaluation.evaluate import Evaluation
from comedo.training.experiment.cells import Cell, Done, Measured, Resolve, Resolved, Train
from comedo.training.runner.claim import run_values
from comedo.training.runner.fit import Machine
from comedo.training.runner.registry import read_run
from comedo.training.runner.run import train_run


def resolve_recipe(find: Callable[[str], Path], read: Callable[[Path, Sequence[str]], dict[str, object]]) -> Resolve:
    """How a recipe's name and changes become all its values, defaults included, and what it will be measured by."""

    def resolve(name: str, changes: Sequence[str]) -> Resolved:
        values = read(find(name), changes)
        if "task" not in values:
            raise UnusableInput(f"{name} trains a shipped network, which experiments do not; name a recipe with a task")
        task, recipe = read_run(values, name)
        figures = tuple(measure.name for measure in task.measures(recipe))
        return Resolved(run_values(recipe), figures, task.sections(recipe))

    return resolve


def train_cell(data: Path, machine: Machine, cache: Path) -> Train:
    """Trains a cell by the common runner; a killed training goes on, and what is dear to compute is shared."""

    def train(cell: Cell, folder: Path) -> Done:
        began = time.monotonic()
        task, recipe = read_run(cell.recipe.values, cell.key)
        result = train_run(task, recipe, data=data, out=folder, machine=machine, cache=cache, quiet=True)
        if result is None or result.evaluation is None:
            return Done(failed="nothing was held back (split `val`), so that there are no figures")
        return Done(sections_of(result.evaluation), time.monotonic() - began)

    return train


def sections_of(evaluation: Evaluation) -> dict[str, dict[str, Measured]]:
    """The figures of an evaluation by section and name."""
    return {
        section.name: {f.name: Measured(f.value, f.interval_90, f.baseline) for f in section.figures}
        for section in evaluation.sections
    }
