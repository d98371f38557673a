"""What a run is asked: each photo by itself, or the photos of one folder as a series in order of time."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from comedo.dating import date_photos, leave_out_copies
from comedo.errors import UnusableInput
from comedo.report.job import find_photos


@dataclass(frozen=True)
class Question:
    """One photo, or the photos of a folder."""

    name: str  # of the photo's file, or of the folder
    photos: tuple[Path, ...]


def find_questions(paths: Sequence[Path], *, series: bool) -> list[Question]:
    """The photos meant, as `comedo analyze` finds them: folders stand for the photos in them.

    Args:
        paths: Photos and folders.
        series: Whether the photos of one folder are one question.

    Raises:
        UnusableInput: There is no photo, or one is to come from standard input.
    """
    photos = [found for found in find_photos(paths) if isinstance(found, Path)]
    if len(photos) < len(paths) and any(str(path) == "-" for path in paths):
        raise UnusableInput("photos must be files or folders of them; save what comes on standard input first")
    if not series:
        return [Question(photo.name, (photo,)) for photo in photos]
    folders: dict[Path, list[Path]] = {}
    for photo in photos:
        folders.setdefault(place_of(photo).parent, []).append(photo)
    return [Question(folder.name or "series", tuple(inside)) for folder, inside in folders.items()]


def common_folder(paths: Sequence[Path]) -> Path:
    """The folder that was named, or the innermost that holds all that was: photos' names in labels start there."""
    return Path(os.path.commonpath([place_of(path) if path.is_dir() else place_of(path).parent for path in paths]))


def place_of(path: Path) -> Path:
    """The whole path without `..`; links stay what they are called."""
    return Path(os.path.normpath(path.absolute()))


def in_order(photos: Sequence[Path]) -> tuple[list[tuple[Path, datetime | None]], tuple[str, ...]]:
    """Photos of one person in order of time, and notices of what was done.

    By dates in EXIF, or by those in the names where more photos have one there; by the names themselves, day2 before
    day10, where a photo has none. Copies are left out.

    Raises:
        UnusableInput: A photo and its copy have different dates.
    """
    by_name = sorted(photos, key=_by_name)
    dated, notices = leave_out_copies(date_photos(by_name))
    shots = [(item.source, item.when) for item in dated if isinstance(item.source, Path)]
    known = [(path, when) for path, when in shots if when is not None]
    if len(known) < len(shots):
        notices.append("not every photo has a date in its EXIF or name: they were taken in the order of their names")
        return [(path, None) for path, _ in shots], tuple(notices)
    return [*sorted(known, key=lambda shot: shot[1])], tuple(notices)


def _by_name(path: Path) -> list[tuple[int, str]]:
    pieces = re.split("([0-9]+)", path.name.casefold())
    return [(int(piece), "") if i % 2 else (-1, piece) for i, piece in enumerate(pieces)]
