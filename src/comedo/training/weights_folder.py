"""A weights folder made complete: trained networks put in, then the calibration fitted to them."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from comedo.build import build_analyzer
from comedo.calibration import Calibration
from comedo.errors import UnusableInput
from comedo.inference import TWIN, read_manifest
from comedo.training.calibrate import fit
from comedo.training.export import Entry, add_to_manifest, remove_from_manifest
from comedo.training.leaks import check_disjoint
from comedo.training.lesion_data import LesionPhoto
from comedo.training.readings import Reading, read_all

CALIBRATION = "calibration.json"
TRAIN_SOURCES = ("frames512", "crops1024", "graded640")  # whole faces with a grade


def install(entry: Entry, run: Path, weights: Path) -> None:
    """Copy a run's network into a weights folder and its manifest, in the place of an older one.

    The older one's 8-bit twin computes something else and goes with it.
    """
    weights.mkdir(parents=True, exist_ok=True)
    draft = weights / f"{entry.file}.draft"
    shutil.copyfile(run / entry.file, draft)
    draft.replace(weights / entry.file)
    add_to_manifest(weights, entry)
    if (twin := remove_from_manifest(weights, f"{entry.name}{TWIN}")) is not None:
        (weights / twin).unlink(missing_ok=True)


def choose_photos(
    photos: Sequence[LesionPhoto], *, number: int, seed: int = 0
) -> tuple[list[LesionPhoto], list[LesionPhoto]]:
    """The photos to fit on: of training people a sample of graded whole faces, all of validation people.

    Args:
        photos: Both splits.
        number: At most so many training photos.
        seed: The same seed draws the same photos.
    """
    check_disjoint((p.group, p.split) for p in photos)
    graded = [p for p in photos if p.split == "train" and p.source in TRAIN_SOURCES]
    drawn = sorted(np.random.default_rng(seed).permutation(len(graded))[:number])
    return [graded[i] for i in drawn], [p for p in photos if p.split == "val"]


def calibrate(photos: Sequence[LesionPhoto], weights: Path, *, number: int, data: str) -> Calibration:
    """Fit cut-offs, count noise and severity to the networks of a folder; write calibration.json there.

    Args:
        photos: Labelled photos of both splits.
        weights: The networks and their manifest.
        number: At most so many training photos.
        data: Name of the photos' folder, for the provenance.

    Raises:
        ModelError: A network is absent or altered.
        UnusableInput: The photos lack what the numbers are fitted to.
        LeakyData: A person is on both sides of the split.
    """
    read_manifest(weights)
    train, val = choose_photos(photos, number=number)
    _refuse_unfit(train, val)
    if not (weights / CALIBRATION).exists():
        write_calibration(Calibration(), weights)  # the analyzer wants one; the candidates do not depend on it
    analyzer = build_analyzer(weights)
    val_readings, val_faceless = read_all(analyzer, val)
    train_readings, train_faceless = read_all(analyzer, train)
    faceless = len(val_faceless) + len(train_faceless)
    text = provenance(analyzer.models, data, train_readings, val_readings, faceless)
    fitted = fit(train_readings, val_readings, text)
    write_calibration(fitted, weights)
    return fitted


def _refuse_unfit(train: Sequence[LesionPhoto], val: Sequence[LesionPhoto]) -> None:
    clinic = [p for p in val if p.source in ("frames512", "crops1024")]
    graded = all(any(p.grade is not None for p in side) for side in (train, clinic))
    if not graded or not any(p.active is not None and p.sparse is not None for p in clinic):
        raise UnusableInput(
            "calibration needs ACNE04 in both splits: its circles, v1 boxes and grades; "
            "name its folder under data.acne04 of the recipe"
        )


def provenance(
    models: Sequence[str], data: str, train: Sequence[Reading], val: Sequence[Reading], faceless: int
) -> str:
    """One sentence: when, on which networks, on which photos."""
    named = [f"{sum(of.values())} {side} photos ({_listed(of)})" for side, of in _sides(train, val)]
    today = datetime.now(UTC).date().isoformat()
    return (
        f"Fitted on {today} to {' and '.join(models)}, on {' and '.join(named)} of {data}; "
        f"{faceless} photos without a found face left out."
    )


def _sides(train: Sequence[Reading], val: Sequence[Reading]) -> list[tuple[str, Counter[str]]]:
    return [(name, Counter(r.truth.source for r in side)) for name, side in (("validation", val), ("training", train))]


def _listed(sources: Counter[str]) -> str:
    return ", ".join(f"{source} {count}" for source, count in sorted(sources.items())) or "none"


def write_calibration(calibration: Calibration, weights: Path) -> None:
    """Write calibration.json: the old one or the new one is there, never half."""
    draft = weights / f"{CALIBRATION}.draft"
    draft.write_text(calibration.model_dump_json(indent=2) + "\n", encoding="utf-8")
    draft.replace(weights / CALIBRATION)
