"""The trainings behind an experiment: each once, however many lines of the table it serves; what is done stays done."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from comedo.errors import ComedoError, UnusableInput
from comedo.report.whole_file import write_whole
from comedo.training.experiment.plan import Arm

RESULT = "cell.json"
Figures = Mapping[str, "Measured"]  # of one section, by name


@dataclass(frozen=True)
class Measured:
    """One figure of one training."""

    value: float | None
    interval_90: tuple[float, float] | None = None  # over people
    baseline: float | None = None


@dataclass(frozen=True)
class Cell:
    """One training: everything that decides it, seed included."""

    values: Mapping[str, object]  # of the whole recipe
    seed: int
    key: str  # of the values: the same training has the same key


@dataclass(frozen=True)
class Done:
    """What a training gave: figures by section, or the reason why there are none."""

    sections: Mapping[str, Figures] = field(default_factory=dict)
    seconds: float = 0.0
    failed: str | None = None


Train = Callable[[Cell, Path], Done]
Resolve = Callable[[str, Sequence[str]], Mapping[str, object]]  # recipe and changes to all values


def make_cell(arm: Arm, seed: int, resolve: Resolve) -> Cell:
    """The training of a line with a seed."""
    values = resolve(arm.recipe, (*arm.changes, f"schedule.seed={seed}"))
    text = json.dumps(values, sort_keys=True)
    return Cell(values, seed, hashlib.sha256(text.encode()).hexdigest()[:16])


def run_cells(cells: Sequence[Cell], folder: Path, train: Train) -> Iterator[tuple[Cell, Done]]:
    """Train what is not done yet, each in a folder of its own, and give every result.

    A training that fails is told as failed and tried again the next time; the others go on.
    """
    for cell in {c.key: c for c in cells}.values():
        place = folder / "cells" / cell.key
        done = read_done(place)
        if done is None:
            place.mkdir(parents=True, exist_ok=True)
            try:
                done = train(cell, place)
            except ComedoError as error:
                done = Done(failed=str(error))
            if done.failed is None:
                write_whole(place / RESULT, [(json.dumps(asdict(done), indent=1) + "\n").encode()])
        yield cell, done


def read_done(place: Path) -> Done | None:
    """The result that lies there; None where there is none yet.

    Raises:
        UnusableInput: The file is damaged.
    """
    path = place / RESULT
    if not path.exists():
        return None
    try:
        row = json.loads(path.read_text("utf-8"))
        sections = {name: {k: _measured(v) for k, v in figures.items()} for name, figures in row["sections"].items()}
        return Done(sections, float(row["seconds"]))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnusableInput(f"{path} is no result of a training: {error}; delete it to train again") from error


def _measured(row: Mapping[str, object]) -> Measured:
    value, spread, baseline = row["value"], row["interval_90"], row["baseline"]
    assert value is None or isinstance(value, (int, float))
    assert baseline is None or isinstance(baseline, (int, float))
    assert spread is None or isinstance(spread, list)
    return Measured(value, None if spread is None else (float(spread[0]), float(spread[1])), baseline)
