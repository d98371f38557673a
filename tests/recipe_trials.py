"""What the tests of every recipe do: run it on rendered faces, kill it, let it go on."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result as CliResult
from typer.testing import CliRunner

from comedo.training.cli import app
from comedo.training.command import RECIPES
from comedo.training.figures import Figure, Rounds
from comedo.training.predict.batch import Batch
from comedo.training.predict.questions import Question
from comedo.training.predict.trained import open_trained
from comedo.training.recipe import read_values
from comedo.training.runner.plan import RunRecipe
from comedo.training.runner.registry import read_run
from comedo.training.runner.run import Result, train_run

SETS = "sets=[{labels: annotations.json}]"
FEW = Rounds(50)
LESION_NET = (  # a lesion-segmentation that learns in seconds
    "categories=[acne, pimple]",
    "net.widths=[24, 24, 16, 16]",
    "crops.photo_side=288",
    "crops.size=96",
    "crops.on_lesion=0.9",
    "schedule.per_step=8",
    "schedule.rate=0.01",
    "augment.light=0.3",
    "augment.white_balance=0.2",
)
LESION_RUN = (*LESION_NET, "schedule.epochs=4", "watch.share=0")
QUICK = ("net.backbone=small", "net.weights=null", "schedule.precision=float32", "schedule.warmup=2")

EACH_TASK = pytest.mark.parametrize(  # a shipped recipe of each task of labelled photos
    ("name", "changes"),
    [
        pytest.param("lesion-segmentation", (), id="masks"),
        pytest.param("detect-tood", ("types=[acne, pimple]",), id="boxes"),
        pytest.param("severity", ("grades=[clear, mild, moderate, severe]",), id="patches"),
        pytest.param("affected", ("least=6",), id="skin"),
    ],
)


class Killed(BaseException):
    """Like a signal: nothing catches it."""


def small_recipe(name: str, *changes: str) -> tuple[Any, RunRecipe]:
    """A shipped recipe cut down for seconds on one core."""
    return read_run(read_values(RECIPES / f"{name}.yaml", (SETS, *QUICK, *changes)), name)


def shipped_recipe(name: str, *changes: str) -> tuple[Any, RunRecipe]:
    """A shipped recipe at its own size on the rendered set; for tests that train nothing."""
    return read_run(read_values(RECIPES / f"{name}.yaml", (SETS, *changes)), name)


def run_small(name: str, data: Path, out: Path, *changes: str) -> Result:
    """Train it to the end."""
    task, recipe = small_recipe(name, *changes)
    result = train_run(task, recipe, data=data, out=out, cache=data / "cache", quiet=True, rounds=FEW)
    assert result is not None
    return result


def kill_in_epoch(number: int, name: str, data: Path, out: Path, *changes: str) -> None:
    """Start it and let it die in that epoch, counted from 0."""
    task, recipe = small_recipe(name, *changes)

    class Dying(type(task)):  # type: ignore[misc]
        def loss(self, recipe: Any, net: Any, batch: Any, epoch: int) -> Any:
            if epoch == number:
                raise Killed
            return super().loss(recipe, net, batch, epoch)

    try:
        train_run(Dying(), recipe, data=data, out=out, cache=data / "cache", quiet=True, rounds=FEW)
    except Killed:
        return
    raise AssertionError("it ran to the end")


def figure(result: Result, name: str, section: int = 0) -> Figure:
    """One figure of the evaluation."""
    assert result.evaluation is not None
    return next(f for f in result.evaluation.sections[section].figures if f.name == name)


def predict(*arguments: object) -> tuple[CliResult, list[dict[str, Any]], list[dict[str, str]]]:
    """Run `comedo predict`; its result, its documents by name, and the rows of its table."""
    done = CliRunner().invoke(app, ["predict", *map(str, arguments)])
    out = Path(arguments[arguments.index("--out") + 1])
    documents = [json.loads(path.read_text("utf-8")) for path in sorted(out.glob("*.json"))]
    sheet = out / "predictions.csv"
    lines = sheet.read_text("utf-8").splitlines() if sheet.exists() else []
    return done, documents, list(csv.DictReader(lines))


def look_and_answer(run: Path, data: Path, number: int) -> list[tuple[Any, dict[str, Any]]]:
    """Of some held-back photos of a run: the row that `look` makes, and what `comedo predict` answers."""
    trained = open_trained(run)
    items = [i for i in trained.task.items(trained.recipe, data, data / "cache") if i.split == "val"][:number]
    batch = Batch(trained, trained.answering(), data, data / "cache/faces")
    found = []
    for item in items:
        path = data / item.name
        answer = batch.predict(Question(path.name, (path,))).document.answer
        assert answer is not None
        found.append((trained.task.look(trained.recipe, trained.run, item), answer))
    return found
