"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from comedo.errors import ComedoError, UnusableInput


def unwritable(path: Path, error: OSError) -> ComedoError:
    """What to say of a place that cannot be written to."""
    if isinstance(error, FileExistsError | NotADirectoryError):
        file = next((place for place in (path, *path.parents) if place.is_file()), path)
        return UnusableInput(f"{file} is a file where a folder is wanted; name a folder with --out")
    if isinstance(error, IsADirectoryError):
        return UnusableInput(f"{path} is a folder where a file is wanted; name a file with --out")
    return ComedoError(f"{path} cannot be written: {error.strerror}; choose another place or free some space")


def make_folder(path: Path) -> None:
    """Make a folder for results where there is none.

    Raises:
        ComedoError: It cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(path, error) from error


def write_whole(path: Path, pieces: Iterable[bytes]) -> Path:
    """Write beside the final name, then rename: a reader or a crash never meets half a file, and no draft stays.

    Raises:
        OSError: The file cannot be written.
    """
    draft = path.with_name(f".comedo-{os.urandom(8).hex()}.part")  # several machines may write into one folder
    try:
        with draft.open("wb") as file:
            file.writelines(pieces)
        return draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
