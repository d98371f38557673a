"""One run of `comedo analyze`: photos in; files, lines and an exit code out."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

import typer

from comedo.batch import Outcome, Source, process_many, source_name
from comedo.build import build_own
from comedo.errors import ComedoError, UnusableInput, worst_exit
from comedo.photo import read_photo
from comedo.photo.limits import DEFAULT_LIMITS
from comedo.pipeline import Analyzer
from comedo.report.document import Document, ErrorDocument
from comedo.report.folder import ResultFolder
from comedo.report.overlay import draw_overlay
from comedo.report.page import photo_section
from comedo.report.pictures import mask_png, to_jpeg, to_png
from comedo.report.tables import to_document, to_error, to_json
from comedo.types import FaceAnalysis, Photo

PHOTO_ENDINGS = {".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif"}
OWN_ENDINGS = (".overlay.png", ".mask.png")
MANY = 8  # photos from which the report embeds smaller pictures
SMALL_PICTURE = 1000
_Done = Outcome[tuple[Document, bytes | None]]  # with the overlay for the report, where there is one


@dataclass(frozen=True)
class Job:
    """What was asked for."""

    paths: Sequence[Path]
    sample: bool
    folder: Path | None  # None: no files
    as_json: bool
    allow_poor: bool = False
    convention: str = "visible"
    workers: int | None = None
    debug: bool = False
    models: Path | None = None  # folder of the user's own networks

    def run(self, analyzer: Analyzer | None = None) -> int:
        """Do it; returns the exit code.

        Raises:
            ComedoError: Nothing could be done at all; failures of single photos are in the exit code.
        """
        try:
            sources = [*find_photos(self.paths), *([_sample_photo()] if self.sample else [])]
            if self.models is not None:
                analyzer, said = build_own(self.models)
                for line in said:
                    typer.echo(f"comedo: note: {printable(line)}", err=True)
            return _Run(self, sources, analyzer).run()
        except ComedoError as error:
            if self.as_json:
                _print_json(to_error(error, None))
            raise


def find_photos(paths: Sequence[Path]) -> list[Source]:
    """The photos meant: folders stand for the photos in them, sorted, hidden ones and our own pictures left out.

    "-" stands for the photo that comes on standard input.

    Raises:
        UnusableInput: All that was named is one folder, and it holds no photo.
    """
    found: dict[Path, Source] = {}
    for path in paths:
        if str(path) == "-":
            found.setdefault(path, sys.stdin.buffer.read(DEFAULT_LIMITS.max_bytes + 1))
            continue
        photos = _photos_in(path)
        if not photos and len(paths) == 1 and path.is_dir() and os.access(path, os.R_OK):
            raise UnusableInput(
                f"the folder {path} holds no photo that comedo reads (JPEG, PNG, WebP, HEIC; hidden files and "
                "comedo's own pictures do not count); name another folder, or a photo"
            )
        for photo in photos or [path]:  # among others a folder without photos stays, and is refused by name
            found.setdefault(photo.absolute(), photo)
    return list(found.values())


def _photos_in(folder: Path) -> list[Path]:
    """What is in a folder; one inside it that may not be listed is named too, so that it is refused and not missed."""
    found: list[Path] = []
    closed: list[Path] = []
    for here, folders, names in os.walk(folder, onerror=lambda error: closed.append(Path(error.filename))):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(here, name) for name in names if _is_photo_name(name)]
    return sorted(found + [path for path in closed if path != folder])


def _is_photo_name(name: str) -> bool:
    return Path(name).suffix.lower() in PHOTO_ENDINGS and not name.endswith(OWN_ENDINGS) and not name.startswith(".")


def _sample_photo() -> Photo:
    from comedo.synthetic import sample_face

    return read_photo(sample_face().image, name="sample")


class _Run:
    """The state of a run: the folder, the report growing in a temporary file, the worst failure."""

    def __init__(self, job: Job, sources: list[Source], analyzer: Analyzer | None) -> None:
        self.job, self.sources, self.analyzer = job, sources, analyzer
        self.only = len(sources) == 1
        self.folder = ResultFolder(job.folder) if job.folder is not None else None
        self.documents: list[Document | ErrorDocument] = []
        self.codes: set[int] = set()
        self.above_bar: Callable[[str], None] | None = None  # prints there while a progress bar is shown
        self.answers: list[str] = []  # for people; shown when the progress bar is gone

    def run(self) -> int:
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as sections, self._watched() as outcomes:
            for outcome in outcomes:
                self._take(outcome, sections)
            if self.folder is not None and any(isinstance(d, Document) for d in self.documents):
                sections.seek(0)
                for path in self.folder.save_report(self.documents, _pieces(sections)):
                    self.answers.append(f"written: {path}")
        if not self.job.as_json:
            for line in self.answers:
                typer.echo(printable(line))
        return worst_exit(self.codes)

    @contextmanager
    def _watched(self) -> Iterator[Iterable[_Done]]:
        """The outcomes, under a progress bar where a person watches several photos."""
        if self.only or not sys.stderr.isatty():
            yield self._outcomes()
            return
        from rich.console import Console  # a single photo is analysed without loading rich
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        log = Console(stderr=True, soft_wrap=True)
        self.above_bar = partial(log.print, markup=False, highlight=False, emoji=False)
        # Redirecting would send our JSON to the bar's stream.
        with Progress(*columns, console=log, redirect_stdout=False, redirect_stderr=False) as bar:
            yield bar.track(self._outcomes(), total=len(self.sources), description="Analysing")
        self.above_bar = None

    def _outcomes(self) -> Iterator[_Done]:
        job = self.job
        return process_many(
            self.sources,
            self._write_photo,
            analyzer=self.analyzer,
            workers=1 if self.only else job.workers,
            allow_poor=job.allow_poor,
            convention=job.convention,
        )

    def _write_photo(self, source: Source, photo: Photo, analysis: FaceAnalysis) -> tuple[Document, bytes | None]:
        """Write a photo's files; runs in a worker, where the pixels are."""
        document = to_document(analysis)
        if self.folder is None:
            return document, None
        overlay = draw_overlay(photo.image, analysis)
        stem = Path(source_name(source)).stem or "photo"
        self.folder.save_photo(stem, document, overlay_png=to_png(overlay), mask_png=mask_png(analysis))
        return document, to_jpeg(overlay, max_side=None if len(self.sources) < MANY else SMALL_PICTURE)

    def _take(self, outcome: _Done, sections: IO[str]) -> None:
        document: Document | ErrorDocument
        if outcome.error is None:
            document, jpeg = outcome.unwrap()
        else:
            document, jpeg = to_error(outcome.error, outcome.name), None
            self._report_failure(outcome.name, outcome.error)
        self.documents.append(document)
        if self.folder is not None:
            sections.write(photo_section(document, len(self.documents), overlay_jpeg=jpeg, only=self.only))
        if self.job.as_json:
            _print_json(document)
        elif isinstance(document, Document):
            self.answers.append(summary(document))

    def _report_failure(self, name: str, error: ComedoError) -> None:
        self.codes.add(error.exit_code)
        self._say(f"{name}: {error}")
        if self.job.debug and error.__cause__ is not None:
            self._say("".join(traceback.format_exception(error.__cause__)))

    def _say(self, text: str) -> None:
        """To stderr, above a progress bar."""
        if self.above_bar is None:
            typer.echo(printable(text), err=True)
        else:
            self.above_bar(printable(text))


def printable(text: str) -> str:
    """Text in which a file's name can neither colour nor steer the terminal."""
    return "".join(c if c.isprintable() or c == "\n" else "?" for c in text)


def _print_json(document: Document | ErrorDocument) -> None:
    typer.echo(to_json(document).encode())  # bytes: UTF-8 whatever the terminal speaks


def _pieces(file: IO[str]) -> Iterator[str]:
    while piece := file.read(1 << 20):
        yield piece


def summary(document: Document) -> str:
    """One line about one photo."""
    counts, severity = document.counts, document.grades.severity
    low, high = counts.interval_90
    parts = [f"{counts.total} active lesions ({low} to {high})"]
    if severity is not None and severity.value is not None:
        parts.append(f"severity {severity.value:.1f} of 5, {severity.level}")
    parts.append(f"photo quality {document.quality.verdict}")
    return f"{document.photo.name}: {'; '.join(parts)}"
