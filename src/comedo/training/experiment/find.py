"""Which file an experiment's name means, and what the command line changes in it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from comedo.errors import UnusableInput
from comedo.training.command import RECIPES
from comedo.training.experiment.plan import ExperimentPlan

EXPERIMENTS = RECIPES / "experiments"


def find_experiment(name: str) -> Path:
    """The file of that path, else comedo's own experiment of that name.

    Raises:
        UnusableInput: There is neither.
    """
    for path in (Path(name), EXPERIMENTS / f"{name}.yaml"):
        if path.is_file():
            return path
    known = ", ".join(sorted(p.stem for p in EXPERIMENTS.glob("*.yaml")))
    raise UnusableInput(f"no experiment {name!r}; give the path of a YAML file, or one of {known}")


def with_options(plan: ExperimentPlan, changes: tuple[str, ...], seeds: str | None) -> ExperimentPlan:
    """The plan with changes to every recipe and other seeds.

    Raises:
        UnusableInput: The seeds are no numbers.
    """
    if seeds is not None:
        try:
            plan = replace(plan, seeds=tuple(int(seed) for seed in seeds.split(",")))
        except ValueError as error:
            raise UnusableInput(f"--seeds wants whole numbers with commas between, got {seeds!r}") from error
    return replace(plan, set=(*plan.set, *changes))
