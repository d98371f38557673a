"""An experiment's file: groups of arms, each a recipe with a few values changed, trained with several seeds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

import yaml

from comedo.errors import UnusableInput
from comedo.training.recipe import build


@dataclass(frozen=True, kw_only=True)
class ArmPlan:
    """One line of the table."""

    name: str
    recipe: str | None = None  # the group's where none is named
    set: tuple[str, ...] = ()  # KEY=VALUE, as `comedo train --set`
    section: str | None = None  # of the evaluation


@dataclass(frozen=True, kw_only=True)
class GroupPlan:
    """Lines that are compared with their first."""

    name: str
    recipe: str | None = None  # the experiment's where none is named
    set: tuple[str, ...] = ()
    section: str | None = None
    arms: tuple[ArmPlan, ...] = ()
    grid: Mapping[str, tuple[object, ...]] = field(default_factory=dict)  # key: values; every combination is an arm


@dataclass(frozen=True, kw_only=True)
class ExperimentPlan:
    """The whole file."""

    experiment: str
    description: str
    figures: tuple[str, ...]  # names in the evaluation, the first decides
    groups: tuple[GroupPlan, ...]
    recipe: str | None = None  # of every arm that names none
    seeds: tuple[int, ...] = (1, 2, 3)
    set: tuple[str, ...] = ()  # of every arm
    section: str | None = None  # of the evaluation; its first where none is named


@dataclass(frozen=True)
class Arm:
    """One line with everything inherited: what is trained, and where its figures stand."""

    group: str
    name: str
    recipe: str
    changes: tuple[str, ...]
    section: str | None


def read_experiment(path: Path) -> ExperimentPlan:
    """Read an experiment.

    Raises:
        UnusableInput: The file is absent, no YAML, or says something wrong; the message names the key.
    """
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise UnusableInput(f"cannot read the experiment {path}: {error}") from error
    if not isinstance(values, dict):
        raise UnusableInput(f"{path} is no experiment; it must start with `experiment:` and its name")
    groups = values.get("groups")
    if isinstance(groups, list):
        values["groups"] = tuple(_group(g, f"{path.name}.groups.{i + 1}") for i, g in enumerate(groups))
    plan = build(ExperimentPlan, values, path.name)
    if not plan.groups or not plan.figures or not plan.seeds:
        raise UnusableInput(f"{path.name} must name at least one group, one figure and one seed")
    if len(set(plan.seeds)) < len(plan.seeds):
        raise UnusableInput(f"{path.name}.seeds names a seed twice, which would count one training twice")
    return plan


def _group(values: object, where: str) -> GroupPlan:
    if isinstance(values, dict) and isinstance(values.get("arms"), list):
        arms = tuple(build(ArmPlan, arm, f"{where}.arms.{i + 1}") for i, arm in enumerate(values["arms"]))
        values = {**values, "arms": arms}
    group = build(GroupPlan, values, where)
    if bool(group.arms) == bool(group.grid):
        raise UnusableInput(f"{where} must have either arms or a grid")
    return group


def arms_of(plan: ExperimentPlan) -> list[Arm]:
    """Every line, in the order of the file.

    Raises:
        UnusableInput: A line has no recipe, or two lines of a group have one name.
    """
    arms = [arm for group in plan.groups for arm in _arms(plan, group)]
    names = [(arm.group, arm.name) for arm in arms]
    twice = next((n for n in names if names.count(n) > 1), None)
    if twice is not None:
        raise UnusableInput(f"{plan.experiment}: group {twice[0]!r} has two lines named {twice[1]!r}")
    return arms


def _arms(plan: ExperimentPlan, group: GroupPlan) -> Iterator[Arm]:
    for arm in group.arms or _combinations(group.grid):
        recipe = arm.recipe or group.recipe or plan.recipe
        if recipe is None:
            raise UnusableInput(f"{plan.experiment}: {group.name}, {arm.name} names no recipe")
        section = arm.section or group.section or plan.section
        yield Arm(group.name, arm.name, recipe, (*plan.set, *group.set, *arm.set), section)


def _combinations(grid: Mapping[str, Sequence[object]]) -> Iterator[ArmPlan]:
    for values in product(*grid.values()):
        changes = tuple(f"{key}={_as_yaml(value)}" for key, value in zip(grid, values, strict=True))
        yield ArmPlan(name=", ".join(str(_as_yaml(value)) for value in values), set=changes)


def _as_yaml(value: object) -> str:
    return yaml.safe_dump(value, default_flow_style=True, width=1000).removesuffix("...\n").strip()
