"""Notes and labels as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from comedo.report.sheets import to_csv
from comedo.training.data.files import BadAnnotations, read_bytes
from comedo.training.notes.score import Reading

_COLUMNS = ("person", "note")
_OPTIONAL = ("date",)
LABEL_COLUMNS = ("person", "date", "row", "label", "score", "words", "by")


@dataclass(frozen=True)
class Note:
    """One note about one person; `row` is its line in the table, the header being 1."""

    person: str
    text: str
    when: date | None
    row: int


def read_notes(path: Path) -> tuple[Note, ...]:
    """The notes of a CSV file with the columns person, note and, if wanted, date (YYYY-MM-DD).

    Raises:
        BadAnnotations: The file cannot be read, a column is absent, or a cell is wrong; the message names the row,
            never what a note says.
    """
    try:
        text = read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadAnnotations(f"{path} must be UTF-8 text: {error.reason} at byte {error.start}") from error
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        _check_columns(path, reader.fieldnames)
        notes = tuple(_note(path, row, reader.line_num) for row in reader)
    except csv.Error as error:
        raise BadAnnotations(
            f"{path}, after line {reader.line_num}: {error}; quote cells that hold commas or quotes"
        ) from error
    if not notes:
        raise BadAnnotations(f"{path} holds no notes below its header")
    return notes


def _check_columns(path: Path, names: Sequence[str] | None) -> None:
    given = tuple(names or ())
    absent = [name for name in _COLUMNS if name not in given]
    if absent:
        raise BadAnnotations(
            f"{path} must begin with a line of column names with {', '.join(_COLUMNS)} and, if wanted, date, "
            f"separated by commas; it lacks {', '.join(absent)}"
        )


def _note(path: Path, row: dict[str, str | None], line: int) -> Note:
    where = f"{path}, line {line}"
    if None in row or None in row.values():
        raise BadAnnotations(f"{where}: the row has more or fewer cells than the header; quote cells that hold commas")
    person, text, day = ((row.get(name) or "").strip() for name in (*_COLUMNS, *_OPTIONAL))
    if not person:
        raise BadAnnotations(f"{where}: person is empty; give each person a name or a number")
    try:
        when = date.fromisoformat(day) if day else None
    except ValueError as error:
        raise BadAnnotations(f"{where}: date must read YYYY-MM-DD, got {day[:40]!r}") from error
    return Note(person, text, when, line)


def last_of_each(notes: Iterable[Note]) -> tuple[Note, ...]:
    """The newest note of each person, in the order of first mention; of one day the one that stands last.

    Raises:
        BadAnnotations: A note has no date.
    """
    newest: dict[str, tuple[date, Note]] = {}
    for note in notes:
        if note.when is None:
            raise BadAnnotations(f"line {note.row}: the last note of a person needs a date on every note")
        if note.person not in newest or note.when >= newest[note.person][0]:
            newest[note.person] = (note.when, note)
    return tuple(note for _, note in newest.values())


def labels_csv(notes: Sequence[Note], readings: Sequence[Reading], by: str) -> str:
    """One row a note; the notes themselves stay where they are."""
    rows = (
        {
            "person": note.person,
            "date": note.when.isoformat() if note.when else None,
            "row": note.row,
            "label": str(found.course),
            "score": found.score,
            "words": "; ".join(map(str, found.words)),
            "by": by,
        }
        for note, found in zip(notes, readings, strict=True)
    )
    return to_csv(LABEL_COLUMNS, rows)
