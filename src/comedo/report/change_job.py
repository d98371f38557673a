"""One run of `comedo track`: photos in; change.json, ledger.csv, change.html and an exit code out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import typer

from comedo.errors import ComedoError, exit_code_of, worst_exit
from comedo.pipeline import Analyzer
from comedo.report.change_document import ChangeDocument
from comedo.report.change_page import change_html
from comedo.report.change_tables import change_json, ledger_csv, to_change_document
from comedo.report.folder import ResultFolder
from comedo.report.job import find_photos
from comedo.report.tables import to_error, to_json
from comedo.tracking import track


@dataclass(frozen=True)
class ChangeJob:
    """What was asked for."""

    paths: Sequence[Path]
    dates: str | None
    folder: Path | None  # None: no files
    as_json: bool
    mirrored: tuple[str, ...] = ()
    treatment_start: str | None = None
    allow_poor: bool = False
    workers: int | None = None

    def run(self, analyzer: Analyzer | None = None) -> int:
        """Do it; returns the exit code: 0 where all photos were analysed, else the worst of those that were not.

        Raises:
            ComedoError: No photo could be analysed, or what was asked for makes no sense.
        """
        try:
            folder = None if self.folder is None else ResultFolder(self.folder)
            change = track(
                find_photos(self.paths),
                dates=self.dates,
                mirrored=self.mirrored,
                treatment_start=self.treatment_start,
                allow_poor=self.allow_poor,
                analyzer=analyzer,
                workers=self.workers,
            )
        except ComedoError as error:
            if self.as_json:
                typer.echo(to_json(to_error(error, None)).encode())
            raise
        document = to_change_document(change)
        written: list[Path] = []
        if folder is not None:
            written = folder.save_change(document, ledger_csv(document), change_html(change, document))
        self._tell(document, written)
        return worst_exit(exit_code_of(item.code) for item in document.left_out)

    def _tell(self, document: ChangeDocument, written: Sequence[Path]) -> None:
        for item in document.left_out:
            typer.echo(_printable(f"{item.name}: {item.reason}"), err=True)
        for question in document.questions:
            typer.echo(_printable(question), err=True)
        if self.as_json:
            typer.echo(change_json(document).encode())  # bytes: UTF-8 whatever the terminal speaks
            return
        typer.echo(_printable(document.sentence))
        for path in written:
            typer.echo(_printable(f"written: {path}"))


def _printable(text: str) -> str:
    """Text in which a file's name can neither colour nor steer the terminal."""
    return "".join(c if c.isprintable() else "?" for c in text)
