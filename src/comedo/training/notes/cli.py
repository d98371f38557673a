"""`comedo data label-notes`; thin."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from comedo.errors import UnusableInput


class By(StrEnum):
    """Who reads the notes."""

    LEXICON = "lexicon"
    COMPREHEND = "comprehend"


def label_notes(
    notes: Annotated[Path, typer.Argument(help="CSV with the columns person, note and, if wanted, date.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="CSV to write.")] = Path("labels.csv"),
    by: Annotated[
        By, typer.Option(help="lexicon reads on this computer; comprehend SENDS EVERY NOTE to Amazon.")
    ] = By.LEXICON,
    last: Annotated[bool, typer.Option("--last", help="Only the newest note of each person; needs dates.")] = False,
    lexicon: Annotated[Path | None, typer.Option(help="A lexicon of your own (YAML).")] = None,
    region: Annotated[str | None, typer.Option(help="AWS region, for --by comprehend.")] = None,
    endpoint: Annotated[str | None, typer.Option(help="Another address of the service.")] = None,
) -> None:
    """Label clinicians' notes improved, same, worse or unclear: a proxy where nobody labelled the photos.

    Each row says which words decided. The notes are not copied into the labels, and nothing leaves this computer
    unless `--by comprehend` is asked for.

    For example:

    - `comedo data label-notes notes.csv --out labels.csv --last`

    - `comedo data label-notes notes.csv --by comprehend --region eu-central-1`
    """
    from comedo.report.whole_file import write_whole
    from comedo.training.notes.comprehend import open_comprehend
    from comedo.training.notes.lexicon import SHIPPED, load_lexicon
    from comedo.training.notes.score import read_note
    from comedo.training.notes.table import labels_csv, last_of_each, read_notes

    read = read_notes(notes)
    chosen = last_of_each(read) if last else read
    if by is By.COMPREHEND:
        if region is None:
            raise UnusableInput("--by comprehend needs --region, for example --region eu-central-1")
        ask, name = open_comprehend(region, endpoint), f"comprehend@{region}"
        typer.echo(f"sending {len(chosen)} notes to {endpoint or f'AWS Comprehend in {region}'}", err=True)
        readings = [ask(note) for note in chosen]
    else:
        table, name = load_lexicon(lexicon or SHIPPED)
        readings = [read_note(note.text, table) for note in chosen]
    write_whole(out, [labels_csv(chosen, readings, name).encode("utf-8")])
    counts = Counter(str(found.course) for found in readings)
    typer.echo(f"{out}: {len(readings)} notes, " + ", ".join(f"{n} {c}" for c, n in sorted(counts.items())), err=True)
