"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from threading import get_ident


def write_whole(path: Path, pieces: Iterable[bytes]) -> Path:
    """Write beside the final name, then rename: a reader or a crash never meets half a file, and no draft stays.

    Raises:
        OSError: The file cannot be written.
    """
    draft = path.with_name(f".comedo-{os.getpid()}-{get_ident()}.part")
    try:
        with draft.open("wb") as file:
            file.writelines(pieces)
        return draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
