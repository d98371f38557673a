"""`comedo detect`: a trained detector on photos of one's own; thin."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from comedo.training.data.cli import FormatName
from comedo.training.detection.ways import Way


def detect(
    photos: Annotated[Path, typer.Argument(help="Folder of photos.")],
    model: Annotated[Path, typer.Option(help="Folder of a detector's run: --out of `comedo train`.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="File or folder to write.")],
    to: Annotated[FormatName, typer.Option("--format", help="Format to write.")] = FormatName.COCO,
    way: Annotated[Way, typer.Option(help="The photo at once, or slices of it whose findings are merged.")] = Way.WHOLE,
    score: Annotated[
        float | None, typer.Option(min=0, max=1, help="One cut-off for all types, instead of those of the run.")
    ] = None,
) -> None:
    """Label photos by a detector that `comedo train detect-...` made, for people to correct.

    Needs the extra train: `pip install ".[train]"` in the folder of comedo's sources.

    Boxes are in pixels of each photo; every lesion has one type and a score.

    For example: `comedo detect photos --model runs/detect-tood --way slices --out found.json`
    """
    from comedo.training.data.convert import FORMATS, write_dataset
    from comedo.training.detection.predict import label_photos, open_detector

    def tell(text: str) -> None:
        typer.echo(text, err=True)

    dataset = label_photos(photos, open_detector(model, way, score=score), way, tell=tell)
    write_dataset(dataset, out, FORMATS[to.value])
    typer.echo(f"{out}: {len(dataset.samples)} photos, {sum(len(s.marks) for s in dataset.samples)} lesions", err=True)
