"""A run goes on with the photos it began with, or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from comedo.errors import UnusableInput
from comedo.report.whole_file import write_whole

NOTE = "data.json"


def claim_data(out: Path, about: Mapping[str, object], checkpoint: str) -> None:
    """Write what a run learns from into its folder; refuse to continue it on other photos.

    Args:
        out: The run's folder.
        about: Facts of the photos, with their `fingerprint`: names, people and sides, not pixels or labels.
        checkpoint: Name of the file in `out` without which nothing was learnt yet.

    Raises:
        UnusableInput: There is a checkpoint of other photos.
    """
    note = out / NOTE
    if (out / checkpoint).exists() and note.exists():
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
