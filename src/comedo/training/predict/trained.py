"""The network of a run's folder with everything that its use needs: recipe, figures, the hash checked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from comedo.errors import ModelError, UnusableInput
from comedo.inference import TWIN, read_manifest
from comedo.training.manifest import MANIFEST
from comedo.training.runner.answer import Answering, Use
from comedo.training.runner.contract import Arrays, Run, Task
from comedo.training.runner.plan import RunRecipe
from comedo.training.runner.registry import read_run
from comedo.training.runner.ship import open_model


@dataclass(frozen=True, eq=False)
class Trained:
    """An exported network and what its manifest says of it."""

    model: str  # name and hash
    run: Run
    task: Task[Any, Any, Any]
    recipe: RunRecipe
    metrics: Mapping[str, Any]
    input_words: str
    terms: str

    def answering(
        self, *, way: str | None = None, cut_off: float | None = None, without_face: bool = False
    ) -> Answering:
        """The task, ready to answer.

        Raises:
            UnusableInput: The task is applied in another way, or has no such option.
        """
        return self.task.answers(self.recipe, self.run, Use(self.metrics, self.input_words, way, cut_off, without_face))

    @property
    def limits(self) -> tuple[str, ...]:
        """What the network is not good for, as its model card says."""
        return tuple(self.task.limits(self.recipe))


def open_trained(folder: Path, *, twin: bool = False) -> Trained:
    """The network of a run; its hash is checked.

    Args:
        folder: `--out` of `comedo train`.
        twin: Take the 8-bit twin that `comedo quantize` made, with the figures of its own.

    Raises:
        UnusableInput: The folder holds no run, or one without a twin.
        ModelError: The network was altered.
    """
    if not (folder / MANIFEST).is_file():
        raise UnusableInput(
            f"{folder} holds no run of `comedo train`: there is no {MANIFEST}; name its --out, and with --export-only "
            "export what is unfinished"
        )
    cards = read_manifest(folder)
    entries = {e["name"]: e for e in json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["models"]}
    names = [name for name, entry in entries.items() if "task" in entry.get("recipe", {})]
    if len(names) != 1:
        raise UnusableInput(
            f"{folder} must hold the network of one run, got {', '.join(names) or 'none with a task'}; name the --out "
            "of `comedo train`. Face and lesion maps are used by `comedo analyze PHOTO --models FOLDER`"
        )
    (name,) = names
    asked = f"{name}{TWIN}" if twin else name
    if twin and (asked not in cards or cards[asked].twin_of != cards[name].sha256):
        raise UnusableInput(f"{folder} holds no 8-bit twin of its network; make it with `comedo quantize {folder}`")
    task, recipe = read_run(entries[name]["recipe"], MANIFEST)
    run, traced = open_model(folder, asked)
    return Trained(
        model=traced,
        run=_numbers(run),
        task=task,
        recipe=recipe,
        metrics=entries[asked]["metrics"],
        input_words=entries[name]["input"],
        terms=entries[name]["terms"],
    )


def _numbers(run: Run) -> Run:
    """The network, refused where it answers with what is no number: that would pass for none found or not affected."""

    def checked(arrays: Arrays) -> Arrays:
        found = run(arrays)
        if not all(np.isfinite(values).all() for values in found.values()):
            raise ModelError("the network answers with values that are no numbers; train and export again")
        return found

    return checked
