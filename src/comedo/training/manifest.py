"""The manifest of a folder of networks: which file, which hash, learnt from what by which recipe."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Entry:
    """One model of a manifest."""

    name: str
    file: str
    sha256: str
    date: str  # ISO 8601
    recipe: Mapping[str, object]
    data: Mapping[str, object]
    metrics: Mapping[str, object]
    parity: float  # largest difference to torch, relative where an output exceeds 1
    input: str
    output: str
    terms: str


def add_to_manifest(folder: Path, entry: Entry) -> Path:
    """Write the model into the manifest of its folder, in the place of an older one of its name."""
    others = [m for m in _models(folder) if m["name"] != entry.name]
    return _write(folder, [*others, asdict(entry)])


def remove_from_manifest(folder: Path, name: str) -> str | None:
    """Take a model out of the manifest.

    Returns:
        Its file's name, or `None` when there is no such model.
    """
    models = _models(folder)
    gone = next((str(m["file"]) for m in models if m["name"] == name), None)
    if gone is not None:
        _write(folder, [m for m in models if m["name"] != name])
    return gone


def read_entries(folder: Path) -> list[Entry]:
    """The manifest of a folder; none where there is no manifest."""
    return [Entry(**model) for model in _models(folder)]  # type: ignore[arg-type]


def _models(folder: Path) -> list[dict[str, object]]:
    path = folder / MANIFEST
    models: list[dict[str, object]] = json.loads(path.read_text(encoding="utf-8"))["models"] if path.exists() else []
    return models


def _write(folder: Path, models: Sequence[dict[str, object]]) -> Path:
    path, draft = folder / MANIFEST, folder / f"{MANIFEST}.draft"
    in_order = sorted(models, key=lambda m: str(m["name"]))
    draft.write_text(json.dumps({"models": in_order}, indent=2) + "\n", encoding="utf-8")
    draft.replace(path)
    return path


def sha256_of(weights: bytes) -> str:
    """Hash of a file's bytes, in hexadecimal."""
    return hashlib.sha256(weights).hexdigest()
