"""Files that comedo or a person wrote, read back in one way by every command: from a path, or from standard input."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from pydantic import ValidationError

from comedo.errors import UnusableInput
from comedo.report.document import ANALYSIS_SCHEMA, Document, ErrorDocument
from comedo.report.tables import from_json

MAX_BYTES = 32 * 2**20  # a thousand lesions need one megabyte
STDIN = "-"
StrPath = str | os.PathLike[str]


def read_analysis(path: StrPath) -> Document:
    """Read what `comedo analyze` wrote; "-" is standard input.

    Raises:
        UnusableInput: It cannot be read, or is no single analysis.
    """
    return parse_analysis(read_bytes(path, "the analysis"), name_of(path))


def read_bytes(path: StrPath, what: str = "the file") -> bytes:
    """The bytes of a JSON file or, for "-", of standard input: at most `MAX_BYTES` of them.

    Raises:
        UnusableInput: It cannot be read, or is larger.
    """
    name = name_of(path)
    try:
        if is_stdin(path):
            data = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with Path(path).open("rb") as file:
                data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a path with a zero byte
        reason = error.strerror if isinstance(error, OSError) else None
        raise UnusableInput(
            f"{what} {name} cannot be read: {reason or error}; check the path and its rights"
        ) from error
    if len(data) > MAX_BYTES:
        raise UnusableInput(f"{what} {name} is larger than {MAX_BYTES >> 20} MiB; that is none of comedo's")
    return data


def parse_analysis(data: bytes, name: str) -> Document:
    """An analysis from the bytes of its file.

    Raises:
        UnusableInput: They are no single analysis; the message names the field.
    """
    try:
        document = from_json(data)
    except ValidationError as error:
        raise UnusableInput(
            f"the analysis {name} is damaged at {first_fault(error)}; analyse the photo again"
        ) from error
    except json.JSONDecodeError as error:
        hint = "it holds several documents, give one" if error.msg == "Extra data" else "it is not JSON"
        raise UnusableInput(f"the analysis {name} cannot be used: {hint}") from error
    except (ValueError, RecursionError) as error:
        raise UnusableInput(f"{name} is no analysis of comedo (schema {ANALYSIS_SCHEMA})") from error
    if isinstance(document, ErrorDocument):
        raise UnusableInput(f"{name} says why a photo could not be analysed ({document.code}); name another analysis")
    return document


def first_fault(error: ValidationError) -> str:
    """The first fault of a document: the field, what is wrong, and how many more there are."""
    faults = error.errors(include_url=False, include_input=False, include_context=False)
    where = ".".join(str(step) for step in faults[0]["loc"])
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return f"{where + ': ' if where else ''}{faults[0]['msg']}{more}"


def is_stdin(path: StrPath) -> bool:
    """Whether a path means standard input."""
    return os.fspath(path) == STDIN


def name_of(path: StrPath) -> str:
    """What messages call a file: its name without its folders."""
    return "standard input" if is_stdin(path) else Path(path).name or os.fspath(path)
