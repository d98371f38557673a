"""The trainings behind an experiment: each once, however many lines of the table it serves; what is done stays done."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
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
class Resolved:
    """A recipe with everything that decides it, and what its evaluation can say."""

    values: Mapping[str, object]
    figures: tuple[str, ...]  # by name
    sections: tuple[str, ...] | None = None  # that it can have; None where the photos decide


@dataclass(frozen=True)
class Cell:
    """One training: everything that decides it, seed included."""

    recipe: Resolved
    seed: int
    key: str  # of the values: the same training has the same key


@dataclass(frozen=True)
class Done:
    """What a training gave: figures by section, or the reason why there are none."""

    sections: Mapping[str, Figures] = field(default_factory=dict)
    seconds: float = 0.0
    failed: str | None = None


Train = Callable[[Cell, Path], Done]
Resolve = Callable[[str, Sequence[str]], Resolved]  # of a recipe's name and changes
# What torch raises where memory ends or a figure is no number any more; mistakes in the code are others.
_GONE_WRONG = (RuntimeError, ArithmeticError, ValueError, MemoryError)


def make_cell(arm: Arm, seed: int, resolve: Resolve) -> Cell:
    """The training of a line with a seed."""
    recipe = resolve(arm.recipe, (*arm.changes, f"schedule.seed={seed}"))
    text = json.dumps(recipe.values, sort_keys=True)
    return Cell(recipe, seed, hashlib.sha256(text.encode()).hexdigest()[:16])


def lacking(arm: Arm, figures: Sequence[str], sections: Mapping[str, Collection[str]]) -> str | None:
    """Why an evaluation says nothing for a line, in a sentence; None where it has every figure.

    Args:
        arm: Names the section; the first one where it names none.
        figures: By name.
        sections: The names of each section's figures.
    """
    section = arm.section or next(iter(sections), None)
    if section is None or section not in sections:
        return f"there is no section {section!r}; there are {', '.join(sections) or 'none'}"
    absent = next((f for f in figures if f not in sections[section]), None)
    if absent is None:
        return None
    return f"there is no figure {absent!r}; there are {', '.join(sections[section])}"


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
            except _GONE_WRONG as error:
                done = Done(failed=": ".join([type(error).__name__, *str(error).splitlines()[:1]]))
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
