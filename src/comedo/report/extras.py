"""What a printed report can carry beside the analysis: guidance with its sources, and the change since a baseline.

Plain values, so that the report depends neither on the rules engine nor on the progress part. The readers take from
"comedo.advice/1" and "comedo.change/1" the fields that are printed, and leave the rest alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from comedo.errors import UnusableInput
from comedo.report.case import StrPath, first_fault, read_small
from comedo.report.look import in_words

_Read = TypeVar("_Read", bound=BaseModel)


@dataclass(frozen=True)
class Line:
    """One piece of information with the names of its sources."""

    text: str
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Section:
    """Lines under a heading."""

    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Guidance:
    """Sections, the sources that their lines name, and whether a clinician has read the tables behind them."""

    sections: tuple[Section, ...]
    sources: tuple[tuple[str, str], ...]  # name, what it is
    reviewed_by_clinician: bool
    language: str = "en"


@dataclass(frozen=True)
class Measured:
    """One measure at the baseline and now; a difference within `noise` may be chance."""

    name: str
    before: float
    after: float
    noise: float
    answer: str


@dataclass(frozen=True)
class Since:
    """The change since a baseline."""

    sentence: str
    measures: tuple[Measured, ...]


class _Loose(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)


class _LinePart(_Loose):
    section: str
    text: str
    why: str = ""
    urgency: str | None = None
    access: str | None = None
    sources: tuple[str, ...] = Field(min_length=1)


class _SourcePart(_Loose):
    title: str
    url: str | None = None
    published: str | None = None
    jurisdiction: str = ""
    provenance: str = ""


class _PhotoPart(_Loose):
    sha256: str


class _AdvicePart(_Loose):
    schema_: Literal["comedo.advice/1"] = Field(alias="schema")
    language: str = "en"
    reviewed_by_clinician: bool
    photo: _PhotoPart
    lines: tuple[_LinePart, ...]
    sources: dict[str, _SourcePart]


class _MeasurePart(_Loose):
    name: str
    before: float
    after: float
    smallest_detectable: float
    answer: str


class _WholePart(_Loose):
    measures: tuple[_MeasurePart, ...]


class _ChangePart(_Loose):
    schema_: Literal["comedo.change/1"] = Field(alias="schema")
    sentence: str
    verdict: _WholePart


def read_advice(path: StrPath, photo_sha256: str) -> Guidance:
    """The lines of an advice document, those of withheld treatments left out.

    Raises:
        UnusableInput: It cannot be read, is of another photo, or has a line without a source.
    """
    return to_guidance(read_small(Path(path)), photo_sha256, name=str(path))


def to_guidance(document: bytes, photo_sha256: str, *, name: str = "the advice") -> Guidance:
    """The lines of an advice document given as JSON; see `read_advice`."""
    advice = _parse(_AdvicePart, document, name, "advice")
    if advice.photo.sha256 != photo_sha256:
        raise UnusableInput(f"{name} is advice about another photo; name the advice of this analysis")
    for n, line in enumerate(advice.lines):
        if unknown := [source for source in line.sources if source not in advice.sources]:
            raise UnusableInput(f"{name}: lines.{n}.sources names {unknown[0]!r}, which is not among its sources")
    open_lines = [line for line in advice.lines if line.access != "hidden"]
    titles = dict.fromkeys(line.section for line in open_lines)
    sections = [
        Section(in_words(title), tuple(_line(line) for line in open_lines if line.section == title)) for title in titles
    ]
    return Guidance(
        sections=tuple(sections),
        sources=tuple((title, _described(source)) for title, source in advice.sources.items()),
        reviewed_by_clinician=advice.reviewed_by_clinician,
        language=advice.language,
    )


def read_change(path: StrPath) -> Since:
    """The measures of a change document.

    Raises:
        UnusableInput: It cannot be read, or is no change document.
    """
    return to_since(read_small(Path(path)), name=str(path))


def to_since(document: bytes, *, name: str = "the change") -> Since:
    """The measures of a change document given as JSON; see `read_change`."""
    change = _parse(_ChangePart, document, name, "change")
    rows = (
        Measured(in_words(m.name), m.before, m.after, m.smallest_detectable, m.answer) for m in change.verdict.measures
    )
    return Since(change.sentence, tuple(rows))


def _parse(kind: type[_Read], document: bytes, name: str, what: str) -> _Read:
    try:
        return kind.model_validate_json(document)
    except ValidationError as error:
        raise UnusableInput(f"{name} is not a document of schema comedo.{what}/1: {first_fault(error)}") from error


def _line(line: _LinePart) -> Line:
    before = f"{in_words(line.urgency)}: " if line.urgency else ""
    before += "(to discuss with a clinician) " if line.access == "clinician" else ""
    return Line(before + line.text, line.sources)


def _described(source: _SourcePart) -> str:
    known = (
        source.jurisdiction,
        source.published,
        source.provenance and f"provenance: {source.provenance}",
        source.url,
    )
    return ", ".join([source.title, *(part for part in known if part)])
