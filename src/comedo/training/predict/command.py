"""`comedo predict`: the network of any run on new photos; thin."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from comedo.errors import UnusableInput
from comedo.training.data.cli import FormatName
from comedo.training.detection.ways import Way


def predict(
    run: Annotated[Path, typer.Argument(help="Folder of a run: --out of `comedo train`.")],
    photos: Annotated[
        list[Path],
        typer.Argument(
            metavar="PHOTO",
            help="Photos (JPEG, PNG, WebP, HEIC) or folders of them. For a run about series, the photos of one folder "
            "are one series.",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="Folder for the results.")],
    way: Annotated[
        Way | None, typer.Option(help="Of detectors: the photo at once, or slices of it whose findings are merged.")
    ] = None,
    cut_off: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="One cut-off for lesions, pixels, or affected or not, instead of the run's."),
    ] = None,
    without_face: Annotated[
        bool,
        typer.Option("--without-face", help="Grade or judge the whole photo where no face is found, as in training."),
    ] = False,
    twin: Annotated[bool, typer.Option("--twin", help="Ask the 8-bit twin that `comedo quantize` made.")] = False,
    labels: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Write the lesions found as labels too, for people to correct."),
    ] = None,
    to: Annotated[FormatName | None, typer.Option("--format", help="Format of these labels; by default coco.")] = None,
    cache: Annotated[
        Path | None, typer.Option(help="Folder of face maps to keep and share; by default none is kept.")
    ] = None,
) -> None:
    """Apply the network that `comedo train` exported to new photos: severity, affected, lesions, boxes, series.

    Needs the extra train: `pip install ".[train]"` in the folder of comedo's sources.

    Each photo is prepared by the very code that prepared the run's held-back ones, and the network's hash is checked.
    Writes NAME.json for each photo or series, predictions.csv for all, and where lesions are marked NAME.overlay.png;
    masks are NAME.mask.png. A photo that cannot be used gets an error there, and the others go on.

    A series is in order of the dates in EXIF or, where more photos have one there, in the names; where one has none,
    in order of the names.

    Exit code: 0 all answered, 2 unusable input, 3 no face; of several photos the worst. 1: anything else.

    For example:

    - `comedo predict runs/severity selfie.jpg --out graded`

    - `comedo predict runs/tood photos --out found --way slices --labels tasks.json --format label-studio`

    - `comedo predict runs/sequence-change anna --out anna-course`
    """
    from comedo.training.predict.job import Job

    if to is not None and labels is None:
        raise UnusableInput("--format is that of labels; name the file or folder to write them to with --labels")
    kind = (to or FormatName.COCO).value
    job = Job(run, photos, out, way, cut_off, without_face, twin, labels, kind, cache)
    raise typer.Exit(job.do())
