"""Series of one's own: a table of photos, a table of labels."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from zlib import crc32

from comedo.photo import read_photo
from comedo.training.data.files import BadAnnotations, read_lines, safe_name
from comedo.training.sequence.framing import Framing
from comedo.training.sequence.plan import OwnPlan
from comedo.training.sequence.series import Course, Series, fingerprint, save_frames, write_note

_COURSES = {"improved": Course.BETTER, "same": Course.SAME, "worse": Course.WORSE}
_UNCLEAR = "unclear"
_HELD_BACK_PERCENT = 20  # of the people, where the table names no split
_SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class Shot:
    """One row of the table of photos."""

    person: str
    when: date
    photo: str
    split: str


def own_series(plan: OwnPlan, root: Path, framing: Framing, cache: Path) -> list[Series]:
    """One series a person who has a clear label and a face in two photos or more.

    Raises:
        BadAnnotations: A table breaks a rule; the message names the line.
        UnusableInput: A photo cannot be read.
    """
    labels = read_labels(root / plan.labels)
    by_person: dict[str, list[Shot]] = {}
    for shot in read_shots(root / plan.series):
        by_person.setdefault(shot.person, []).append(shot)
    found = []
    for person, shots in by_person.items():
        if person in labels:
            series = _one(
                person,
                sorted(shots, key=lambda s: s.when),
                labels[person],
                root / plan.photos,
                framing,
                cache / f"own-{framing.mark}",
            )
            found += [] if series is None else [series]
    return found


def read_shots(path: Path) -> list[Shot]:
    """The table of photos: person, date, photo and, if wanted, split.

    Raises:
        BadAnnotations: A column is absent, a cell is wrong, or a person is in two splits.
    """
    shots = []
    for line, row in _rows(path, ("person", "date", "photo")):
        where = f"{path}, line {line}"
        split = row.get("split") or _split_of(row["person"])
        if split not in _SPLITS:
            raise BadAnnotations(f"{where}: split must be one of {', '.join(_SPLITS)}, got {split[:40]!r}")
        try:
            when = date.fromisoformat(row["date"])
        except ValueError as error:
            raise BadAnnotations(f"{where}: date must read YYYY-MM-DD, got {row['date'][:40]!r}") from error
        shots.append(Shot(row["person"], when, safe_name(row["photo"], where), split))
    sides = {(s.person, s.split) for s in shots}
    if len(sides) > len({s.person for s in shots}):
        raise BadAnnotations(f"{path}: every photo of a person must be in one split")
    return shots


def read_labels(path: Path) -> dict[str, Course]:
    """The label of each person: improved, same or worse; `unclear` is left out.

    Raises:
        BadAnnotations: A column is absent, a label is none of these, or a person has several.
    """
    found: dict[str, Course] = {}
    for line, row in _rows(path, ("person", "label")):
        if row["person"] in found:
            raise BadAnnotations(
                f"{path}, line {line}: a second label of one person; label their last note alone (--last)"
            )
        if row["label"] not in (*_COURSES, _UNCLEAR):
            raise BadAnnotations(f"{path}, line {line}: label must be one of {', '.join((*_COURSES, _UNCLEAR))}")
        if row["label"] != _UNCLEAR:
            found[row["person"]] = _COURSES[row["label"]]
    return found


def _rows(path: Path, wanted: Sequence[str]) -> Iterable[tuple[int, dict[str, str]]]:
    reader = csv.DictReader(io.StringIO("\n".join(read_lines(path))))
    absent = [name for name in wanted if name not in (reader.fieldnames or ())]
    if absent:
        raise BadAnnotations(f"{path} must begin with a line of column names; it lacks {', '.join(absent)}")
    for row in reader:
        if None in row or None in row.values() or not all(row[name].strip() for name in wanted):
            raise BadAnnotations(f"{path}, line {reader.line_num}: {', '.join(wanted)} must each have a value")
        yield reader.line_num, {name: (cell or "").strip() for name, cell in row.items()}


def _split_of(person: str) -> str:
    return "val" if crc32(person.encode()) % 100 < _HELD_BACK_PERCENT else "train"


def _one(
    person: str, shots: Sequence[Shot], course: Course, photos: Path, framing: Framing, folder: Path
) -> Series | None:
    mark = f"{hashlib.sha256(person.encode()).hexdigest()[:8]}-{fingerprint([photos / s.photo for s in shots])}"
    path, note = folder / f"{mark}.npy", folder / f"{mark}.json"
    if not note.exists():
        framed = (framing.frame(read_photo(photos / shot.photo)) for shot in shots)
        frames = [frame for frame in framed if frame is not None]
        if len(frames) > 1:
            save_frames(path, frames)
        write_note(note, json.dumps({"faces": len(frames)}))
    if json.loads(note.read_text("utf-8"))["faces"] < 2:
        return None
    return Series(f"own/{mark}", person, shots[0].split, "own", course, path)
