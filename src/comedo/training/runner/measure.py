"""Figures of an exported network on held-back items, with intervals over people and a baseline beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from comedo.training.evaluation.evaluate import Evaluation, Measured
from comedo.training.figures import Rounds, Section, measure_all
from comedo.training.runner.contract import Item, Run, Task
from comedo.training.runner.plan import RunRecipe


@dataclass(frozen=True)
class Question:
    """What is measured: a network on the items of a side, next to what training items alone say."""

    run: Run
    predictor: str  # name of the network for the report
    data: str  # name of the data for the report
    learnt: Sequence[Item]
    held_back: Sequence[Item]
    rounds: Rounds = field(default_factory=Rounds)
    quiet: bool = False


def measure(task: Task[Any, Any, Any], recipe: RunRecipe, question: Question, *, split: str = "val") -> Measured:
    """Ask the network about every held-back item, then the baseline, and count."""
    guess: Callable[[Any], Any] = task.baseline(recipe, question.learnt)
    columns = (TextColumn("{task.description}"), MofNCompleteColumn(), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=question.quiet, transient=True) as bar:
        rows = [task.look(recipe, question.run, i) for i in bar.track(question.held_back, description="measuring")]
    ours, theirs = task.gather(rows), task.gather([guess(i) for i in question.held_back])
    sections = [
        Section(
            name,
            len(found),
            len({r.person for r in found}),
            measure_all(
                task.measures(recipe), found, theirs[name], people=[r.person for r in found], rounds=question.rounds
            ),
        )
        for name, found in ours.items()
        if found
    ]
    evaluation = Evaluation(question.data, split, question.predictor, task.baseline_words, tuple(sections))
    return Measured(evaluation, dict(task.pictures(recipe, rows)) if rows else {})
