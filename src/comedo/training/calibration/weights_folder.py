"""A weights folder made complete: trained networks put in, then the calibration fitted to them."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from comedo.build import build_analyzer
from comedo.calibration import Calibration, load_calibration
from comedo.errors import UnusableInput
from comedo.inference import TWIN, WEIGHTS, read_manifest
from comedo.training.calibration.calibrate import fit
from comedo.training.calibration.readings import Reading, read_all
from comedo.training.calibration.sufficiency import GRADED, LEAST_LESIONS, active_lesions
from comedo.training.leaks import check_disjoint
from comedo.training.lesion_map.data import LesionPhoto
from comedo.training.lesion_map.made import MadePhotos, make_photos
from comedo.training.manifest import Entry, add_to_manifest, remove_from_manifest

CALIBRATION = "calibration.json"
_MADE = MadePhotos(pasted=90, seed=11)  # faces with few lesions, drawn otherwise than those of a training


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
        photos: Of every split; a person in two of them is refused.
        number: At most so many training photos.
        seed: The same seed draws the same photos.
    """
    check_disjoint((p.person, p.split) for p in photos)
    graded = [p for p in photos if p.split == "train" and p.source in GRADED and p.grade is not None]
    drawn = sorted(np.random.default_rng(seed).permutation(len(graded))[:number])
    return [graded[i] for i in drawn], [p for p in photos if p.split == "val"]


def calibrate(photos: Sequence[LesionPhoto], weights: Path, *, number: int, data: str) -> Calibration:
    """Fit cut-offs, count noise and severity to the networks of a folder; write calibration.json there.

    What the photos cannot tell stays as in the folder's calibration.json, or in the shipped one
    where the folder has none; `provenance` says what and why.

    Args:
        photos: Labelled photos of both splits.
        weights: The networks and their manifest.
        number: At most so many training photos.
        data: Name of the photos' folder, for the provenance.

    Raises:
        ModelError: A network is absent or altered.
        UnusableInput: Too few lesions are marked on validation photos to fit anything.
        LeakyData: A person is on both sides of the split.
    """
    read_manifest(weights)
    train, val = choose_photos(photos, number=number)
    _refuse_too_few(val)
    train += make_photos(_MADE, photos)
    before = load_calibration(weights if (weights / CALIBRATION).exists() else WEIGHTS)
    write_calibration(before, weights)  # the analyzer wants one; the candidates do not depend on it
    analyzer = build_analyzer(weights)
    val_readings, val_faceless = read_all(analyzer, val)
    _refuse_too_few([r.truth for r in val_readings])
    train_readings, train_faceless = read_all(analyzer, train)
    faceless = len(val_faceless) + len(train_faceless)
    text = provenance(analyzer.models, data, train_readings, val_readings, faceless)
    fitted = fit(train_readings, val_readings, text, before)
    write_calibration(fitted, weights)
    return fitted


def _refuse_too_few(val: Sequence[LesionPhoto]) -> None:
    marked = active_lesions(val)
    if marked < LEAST_LESIONS:
        raise UnusableInput(
            f"calibration needs at least {LEAST_LESIONS} active lesions marked on validation photos of whole faces, "
            f"got {marked}; mark more photos of split val with a face that is found, or leave calibration.json as it is"
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
