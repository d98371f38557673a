"""`comedo train`, `comedo calibrate` and `comedo evaluate`."""

from __future__ import annotations

import sys
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from comedo.errors import UnusableInput
from comedo.training.change.command import calibrate_change, evaluate_change
from comedo.training.command import RECIPES, plain_errors
from comedo.training.data.cli import app as data_app
from comedo.training.experiment.command import experiment
from comedo.training.predict.command import predict
from comedo.training.quantize_cli import quantize
from comedo.training.runner.command import evaluate_run

if TYPE_CHECKING:
    from comedo.training.evaluation.predictors import Prediction
    from comedo.training.evaluation.truth import Truth
    from comedo.types import Group

MAPS = ("face-map", "lesion-map")  # tasks whose networks belong into a weights folder

app = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown", help="Train the networks and measure them.")
app.add_typer(data_app, name="data")


class Labels(StrEnum):
    """How the pictures in masks/ read."""

    LESION_MASK = "lesion-mask"
    COMEDO = "comedo"
    CELEBAMASK = "celebamask"
    FASSEG = "fasseg"


def recipe_names() -> list[str]:
    """The recipes that come with comedo."""
    return sorted(path.stem for path in RECIPES.glob("*.yaml"))


def find_recipe(name: str) -> Path:
    """The file of that path, else comedo's own recipe of that name.

    Raises:
        UnusableInput: There is neither.
    """
    for path in (Path(name), RECIPES / f"{name}.yaml"):
        if path.is_file():
            return path
    raise UnusableInput(f"no recipe {name!r}; give the path of a YAML file, or one of {', '.join(recipe_names())}")


@app.command()
@plain_errors
def train(
    recipe: Annotated[str, typer.Argument(help=f"A YAML file, or one of comedo's own: {', '.join(recipe_names())}.")],
    change: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change one value of the recipe; may be repeated."),
    ] = None,
    data: Annotated[Path, typer.Option(help="Folder that holds the recipe's sets.")] = Path("data"),
    out: Annotated[Path | None, typer.Option(help="Folder of this run; by default runs/RECIPE.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    devices: Annotated[int, typer.Option(min=1, help="GPUs, or processes on the CPU, of this machine.")] = 1,
    nodes: Annotated[int, typer.Option(min=1, help="Machines; start the same command on each.")] = 1,
    workers: Annotated[int, typer.Option(min=0, help="Processes that prepare pictures for each device.")] = 0,
    cache: Annotated[Path | None, typer.Option(help="Folder of face maps that several runs share.")] = None,
    export_only: Annotated[bool, typer.Option(help="Export the last checkpoint of --out as it is.")] = False,
    weights: Annotated[
        Path | None, typer.Option(help="Put the finished face or lesion map into this weights folder too.")
    ] = None,
    allow_leaks: Annotated[
        bool, typer.Option("--allow-leaks", help="Train although the split leaks; the manifest names every leak.")
    ] = False,
) -> None:
    """Train a network by a recipe, export it to ONNX and measure it.

    Needs the extra train: `pip install ".[train]"` in the folder of comedo's sources.

    The run can be killed at any time: the same command continues it. It ends with NAME.onnx,
    compared with torch, and its entry in manifest.json. Losses are in log.csv. Photos of one
    person, or copies of one picture, on both sides of the split are refused.

    For example:

    - `comedo train lesion-map --data ~/acne --out runs/a`

    - `comedo train lesion-map --set schedule.epochs=1 --set schedule.steps=20` (a rehearsal)

    - `comedo train my-recipe.yaml --device cuda --weights weights`

    - `comedo train severity --devices 4 --nodes 2 --workers 8` (on each of two machines with four GPUs)
    """
    from comedo.training.calibration.weights_folder import install
    from comedo.training.recipe import read_values
    from comedo.training.runner.command import train_task
    from comedo.training.runner.fit import Machine

    path = find_recipe(recipe)
    values = read_values(path, change or ())
    if weights is not None and values["task"] not in MAPS:
        raise UnusableInput(f"{path.stem} makes no face or lesion map for a weights folder; leave --weights out")
    folder = out or Path("runs") / path.stem
    machine = Machine(device, devices, nodes, workers)
    entry = train_task(
        values, path.name, data, folder, machine, cache=cache, export_only=export_only, allow_leaks=allow_leaks
    )
    if weights is not None and entry is not None:
        install(entry, folder, weights)


@app.command()
@plain_errors
def calibrate(
    weights: Annotated[Path, typer.Option(help="Folder of both networks; calibration.json is written there.")],
    data: Annotated[Path, typer.Option(help="Folder that holds the recipe's sets.")] = Path("data"),
    photos: Annotated[int, typer.Option(min=1, help="At most so many training photos; all validation photos.")] = 300,
    recipe: Annotated[str, typer.Option(help="A lesion-map recipe, which names the sets.")] = "lesion-map",
) -> None:
    """Fit the numbers that follow training: cut-offs, count intervals, severity, affected or not.

    Needs the extra train: `pip install ".[train]"` in the folder of comedo's sources.

    Both networks of the folder read labelled photos; everything is chosen on validation people,
    except the severity curve, which is fitted on training people.

    For example:

    - `comedo calibrate --data ~/acne --weights weights`
    """
    from comedo.training.calibration.weights_folder import calibrate as run
    from comedo.training.lesion_map.recipe import LesionRecipe, lesion_photos
    from comedo.training.recipe import read_values
    from comedo.training.runner.registry import read_run

    _, read = read_run(read_values(find_recipe(recipe)), recipe)
    if not isinstance(read, LesionRecipe):
        raise UnusableInput(f"calibration reads lesions, {recipe} is a recipe of {read.task}; name a lesion-map")
    try:
        known = lesion_photos(read.data, data)
    except FileNotFoundError as error:
        raise UnusableInput(
            f"the recipe's data is not complete in {data}: {error}; give its folder with --data"
        ) from error
    typer.echo(run(known, weights, number=photos, data=data.name).provenance, err=True)


@app.command()
@plain_errors
def evaluate(
    data: Annotated[
        Path,
        typer.Argument(help="A COCO file; or a folder of images/ with masks/; or a folder of photos alone."),
    ],
    photos: Annotated[Path | None, typer.Option(help="Folder of the COCO file's photos; by default its own.")] = None,
    split: Annotated[str, typer.Option(help="Images of this split in the COCO file; `all` for every one.")] = "val",
    only: Annotated[str, typer.Option(metavar="PREFIX", help="Images whose file_name starts so: crops1024.")] = "",
    names: Annotated[str, typer.Option(help="Of a folder: these files only, without ending, comma between.")] = "",
    types: Annotated[
        str, typer.Option(help="Group of each category, where a COCO file has several.")
    ] = "acne=non_inflammatory,pimple=inflammatory,spot=mark",
    labels: Annotated[Labels, typer.Option(help="What the pictures in masks/ show.")] = Labels.LESION_MASK,
    weights: Annotated[Path | None, typer.Option(help="Weights folder to evaluate instead of the shipped one.")] = None,
    predictions: Annotated[
        Path | None, typer.Option(help="Lines of `comedo analyze --json` of these photos, instead of analysing them.")
    ] = None,
    sweep: Annotated[
        bool,
        typer.Option(help="Find lesions of low score too: AP and the best threshold see them; grades are left out."),
    ] = False,
    threshold: Annotated[float | None, typer.Option(help="Report lesions of at least this score.")] = None,
    tone: Annotated[
        bool, typer.Option("--by-tone", help="Figures for lighter, intermediate and darker skin, as photographed.")
    ] = False,
    rounds: Annotated[int, typer.Option(help="Draws of the bootstrap; 0 for no intervals.")] = 1000,
    seed: Annotated[int, typer.Option(help="Of the bootstrap.")] = 0,
    markdown: Annotated[Path | None, typer.Option(help="Write the tables for a model card here.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write evaluation.json, evaluation.md and curves as SVG into this folder.")
    ] = None,
    pictures: Annotated[Path | None, typer.Option(help="Draw the photos with most mistakes into this folder.")] = None,
    quiet: Annotated[bool, typer.Option(help="No progress bars and no tables.")] = False,
) -> None:
    """Measure lesions, masks, face maps and grades on labelled photos.

    Needs the extra train: `pip install ".[train]"` in the folder of comedo's sources.

    Tables go to stderr, one JSON document to stdout. Each figure has its definition, its 90 %
    interval (people drawn again with replacement) and the figure of a baseline without learning.
    Photos in which no face is found count as photos on which nothing was found.

    For example:

    - `comedo evaluate acne04/annotations.json --only crops1024 --sweep --out curves`

    - `comedo evaluate lesion_masks --names 1,9,15 --pictures worst`

    - `comedo evaluate faces/celebamask --labels celebamask --markdown card.md`

    - `comedo evaluate typed/annotations.json --by-tone`

    - `comedo evaluate clear_faces/` (faces found, lesions a photo, share called affected)
    """
    from comedo.report.whole_file import make_folder
    from comedo.training.evaluation.evaluate import Plan, predict_all
    from comedo.training.evaluation.evaluate import evaluate as measure
    from comedo.training.evaluation.predictors import read_predictions
    from comedo.training.evaluation.report import print_tables, to_json, to_markdown, write_measured
    from comedo.training.evaluation.shipped import shipped_predictor
    from comedo.training.evaluation.skin_tone import by_tone
    from comedo.training.evaluation.worst import draw_worst
    from comedo.training.figures import Rounds

    if tone and (sweep or predictions is not None):
        raise UnusableInput("--by-tone needs the face maps of a whole analysis; leave --sweep and --predictions out")
    if out is not None:
        make_folder(out)  # before the photos are looked at, which takes long
    truth = _read_truth(data, photos, None if split == "all" else split, only, names, _read_types(types))
    found: list[Prediction | None]
    if predictions is not None:
        name, found = predictions.name, read_predictions(predictions, [p.path for p in truth.photos])
    else:
        predictor, cut = shipped_predictor(weights, sweep=sweep)
        threshold = cut if threshold is None else threshold
        name, found = predictor.name, predict_all(predictor, truth.photos, quiet=quiet)
    if tone:
        truth = replace(truth, photos=by_tone(truth.photos, found))
    plan = Plan(threshold=threshold, labels=labels.value, rounds=Rounds(rounds, seed), quiet=quiet)
    measured = measure(truth, found, plan, data=data.name, split=split if data.is_file() else "all", predictor=name)
    result = measured.evaluation
    sys.stdout.write(to_json(result) + "\n")
    if not quiet:
        print_tables(result, Console(stderr=True))
    if markdown is not None:
        markdown.write_text(to_markdown(result), encoding="utf-8")
    if out is not None:
        write_measured(measured, out)
        typer.echo(f"{len(measured.pictures)} pictures in {out}", err=True)
    if pictures is not None:
        drawn = draw_worst(truth.photos, found, pictures, threshold=threshold)
        typer.echo(f"{len(drawn)} pictures in {pictures}", err=True)


def _read_types(text: str) -> dict[str, Group]:
    from comedo.types import Group

    pairs = [part.partition("=") for part in text.split(",") if part]
    wrong = [name for name, _, group in pairs if group not in [g.value for g in Group]]
    if wrong:
        raise UnusableInput(f"--types wants name=group with a group of {', '.join(Group)}; wrong: {', '.join(wrong)}")
    return {name: Group(group) for name, _, group in pairs}


def _read_truth(
    data: Path, photos: Path | None, split: str | None, only: str, names: str, types: dict[str, Group]
) -> Truth:
    from comedo.training.evaluation.truth import read_coco, read_folder

    if data.is_file():
        return read_coco(data, photos or data.parent, split=split, only=only, types=types)
    if data.is_dir():
        return read_folder(data, names=tuple(n for n in names.split(",") if n))
    raise UnusableInput(f"{data} is neither a COCO file nor a folder")


for _command in (quantize, calibrate_change, evaluate_change, evaluate_run, predict, experiment):
    app.command()(plain_errors(_command))


if __name__ == "__main__":
    app()
