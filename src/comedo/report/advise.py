"""Advice on an analysis, measured just now or read from a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from comedo.guidance.advice import Advice
from comedo.guidance.answers import Answers, check_answers
from comedo.guidance.answers_file import read_answers
from comedo.guidance.engine import make_advice
from comedo.guidance.findings import Findings, findings_from, findings_of
from comedo.guidance.load import load_tables
from comedo.guidance.series import Series
from comedo.report.document import Document
from comedo.report.written import StrPath, read_analysis
from comedo.types import FaceAnalysis, Verdict

if TYPE_CHECKING:
    from comedo.progress.values import Change
    from comedo.report.case import Case


def advise(
    analysis: FaceAnalysis | Document | Case | StrPath,
    answers: Answers | Mapping[str, object] | str | PathLike[str],
    *,
    change: Change | StrPath | None = None,
    language: str = "en",
    today: date | None = None,
) -> Advice:
    """Sourced guideline information; see `comedo.advise`."""
    if isinstance(analysis, str | PathLike):
        analysis = read_analysis(analysis)
    found = _findings(analysis)
    series = None if change is None else _series(change, found.photo_sha256)
    return make_advice(found, _read(answers), language=language, today=today, series=series)


def _series(change: Change | StrPath, photo_sha256: str) -> Series:
    from comedo.report.change_file import check_last, read_change, to_series

    if isinstance(change, str | PathLike):
        return to_series(read_change(change, photo_sha256))
    from comedo.report.change_tables import to_change_document

    document = to_change_document(change)
    check_last(document, photo_sha256)
    return to_series(document)


def _read(answers: Answers | Mapping[str, object] | str | PathLike[str]) -> Answers:
    if isinstance(answers, Answers):
        return answers
    if isinstance(answers, str | PathLike):
        return read_answers(Path(answers))
    return check_answers(answers, load_tables().questions)


def _findings(analysis: FaceAnalysis | Document | Case) -> Findings:
    if isinstance(analysis, FaceAnalysis):
        return findings_of(analysis)
    if isinstance(analysis, Document):
        return _written_findings(analysis)
    reader = analysis.reader
    return replace(_written_findings(analysis.document), reader=None if reader is None else reader.name)


def _written_findings(document: Document) -> Findings:
    photo = document.photo
    poor = document.quality.verdict is Verdict.POOR
    return findings_from(photo.name, photo.sha256, document.grades.scales(), poor=poor)
