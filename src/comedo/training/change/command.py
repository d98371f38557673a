"""`comedo calibrate-change` and `comedo evaluate-change`."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from comedo.errors import UnusableInput
from comedo.training.command import RECIPES

_PAIRS = RECIPES / "change-pairs.txt"
_ANNOTATIONS = typer.Option(
    help="COCO file of lesions, beside the folder of photos; by default annotations.json there, if it exists."
)
_CLEAR = typer.Option(help="Folder of clear faces, on which lesions are pasted too; those of the split are taken.")
_MOST_CLEAR = typer.Option(min=1, help="At most so many clear faces.")
_DONORS = typer.Option(help="Folder beside the annotations: lesions to paste are cut out of its photos.")


def calibrate_change(
    photos: Annotated[Path, typer.Argument(help="Folder of the listed photos.")],
    pairs: Annotated[Path, typer.Option(help="List of pairs: photo, photo, light, split, when.")] = _PAIRS,
    annotations: Annotated[Path | None, _ANNOTATIONS] = None,
    donors: Annotated[str, _DONORS] = "crops1024",
    split: Annotated[str, typer.Option(help="Pairs of this split; `all` for every one.")] = "train",
    most: Annotated[int, typer.Option(min=1, help="At most so many pairs, drawn at random.")] = 1000,
    clear: Annotated[Path | None, _CLEAR] = None,
    most_clear: Annotated[int, _MOST_CLEAR] = 80,
    store: Annotated[
        Path, typer.Option(help="Readings are kept here, of one set of weights; a run that was stopped goes on.")
    ] = Path("change-pairs.jsonl"),
    out: Annotated[Path, typer.Option(help="Where the noise model goes.")] = Path("noise.json"),
    weights: Annotated[Path | None, typer.Option(help="Weights folder; the shipped one by default.")] = None,
) -> None:
    """Fit the noise of counts, areas and grades to skin photographed again, and the response to known changes.

    Every photo of the list is retaken twice; with annotations it also gets lesions pasted.

    For example:

    - `comedo calibrate-change acne04/frames512 --clear faces/generated`

    - `comedo calibrate-change acne04/frames512 --most 25 --store few.jsonl`
    """
    from comedo.build import build_analyzer
    from comedo.inference import WEIGHTS
    from comedo.progress.noise import load_noise
    from comedo.training.change.fit import fit_noise, is_repeat
    from comedo.training.change.pairs import PASTED, choose, read_pairs
    from comedo.training.change.repeats import clear_jobs, jobs_of, load_material, observe_all, on_clear

    chosen = choose(read_pairs(_existing(pairs)), split=split, most=most)
    analyzer = build_analyzer(weights or WEIGHTS)
    marked = _annotations(photos, annotations)
    material = load_material(photos, analyzer, load_noise(), marked, donors_from=donors, split=split)
    found = list(observe_all(jobs_of(chosen, pasted=bool(material.donors)), material, store))
    if clear is not None and material.donors:
        found += observe_all(clear_jobs(clear, split, most_clear), on_clear(material, clear), store)
    usable = [o for o in found if o.comparable]
    networks = " and ".join(model[:27] for model in analyzer.models)
    provenance = (
        f"Fitted on {datetime.now(UTC):%Y-%m-%d} to {sum(map(is_repeat, usable))} repeats of {split} photos of "
        f"{pairs.name}, nearly all made from one photo, and its response to {sum(o.kind == PASTED for o in usable)} "
        f"pairs with pasted lesions. Read by {networks}."
    )
    model = fit_noise(found, provenance)
    out.write_text(json.dumps(model.model_dump(), indent=1) + "\n", encoding="utf-8")
    typer.echo(f"{out}: {provenance}", err=True)


def evaluate_change(
    photos: Annotated[
        Path | None, typer.Argument(help="Folder of the listed photos; without it only rendered faces are measured.")
    ] = None,
    pairs: Annotated[Path, typer.Option(help="List of pairs: photo, photo, light, split, when.")] = _PAIRS,
    annotations: Annotated[Path | None, _ANNOTATIONS] = None,
    donors: Annotated[str, _DONORS] = "crops1024",
    split: Annotated[str, typer.Option(help="Pairs of this split; `all` for every one.")] = "val",
    most: Annotated[int, typer.Option(min=1, help="At most so many pairs, drawn at random.")] = 1000,
    clear: Annotated[Path | None, _CLEAR] = None,
    most_clear: Annotated[int, _MOST_CLEAR] = 40,
    affines: Annotated[
        Path | None,
        typer.Option(help="JSON list of pairs with a, b and affine_a_to_b_512, to measure alignment against."),
    ] = None,
    series: Annotated[int, typer.Option(min=0, help="Rendered series, of three photos each.")] = 40,
    size: Annotated[int, typer.Option(min=256, help="Width of rendered photos.")] = 640,
    store: Annotated[Path, typer.Option(help="Folder of intermediate results; a run that was stopped goes on.")] = Path(
        "change-evaluation"
    ),
    weights: Annotated[Path | None, typer.Option(help="Weights folder; the shipped one by default.")] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Draws of the bootstrap.")] = 1000,
) -> None:
    """Measure alignment, false alarms, known changes, the ledger and mirrored photos; one JSON document to stdout.

    For example:

    - `comedo evaluate-change --series 10`

    - `comedo evaluate-change acne04/frames512 --affines acne04/same_person_pairs.json --clear faces/generated`
    """
    from comedo.build import build_analyzer
    from comedo.inference import WEIGHTS
    from comedo.progress.noise import load_noise
    from comedo.training.change.evaluate import evaluate_clear, evaluate_pairs
    from comedo.training.change.pairs import choose, read_pairs
    from comedo.training.change.repeats import load_material
    from comedo.training.change.series import evaluate_series

    analyzer = build_analyzer(weights or WEIGHTS)
    store.mkdir(parents=True, exist_ok=True)
    result: dict[str, object] = {"models": list(analyzer.models)}
    if photos is not None:
        chosen = choose(read_pairs(_existing(pairs)), split=split, most=most)
        marked = _annotations(photos, annotations)
        material = load_material(photos, analyzer, load_noise(), marked, donors_from=donors, split=split)
        result["pairs"] = evaluate_pairs(chosen, material, store, affines=affines, rounds=rounds)
        if clear is not None and material.donors:
            result["pasted_on_clear_faces"] = evaluate_clear(clear, split, most_clear, material, store, rounds=rounds)
    if series:
        result["rendered"] = evaluate_series(series, size, analyzer, store, rounds=rounds)
    sys.stdout.write(json.dumps(result, indent=1) + "\n")


def _annotations(photos: Path, given: Path | None) -> Path | None:
    if given is not None:
        return given
    beside = photos.absolute().parent / "annotations.json"
    return beside if beside.is_file() else None


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise UnusableInput(f"there is no list of pairs {path}; name it with --pairs")
    return path
