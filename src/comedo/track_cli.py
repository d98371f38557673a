"""The command `comedo track`: thin."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

TRACK_EXAMPLES = """
[bold]Examples[/bold]

  comedo track photos/ --out change                      every photo of a folder, dates from EXIF or the names

  comedo track 2026-01-05.jpg 2026-03-30.jpg --dates name

  comedo track photos/ --dates dates.csv                 a CSV file with the columns photo and date

  comedo track photos/ --treatment-start 2026-01-10      with the review after 12 weeks

[bold]Exit code[/bold]: 0 compared (whatever the answer is), 2 unusable input, 3 no face; of several photos the worst.
"""


def track(
    photos: Annotated[
        list[Path], typer.Argument(metavar="PHOTO...|FOLDER", help="Photos of one person, or folders of them.")
    ],
    dates: Annotated[
        str | None,
        typer.Option(
            metavar="exif|name|FILE",
            help="Where dates come from: EXIF, the file's name, or a CSV file with the columns photo and date; "
            "by default EXIF, then names.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="DIR", help="Folder for the results; by default out, with --json none."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print change.json; files only with --out.")] = False,
    mirrored: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A photo that is mirrored: it is flipped first. May be repeated."),
    ] = None,
    treatment_start: Annotated[
        str | None, typer.Option(metavar="DATE", help="Day on which treatment began: adds the 12-week review.")
    ] = None,
    allow_poor: Annotated[
        bool, typer.Option("--allow-poor", help="Analyse poor photos too; nothing is concluded from them.")
    ] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Photos at a time; by default one for each core.")
    ] = None,
) -> None:
    """Compare photos of one person over time: what changed, lesion by lesion, and is it more than noise?

    Writes change.json, ledger.csv and change.html.
    """
    from comedo.report.change_job import ChangeJob

    folder = out if out is not None or as_json else Path("out")
    job = ChangeJob(
        photos, dates, folder, as_json, tuple(mirrored or ()), treatment_start, allow_poor=allow_poor, workers=workers
    )
    raise typer.Exit(job.run())
