"""The tasks by name; each is imported only when a recipe asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from comedo.errors import UnusableInput
from comedo.training.recipe import build
from comedo.training.runner.contract import Task
from comedo.training.runner.plan import RunRecipe

# Name in the YAML: module and class.
TASKS: Mapping[str, tuple[str, str]] = {
    "face-map": ("comedo.training.face_map.task", "FaceMap"),
    "lesion-map": ("comedo.training.lesion_map.task", "LesionMap"),
    "detector": ("comedo.training.detection.task", "DetectLesions"),
    "lesion-segmentation": ("comedo.training.segmentation.task", "LesionSegmentation"),
    "sequence-change": ("comedo.training.sequence.task", "SequenceChange"),
    "severity": ("comedo.training.severity.task", "Severity"),
    "affected": ("comedo.training.affected.task", "Affected"),
}


def find_task(name: object) -> Task[Any, Any, Any]:
    """The task of that name.

    Raises:
        UnusableInput: There is none.
    """
    if not isinstance(name, str) or name not in TASKS:
        raise UnusableInput(f"there is no task {name!r}; a recipe starts with `task:` and one of {', '.join(TASKS)}")
    module, kind = TASKS[name]
    task: Task[Any, Any, Any] = getattr(import_module(module), kind)()
    return task


def read_run(values: Mapping[str, object], where: str) -> tuple[Task[Any, Any, Any], RunRecipe]:
    """Task and recipe of the values of a YAML file that starts with `task`.

    Raises:
        UnusableInput: An unknown task or key, an absent key, or a value of the wrong type.
    """
    task = find_task(values.get("task"))
    return task, build(task.recipe, {k: v for k, v in values.items() if k != "task"}, where)
