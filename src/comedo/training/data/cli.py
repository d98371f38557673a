"""`comedo data ...`: labelled photos in and out, audited, split, shown; thin."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from comedo.errors import UnusableInput
from comedo.training.command import plain_errors
from comedo.training.data.convert import (
    FORMATS,
    ShapeKind,
    draw_as,
    read_dataset,
    write_dataset,
)
from comedo.training.data.formats.base import Format
from comedo.training.data.prelabel import PrelabelShape
from comedo.training.notes.cli import label_notes

if TYPE_CHECKING:
    from comedo.pipeline import Analyzer
    from comedo.training.data.audit import Audit
    from comedo.training.data.dataset import Dataset

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode="markdown", help="Labelled photos: convert, audit, split, look at them."
)
LEAKY = 1  # exit code of an audit that found a leak


class FormatName(StrEnum):
    """Names of `FORMATS`."""

    COCO = "coco"
    VOC = "voc"
    YOLO = "yolo"
    MASKS = "masks"
    ACNE04 = "acne04"
    CVAT = "cvat"
    LABEL_STUDIO = "label-studio"


Labelled = Annotated[Path, typer.Argument(help="A file or folder of labels, in any format that convert reads.")]
Photos = Annotated[Path | None, typer.Option(help="Folder where the photos' names start; by default the format's.")]
From = Annotated[FormatName | None, typer.Option("--from", help="Format that is read; by default told by its look.")]


def _read(path: Path, photos: Path | None, kind: FormatName | None) -> Dataset:
    return read_dataset(path, _format(kind), photos=photos)


def _format(kind: FormatName | None) -> Format | None:
    return None if kind is None else FORMATS[kind.value]


@app.command()
@plain_errors
def convert(
    labels: Labelled,
    out: Annotated[Path, typer.Argument(help="File or folder to write.")],
    to: Annotated[FormatName, typer.Option(help="Format to write.")],
    kind: From = None,
    photos: Photos = None,
    shapes: Annotated[
        ShapeKind, typer.Option(help="Draw every label so; this loses the shape that it had.")
    ] = ShapeKind.KEEP,
) -> None:
    """Convert labels from one format to another; photos stay where they are.

    What a format has no place for (persons, splits, grades, raters) goes into `comedo.json`
    beside it, and comes back from there. A shape that it has no place for is refused.

    For example:

    - `comedo data convert annotations.json yolo --to yolo --shapes box`

    - `comedo data convert export.xml back.json --to coco --photos photos`
    """
    dataset = draw_as(_read(labels, photos, kind), shapes)
    beside = write_dataset(dataset, out, FORMATS[to.value])
    number = sum(len(s.marks) for s in dataset.samples)
    more = " and a sidecar with what the format has no place for" if beside else ""
    typer.echo(f"{out}: {len(dataset.samples)} photos, {number} labels{more}", err=True)


@app.command()
@plain_errors
def prelabel(
    folder: Annotated[Path, typer.Argument(help="Folder of photos.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="File or folder to write.")],
    to: Annotated[FormatName, typer.Option("--format", help="Format to write.")] = FormatName.COCO,
    shape: Annotated[PrelabelShape, typer.Option(help="How lesions are drawn.")] = PrelabelShape.CIRCLE,
    weights: Annotated[Path | None, typer.Option(help="Weights folder instead of the shipped one.")] = None,
) -> None:
    """Label photos by comedo's networks, for people to correct in CVAT, Label Studio or any other tool.

    Label Studio gets predictions and, beside the file, the labelling interface that they need.

    For example: `comedo data prelabel photos --format label-studio --out tasks.json`
    """
    from comedo.training.data.prelabel import prelabel as run

    dataset = run(folder, _analyzer(weights), shape=shape, tell=lambda text: typer.echo(text, err=True))
    write_dataset(dataset, out, FORMATS[to.value])
    number = sum(len(s.marks) for s in dataset.samples)
    typer.echo(f"{out}: {len(dataset.samples)} photos, {number} lesions to look at", err=True)


def _analyzer(weights: Path | None) -> Analyzer:
    from comedo.build import build_analyzer
    from comedo.inference import WEIGHTS

    return build_analyzer(weights or WEIGHTS)


@app.command()
@plain_errors
def audit(
    labels: Labelled,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for audit.html and audit.json.")] = Path("audit"),
    kind: From = None,
    photos: Photos = None,
    seed: Annotated[int, typer.Option(help="Of folds and intervals.")] = 0,
) -> None:
    """Look for what makes figures too good or labels wrong: leaks, duplicates, shortcuts, contradictions.

    Exit code 1 when somebody, or one picture, is in more than one split; a build can stop on it.

    For example: `comedo data audit annotations.json --out audit`
    """
    from comedo.training.data.audit import audit as run
    from comedo.training.data.audit_page import write_audit

    dataset = _read(labels, photos, kind)
    found = run(dataset, seed=seed)
    _, report = write_audit(found, dataset, out)
    for line in found.leaks[:10]:
        typer.echo(f"leak: {line}", err=True)
    for line in found.unread[:10]:
        typer.echo(f"cannot be read: {line}", err=True)
    missed = f", {len(found.unread)} of {found.photos} photos cannot be read" if found.unread else ""
    typer.echo(
        f"{report}: {len(found.leaks)} leaks, {len(found.alike)} pairs alike, {len(found.suspected)} suspected, "
        f"{len(found.conflicts)} contradictions, shortcuts: {_shortcuts(found)}{missed}",
        err=True,
    )
    if found.leaks:
        raise typer.Exit(LEAKY)


def _shortcuts(found: Audit) -> str:
    """Those that were found; "none seen" is said only where somebody could look."""
    seen = [s.figures for s in found.shortcuts if s.found]
    looked = any(s.balanced is not None for s in found.shortcuts)
    return ", ".join(seen) or ("none seen" if looked else "too few photos to tell")


@app.command()
@plain_errors
def split(
    labels: Labelled,
    out: Annotated[Path, typer.Argument(help="File or folder to write.")],
    shares: Annotated[str, typer.Option(help="Share of the photos in each split.")] = "train=0.7,val=0.15,test=0.15",
    seed: Annotated[int, typer.Option(help="The same seed gives the same split.")] = 0,
    join_copies: Annotated[
        bool, typer.Option(help="Keep copies of one picture together, whatever the persons are called; reads photos.")
    ] = True,
    to: Annotated[FormatName, typer.Option(help="Format to write.")] = FormatName.COCO,
    kind: From = None,
    photos: Photos = None,
) -> None:
    """Assign photos to splits so that nobody is in two, grades spread evenly, the same way for the same seed.

    For example: `comedo data split annotations.json split.json --shares train=0.8,val=0.2 --seed 7`
    """
    from comedo.training.data.audit import balance_of
    from comedo.training.data.split import copies, parse_shares, split_people

    dataset = _read(labels, photos, kind)
    together = copies(dataset) if join_copies else []
    done = split_people(dataset, parse_shares(shares), seed=seed, together=together)
    write_dataset(done, out, FORMATS[to.value])
    balance = balance_of(done)
    for name, number in balance.photos.items():
        grades = ", ".join(f"grade {g}: {n}" for g, n in balance.grades[name].items())
        typer.echo(f"{name}: {number} photos of {balance.people[name]} people. {grades}", err=True)


@app.command()
@plain_errors
def doubts(
    labels: Labelled,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for doubts.html and doubts.json.")] = Path("doubts"),
    kind: From = None,
    photos: Photos = None,
    seed: Annotated[int, typer.Option(help="Of the folds.")] = 0,
    found: Annotated[
        Path | None,
        typer.Option(help="Doubt lesions instead of grades: what a network finds on the same photos, in any format."),
    ] = None,
) -> None:
    """List the grades that are most likely wrong, or with --found the lesions, with pictures, to look at again.

    For example:

    - `comedo data doubts annotations.json --out doubts`

    - `comedo data prelabel photos --out found.json`, then `comedo data doubts annotations.json --found found.json`
    """
    from comedo.training.data.box_doubts import doubt_boxes
    from comedo.training.data.box_doubts_report import write_box_doubts
    from comedo.training.data.doubts_report import doubt_grades, write_doubts

    dataset = _read(labels, photos, kind)
    if found is None:
        grades = doubt_grades(dataset, seed=seed)
        _, report = write_doubts(grades, dataset, out)
        typer.echo(f"{report}: {len(grades)} doubtful grades", err=True)
        return
    lesions = doubt_boxes(dataset, _read(found, photos or dataset.folder, None))
    _, report = write_box_doubts(lesions, dataset, out)
    typer.echo(f"{report}: {len(lesions.doubts)} doubtful places, {lesions.labels} labels", err=True)


@app.command()
@plain_errors
def preview(
    labels: Labelled,
    out: Annotated[Path, typer.Option("--out", "-o", help="The picture to write (PNG).")] = Path("preview.png"),
    changes: Annotated[
        str, typer.Option(help="Names with commas: roll, paste, background, region, mirror, light, white-balance.")
    ] = "roll,paste,background,region,mirror,light,white-balance",
    number: Annotated[int, typer.Option(min=1, max=40, help="Photos to show.")] = 6,
    repeats: Annotated[int, typer.Option(min=1, max=8, help="Draws of each change.")] = 1,
    seed: Annotated[int, typer.Option(help="The same seed gives the same picture.")] = 0,
    kind: From = None,
    photos: Photos = None,
    weights: Annotated[Path | None, typer.Option(help="Weights folder instead of the shipped one.")] = None,
) -> None:
    """Show what augmentation does to the photos, as a contact sheet.

    For example: `comedo data preview annotations.json --changes paste,mirror --number 4 --out sheet.png`
    """
    from comedo.report.pictures import to_png
    from comedo.training.augmentation.preview import CHANGES, contact_sheet
    from comedo.training.augmentation.subjects import choose_subjects

    names = [name.strip() for name in changes.split(",") if name.strip()]
    unknown = [name for name in names if name not in CHANGES]
    if unknown or not names:
        raise UnusableInput(f"--changes knows {', '.join(CHANGES)}; got {', '.join(unknown) or 'none'}")
    dataset = _read(labels, photos, kind)
    subjects, supplies = choose_subjects(dataset, _analyzer(weights).mapper, number=number, seed=seed)
    out.write_bytes(to_png(contact_sheet(subjects, supplies, names, seed=seed, repeats=repeats)))
    typer.echo(f"{out}: {len(subjects)} photos", err=True)


app.command()(plain_errors(label_notes))
