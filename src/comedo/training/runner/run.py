"""A run from recipe to measured file: items, leaks, fit, export, figures, model card."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from comedo.errors import UnusableInput
from comedo.report.whole_file import write_whole
from comedo.training.evaluation.evaluate import Evaluation, Measured
from comedo.training.evaluation.report import write_measured
from comedo.training.figures import Rounds
from comedo.training.leaks import guard
from comedo.training.manifest import Entry, add_to_manifest, sha256_of
from comedo.training.runner.card import model_card
from comedo.training.runner.claim import RECIPE, claim, claim_data, run_values
from comedo.training.runner.contract import Item, Task
from comedo.training.runner.feed import divide
from comedo.training.runner.fit import LAST, Fitted, Machine, fit, load_fitted
from comedo.training.runner.measure import Question, measure
from comedo.training.runner.plan import RunRecipe
from comedo.training.runner.registry import read_run
from comedo.training.runner.ship import export_checked, open_model


@dataclass(frozen=True)
class Result:
    """What a run left behind."""

    entry: Entry
    evaluation: Evaluation | None  # None where nothing was held back
    epochs: int
    best_epoch: int


@dataclass(frozen=True)
class Opened:
    """The items of a recipe by what they are for, and what the manifest says of them."""

    learnt: list[Item]
    watched: list[Item]
    held_back: list[Item]
    about: dict[str, object]


def open_items(
    task: Task[Any, Any, Any], recipe: RunRecipe, data: Path, cache: Path, *, allow_leaks: bool = False
) -> Opened:
    """Read the recipe's items, refusing people and pictures that are in two splits, be it a `test` split.

    Raises:
        UnusableInput: A file is absent, or there is nothing to learn from.
        LeakyData: A person or a picture is in two splits, and `allow_leaks` is off.
    """
    cache.mkdir(parents=True, exist_ok=True)
    try:
        items = task.items(recipe, data, cache)
        aside = task.set_aside(recipe, data)
        leaks = guard([*task.members(items), *aside], allow=allow_leaks)
    except FileNotFoundError as error:
        raise UnusableInput(
            f"the recipe's data is not complete in {data}: {error}; give its folder with --data"
        ) from error
    items = [i for i in items if i.split in ("train", "val")]
    learnt, watched, held_back = divide(items, recipe.watch, recipe.schedule.seed)
    if not learnt:
        raise UnusableInput(
            f"there is nothing to learn from in {data}; give the folder of the recipe's data with --data"
        )
    facts = task.facts(items)
    about: dict[str, object] = {
        "items": dict(sorted(Counter(i.split for i in items).items())),
        "people": len({i.person for i in items}),
        "watched_items": len(watched),
        **facts,
        "fingerprint": _fingerprint(items, facts),
    }
    return Opened(learnt, watched, held_back, about | ({"leaks_allowed": leaks} if leaks else {}))


def train_run(
    task: Task[Any, Any, Any],
    recipe: RunRecipe,
    *,
    data: Path,
    out: Path,
    cache: Path | None = None,
    machine: Machine | None = None,
    allow_leaks: bool = False,
    quiet: bool = False,
    rounds: Rounds | None = None,
) -> Result | None:
    """Train by a recipe, continuing what `out` holds; export, measure, describe.

    Args:
        task: As `read_run` gives it.
        recipe: Likewise.
        data: Folder of the recipe's data.
        out: Folder of this run.
        cache: Folder for what is dear to compute, such as face maps; several runs may share one. By default in `out`.
        machine: Devices; one, chosen by itself, unless said otherwise.
        allow_leaks: Train although the split leaks; the manifest then names every leak.
        quiet: No progress bars.
        rounds: How intervals are drawn.

    Returns:
        `None` in the helping processes of a run on several devices.

    Raises:
        UnusableInput: The data is not complete, or `out` holds a run of another recipe or on other photos.
        LeakyData: A person or a picture is on both sides of the split.
        ModelError: The exported network computes something else.
    """
    claim(out, recipe)
    opened = open_items(task, recipe, data, cache or out / "cache", allow_leaks=allow_leaks)
    claim_data(out, opened.about)
    torch.manual_seed(recipe.schedule.seed)
    net = task.build(recipe, data, opened.learnt)
    if not (out / LAST).exists():
        task.begin(recipe, data, net, opened.learnt)
    learnt = task.examples(recipe, opened.learnt, learning=True)
    watched = task.examples(recipe, opened.watched, learning=False) if opened.watched else None
    fitted = fit(task, recipe, net, learnt, watched, out=out, machine=machine or Machine(), quiet=quiet)
    if not fitted.main:
        return None
    task.settle(recipe, fitted.net, opened.watched)
    entry = export_run(task, recipe, fitted, out, about=opened.about)
    measured = measure_run(task, recipe, opened, out, data=data, rounds=rounds, quiet=quiet)
    return _finish(task, recipe, entry, measured, fitted, out, data)


def export_last(
    task: Task[Any, Any, Any], recipe: RunRecipe, *, data: Path, out: Path, cache: Path | None = None
) -> Entry:
    """Export and describe the best epoch so far of the run in `out` without training on; nothing is measured.

    Raises:
        UnusableInput: There is no checkpoint, or it is of another recipe or of other photos.
    """
    claim(out, recipe)
    opened = open_items(task, recipe, data, cache or out / "cache", allow_leaks=True)
    claim_data(out, opened.about)
    fitted = load_fitted(task.build(recipe, data, opened.learnt), out)
    task.settle(recipe, fitted.net, opened.watched)
    entry = export_run(task, recipe, fitted, out, about=opened.about)
    _write_card(task, recipe, entry, None, data, out)
    return entry


def export_run(
    task: Task[Any, Any, Any], recipe: RunRecipe, fitted: Fitted, out: Path, *, about: dict[str, object]
) -> Entry:
    """Write NAME.onnx and its entry in the manifest of `out`; figures come later."""
    path = out / f"{recipe.exported}.onnx"
    shipped = task.shipped(recipe, fitted.net)
    parity = export_checked(shipped, path, recipe.ship)
    entry = Entry(
        name=recipe.exported,
        file=path.name,
        sha256=sha256_of(path.read_bytes()),
        date=datetime.now(UTC).date().isoformat(),
        recipe=run_values(recipe),
        data=about,
        metrics={"epochs": fitted.epochs, "best_epoch": fitted.best_epoch},
        parity=parity,
        input=shipped.input_words,
        output=shipped.output_words,
        terms=recipe.ship.terms,
    )
    add_to_manifest(out, entry)
    return entry


def measure_run(
    task: Task[Any, Any, Any],
    recipe: RunRecipe,
    opened: Opened,
    out: Path,
    *,
    data: Path,
    rounds: Rounds | None = None,
    quiet: bool = False,
) -> Measured | None:
    """Measure the exported network of `out` on the held-back items; `None` where there are none."""
    if not opened.held_back:
        return None
    run, traced = open_model(out, recipe.exported)
    name = traced[: len(recipe.exported) + 20]  # with the first twelve digits of its hash
    question = Question(run, name, data.name, opened.learnt, opened.held_back, rounds or Rounds(), quiet)
    measured = measure(task, recipe, question)
    write_measured(measured, out)
    return measured


def evaluate_run(
    out: Path, *, data: Path, cache: Path | None = None, rounds: Rounds | None = None, quiet: bool = False
) -> Evaluation:
    """Measure the network of a run's folder again, or on other data laid out the same.

    Raises:
        UnusableInput: The folder holds no run, or the data is not complete or holds nothing held back.
    """
    task, recipe, opened = open_run(out, data=data, cache=cache)
    measured = measure_run(task, recipe, opened, out, data=data, rounds=rounds, quiet=quiet)
    if measured is None:
        raise UnusableInput(f"nothing in {data} is held back (split `val`), so that there is nothing to measure on")
    return measured.evaluation


def open_run(out: Path, *, data: Path, cache: Path | None = None) -> tuple[Task[Any, Any, Any], RunRecipe, Opened]:
    """Task, recipe and items of a run's folder, on the recipe's data or on other data laid out the same.

    Raises:
        UnusableInput: The folder holds no run, or the data is not complete.
    """
    try:
        values = json.loads((out / RECIPE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UnusableInput(f"{out} holds no run of `comedo train`: {error}") from error
    task, recipe = read_run(values, RECIPE)
    return task, recipe, open_items(task, recipe, data, cache or out / "cache", allow_leaks=True)


def _finish(
    task: Task[Any, Any, Any],
    recipe: RunRecipe,
    entry: Entry,
    measured: Measured | None,
    fitted: Fitted,
    out: Path,
    data: Path,
) -> Result:
    evaluation = None if measured is None else measured.evaluation
    figures = {} if evaluation is None else {s.name: {f.name: f.value for f in s.figures} for s in evaluation.sections}
    entry = replace(entry, metrics={**entry.metrics, **figures})
    add_to_manifest(out, entry)
    _write_card(task, recipe, entry, evaluation, data, out)
    return Result(entry, evaluation, fitted.epochs, fitted.best_epoch)


def _write_card(
    task: Task[Any, Any, Any], recipe: RunRecipe, entry: Entry, evaluation: Evaluation | None, data: Path, out: Path
) -> None:
    """Names of folders alone: where they lie is nobody's business."""
    command = f"comedo train {out.name}/{RECIPE} --data {data.name} --out {out.name}"
    card = model_card(entry, evaluation, limits=task.limits(recipe), command=command)
    write_whole(out / "MODEL_CARD.md", [card.encode()])


def _fingerprint(items: Sequence[Item], facts: Mapping[str, object]) -> str:
    """A hash of who is on which side, and of what the task says of them."""
    lines = sorted(f"{i.name}|{i.person}|{i.split}" for i in items)
    lines += [json.dumps(facts, sort_keys=True)] if facts else []
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
