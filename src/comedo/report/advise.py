"""Advice on an analysis, measured just now or read from a file."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import date
from os import PathLike
from pathlib import Path

from pydantic import ValidationError

from comedo.errors import UnusableInput
from comedo.guidance.advice import Advice
from comedo.guidance.answers import Answers, check_answers
from comedo.guidance.answers_file import read_answers
from comedo.guidance.engine import make_advice
from comedo.guidance.findings import Findings, findings_from, findings_of
from comedo.guidance.load import load_tables
from comedo.report.document import ANALYSIS_SCHEMA, Document
from comedo.report.tables import from_json
from comedo.types import FaceAnalysis, Verdict

MAX_BYTES = 32 * 1024 * 1024


def advise(
    analysis: FaceAnalysis | Document | str | PathLike[str],
    answers: Answers | Mapping[str, object] | str | PathLike[str],
    *,
    language: str = "en",
    today: date | None = None,
) -> Advice:
    """Sourced guideline information; see `comedo.advise`."""
    if isinstance(analysis, str | PathLike):
        analysis = read_analysis(Path(analysis))
    found = findings_of(analysis) if isinstance(analysis, FaceAnalysis) else _findings(analysis)
    return make_advice(found, _read(answers), language=language, today=today)


def _read(answers: Answers | Mapping[str, object] | str | PathLike[str]) -> Answers:
    if isinstance(answers, Answers):
        return answers
    if isinstance(answers, str | PathLike):
        return read_answers(Path(answers))
    return check_answers(answers, load_tables().questions)


def read_analysis(path: Path) -> Document:
    """Read a file that `comedo analyze` wrote; "-" is standard input.

    Raises:
        UnusableInput: It cannot be read, or is no single analysis.
    """
    try:
        if str(path) == "-":
            data = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with path.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UnusableInput(f"the analysis {path.name} cannot be read: {error.strerror or error}") from error
    if len(data) > MAX_BYTES:
        raise UnusableInput(f"the analysis {path.name} is larger than {MAX_BYTES >> 20} MiB; that is none of comedo's")
    return _parse(path.name, data)


def _parse(name: str, data: bytes) -> Document:
    try:
        document = from_json(data)
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(map(str, problem["loc"]))
        raise UnusableInput(f"the analysis {name} is damaged at {place}: {problem['msg']}") from error
    except json.JSONDecodeError as error:
        hint = "it holds several documents, give one" if error.msg == "Extra data" else "it is not JSON"
        raise UnusableInput(f"the analysis {name} cannot be used: {hint}") from error
    except (ValueError, RecursionError) as error:
        raise UnusableInput(f"{name} is no analysis of comedo ({ANALYSIS_SCHEMA})") from error
    if not isinstance(document, Document):
        raise UnusableInput(f"{name} says why a photo could not be analysed; there is nothing to advise on")
    return document


def _findings(document: Document) -> Findings:
    photo = document.photo
    poor = document.quality.verdict is Verdict.POOR
    return findings_from(photo.name, photo.sha256, document.grades.scales(), poor=poor)
