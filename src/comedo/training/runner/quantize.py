"""The 8-bit twin of a run's network, and what it costs: both are measured on the same held-back items.

Static quantisation by ONNX Runtime: ranges of activations (minimum and maximum) from what the network is asked about
training items, weights per channel. The first and the last convolution stay in floats, since little is saved and most
is lost there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from comedo.errors import UnusableInput
from comedo.inference import TWIN
from comedo.report.whole_file import write_whole
from comedo.training.evaluation.evaluate import Evaluation
from comedo.training.figures import Rounds
from comedo.training.integers import count_convolutions, write_integers
from comedo.training.manifest import Entry, add_to_manifest, sha256_of
from comedo.training.runner.contract import Arrays, Item, Run, Task
from comedo.training.runner.measure import Question, measure
from comedo.training.runner.plan import RunRecipe
from comedo.training.runner.run import open_run
from comedo.training.runner.ship import open_model, open_onnx

_LAYERS = ("Conv", "Gemm", "MatMul")
# One convolution of so many, the first ones, stay in floats: narrow and early, they carry nearly all of the error and
# hardly any bytes (severity on ACNE04: RMSE .392 in floats, .464 with the first alone, .418 with 6, .396 with 18).
_FLOATS_FIRST = 3
_EMPTY = "nothing in {} is {}, so that a twin cannot be {}; give the folder of the recipe's data with --data"


@dataclass(frozen=True)
class Twinned:
    """A network in integers beside the one it was made of."""

    entry: Entry
    whole: Evaluation
    twin: Evaluation


def quantize_run(
    out: Path,
    *,
    data: Path,
    cache: Path | None = None,
    examples: int = 64,
    rounds: Rounds | None = None,
    quiet: bool = False,
) -> Twinned:
    """Write TASK-int8.onnx, its entry in the manifest, and quantized.md beside the network of a run.

    Args:
        out: The run's folder.
        data: Folder of the recipe's data.
        cache: Of face maps, as in training.
        examples: Questions about training items from which ranges come.
        rounds: How intervals are drawn.
        quiet: No progress bars.

    Raises:
        UnusableInput: The folder holds no run, or the data is not complete.
        ModelError: The network was altered.
    """
    task, recipe, opened = open_run(out, data=data, cache=cache)
    if not opened.learnt:
        raise UnusableInput(_EMPTY.format(data, "there to learn from", "made"))
    if not opened.held_back:
        raise UnusableInput(_EMPTY.format(data, "held back (split `val`)", "measured"))
    run, traced = open_model(out, recipe.exported)
    asked = record(task, recipe, run, opened.learnt, examples)
    name = f"{recipe.exported}{TWIN}"
    path = out / f"{name}.onnx"
    write_twin(out / f"{recipe.exported}.onnx", path, asked)
    weights = path.read_bytes()
    twin_run = open_onnx(weights)
    evaluations = [
        measure(task, recipe, Question(r, n, data.name, opened.learnt, opened.held_back, rounds or Rounds(), quiet))
        for r, n in ((run, recipe.exported), (twin_run, name))
    ]
    whole, twin = (m.evaluation for m in evaluations)
    entry = Entry(
        name=name,
        file=path.name,
        sha256=sha256_of(weights),
        date=datetime.now(UTC).date().isoformat(),
        recipe={"layers": _LAYERS, "examples": len(asked)},
        data={"twin_of": traced.partition("sha256:")[2]},
        metrics={s.name: {f.name: f.value for f in s.figures} for s in twin.sections},
        parity=mean_difference(run, twin_run, asked),
        input="as its twin",
        output="as its twin",
        terms=recipe.ship.terms,
    )
    add_to_manifest(out, entry)
    write_whole(out / "quantized.md", [lost_table(whole, twin).encode()])
    return Twinned(entry, whole, twin)


def record(task: Task[Any, Any, Any], recipe: RunRecipe, run: Run, items: Sequence[Item], most: int) -> list[Arrays]:
    """What the network is asked when a task looks at items, in an order drawn by the recipe's seed."""
    asked: list[Arrays] = []

    def recording(arrays: Arrays) -> Arrays:
        asked.append(dict(arrays))
        return run(arrays)

    for index in np.random.default_rng(recipe.schedule.seed).permutation(len(items)):
        if len(asked) >= most:
            break
        task.look(recipe, recording, items[index])
    return asked[:most]


class _Asked:
    """Recorded questions as ONNX Runtime's calibration reads them."""

    def __init__(self, asked: Sequence[Arrays]) -> None:
        self._left: Iterator[Arrays] = iter(asked)

    def get_next(self) -> Arrays | None:
        return next(self._left, None)


def write_twin(path: Path, out: Path, asked: Sequence[Arrays]) -> None:
    """Write the 8-bit twin of an exported network, whole or not at all.

    Args:
        path: The network's ONNX file.
        out: The file to write.
        asked: Questions from which the ranges of activations come.
    """
    first = max(1, count_convolutions(path) // _FLOATS_FIRST)
    write_integers(path, out, _Asked(asked), layers=_LAYERS, floats_first=first)


def mean_difference(whole: Run, twin: Run, asked: Sequence[Arrays]) -> float:
    """Mean difference of everything that both networks answer."""
    differences = []
    for arrays in asked:
        wanted, found = whole(arrays), twin(arrays)
        differences += [np.abs(found[name] - wanted[name]).mean() for name in wanted if wanted[name].size]
    return float(np.mean(differences)) if differences else 0.0


def lost_table(whole: Evaluation, twin: Evaluation) -> str:
    """Markdown: every figure of both networks, and the difference."""
    lines = [f"# {twin.predictor}\n", f"Beside {whole.predictor}, on {whole.data}, split `{whole.split}`."]
    for ours, theirs in zip(whole.sections, twin.sections, strict=True):
        lines += [f"\n**{ours.name}**: {ours.photos} photos of {ours.people} people\n"]
        lines += ["| figure | floats | 8 bits | difference |", "|---|---:|---:|---:|"]
        for a, b in zip(ours.figures, theirs.figures, strict=True):
            change = "–" if a.value is None or b.value is None else f"{b.value - a.value:+.3f}"
            lines.append(f"| {a.name} | {_plain(a.value)} | {_plain(b.value)} | {change} |")
    return "\n".join(lines) + "\n"


def _plain(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
