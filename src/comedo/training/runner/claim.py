"""A run goes on with the recipe and the photos it began with, or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from comedo.errors import UnusableInput
from comedo.report.whole_file import write_whole
from comedo.training.runner.fit import LAST
from comedo.training.runner.plan import RunRecipe

RECIPE, _DATA = "recipe.json", "data.json"


def run_values(recipe: RunRecipe) -> dict[str, object]:
    """The recipe as plain values, as `read_run` takes them."""
    values: dict[str, object] = json.loads(json.dumps({"task": recipe.task, **asdict(recipe)}))
    return values


def claim(out: Path, recipe: RunRecipe) -> None:
    """Write the recipe into the run's folder; refuse to continue a run with another one.

    Raises:
        UnusableInput: The folder holds a run of another recipe.
    """
    out.mkdir(parents=True, exist_ok=True)
    note, text = out / RECIPE, json.dumps(run_values(recipe), indent=2) + "\n"
    if note.exists() and note.read_text(encoding="utf-8") != text and (out / LAST).exists():
        raise UnusableInput(
            f"{out} holds a run with another recipe (see {note}); choose another --out, or undo the change to go on"
        )
    write_whole(note, [text.encode()])


def claim_data(out: Path, about: Mapping[str, object]) -> None:
    """Write what a run learns from into its folder; refuse to continue it on other photos.

    Args:
        out: The run's folder.
        about: Facts of the photos, with their `fingerprint`: names, people and sides, not pixels or labels.

    Raises:
        UnusableInput: There is a checkpoint of other photos.
    """
    note = out / _DATA
    if (out / LAST).exists() and note.exists():
        known = _read(note)
        if known.get("fingerprint") != about["fingerprint"]:
            raise UnusableInput(
                f"{out} holds a run on other photos, people or splits (see {note}); choose another --out, or give the "
                "data it began with to go on"
            )
    write_whole(note, [(json.dumps(about, indent=2) + "\n").encode()])


def _read(note: Path) -> Mapping[str, object]:
    try:
        known = json.loads(note.read_text("utf-8"))
    except ValueError:
        known = None
    if not isinstance(known, dict):
        raise UnusableInput(
            f"{note} is damaged, so that nobody knows which photos the run began with; choose another --out"
        )
    return known
