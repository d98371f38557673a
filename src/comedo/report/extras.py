"""What a printed report can carry beside the analysis: guidance with its sources, and the change since a baseline.

Plain values, ready to print. `read_advice` takes the fields that are printed from "comedo.advice/1" and leaves the rest
alone; what it cannot name in the advice's language keeps the word that the document has.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from comedo.errors import UnusableInput
from comedo.guidance.catalogue import Catalogue
from comedo.guidance.load import languages, load_catalogue
from comedo.report.change_document import ChangeDocument
from comedo.report.change_file import last_compared, parse_change
from comedo.report.look import in_words
from comedo.report.sentences import translate
from comedo.report.texts import Texts, load_texts
from comedo.report.written import StrPath, first_fault, name_of, read_bytes

_WITHHELD, _UNANSWERED = "withheld", "unanswered"


@dataclass(frozen=True)
class Line:
    """One piece of information with the names of its sources; `why` where the reason belongs to it.

    `under` is what several lines in a row share: whose list it is, and how strongly they are listed.
    """

    text: str
    sources: tuple[str, ...]
    why: str = ""
    under: str = ""


@dataclass(frozen=True)
class Section:
    """Lines under a heading; `code` is the section's of the advice."""

    title: str
    lines: tuple[Line, ...]
    code: str = ""


@dataclass(frozen=True)
class Guidance:
    """Sections, the sources that their lines name, and whether a clinician has read the tables behind them."""

    sections: tuple[Section, ...]
    sources: tuple[tuple[str, str], ...]  # name, what it is
    reviewed_by_clinician: bool
    language: str = "en"
    reader: str | None = None  # whose review it goes by
    name: str = ""  # of the whole document's file
    sha256: str = ""
    left_out: tuple[tuple[str, int], ...] = ()  # titles of sections that only the whole document has, and their lines

    def without(self, codes: Collection[str]) -> Guidance:
        """The same without some sections and the sources that only they name; what is left out is said."""
        kept = tuple(section for section in self.sections if section.code not in codes)
        named = {source for section in kept for line in section.lines for source in line.sources}
        out = tuple((s.title, len(s.lines)) for s in self.sections if s.code in codes)
        sources = tuple(source for source in self.sources if source[0] in named)
        return replace(self, sections=kept, sources=sources, left_out=out)


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
    first_on: date | None = None
    last_on: date | None = None
    answer: str = ""


class _Loose(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)


class _LinePart(_Loose):
    section: str
    text: str
    why: str = ""
    urgency: str | None = None
    access: str | None = None
    guideline: str | None = None
    strength: str | None = None
    provenance: str = ""
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
    reviewed_by: str | None = None
    reviewed_by_clinician: bool
    photo: _PhotoPart
    lines: tuple[_LinePart, ...]
    sources: dict[str, _SourcePart]


def read_advice(path: StrPath, photo_sha256: str) -> Guidance:
    """The lines of an advice document, what was withheld and why among them.

    Raises:
        UnusableInput: It cannot be read, is of another photo, or has a line without a source.
    """
    return to_guidance(read_bytes(path, "the advice"), photo_sha256, name=name_of(path))


def to_guidance(document: bytes, photo_sha256: str, *, name: str = "the advice") -> Guidance:
    """The lines of an advice document given as JSON; see `read_advice`."""
    try:
        advice = _AdvicePart.model_validate_json(document)
    except ValidationError as error:
        raise UnusableInput(f"{name} is not a document of schema comedo.advice/1: {first_fault(error)}") from error
    if advice.photo.sha256 != photo_sha256:
        raise UnusableInput(f"{name} is advice about another photo; name the advice of this analysis")
    for n, line in enumerate(advice.lines):
        if unknown := [source for source in line.sources if source not in advice.sources]:
            raise UnusableInput(f"{name}: lines.{n}.sources names {unknown[0]!r}, which is not among its sources")
    words = load_catalogue(advice.language if advice.language in languages() else "en")
    texts = load_texts(words.language)
    shown = [line for line in advice.lines if line.access != "hidden" or line.section == _WITHHELD]
    sections = [
        Section(
            words.sections.get(code, in_words(code)),
            _lines(code, [line for line in shown if line.section == code], words, texts),
            code,
        )
        for code in dict.fromkeys(line.section for line in shown)
    ]
    return Guidance(
        sections=tuple(sections),
        sources=tuple((source, _described(part)) for source, part in advice.sources.items()),
        reviewed_by_clinician=advice.reviewed_by_clinician,
        language=words.language,
        reader=advice.reviewed_by,
        name=name,
        sha256=hashlib.sha256(document).hexdigest(),
    )


def to_since(document: bytes, *, name: str = "the change", language: str = "en") -> Since:
    """What a change document given as JSON says; see `since_baseline`.

    Raises:
        UnusableInput: It is no change document.
    """
    return since_baseline(parse_change(document, name), language)


def since_baseline(change: ChangeDocument, language: str = "en") -> Since:
    """What a change document says of the whole face; a sentence that cannot be translated gives way to its answer."""
    texts = load_texts(language)
    verdict = change.verdict
    rows = (
        Measured(
            texts.measures.get(m.name, in_words(m.name)),
            m.before,
            m.after,
            m.smallest_detectable,
            texts.answers[m.answer],
        )
        for m in verdict.measures
    )
    first, last = change.photos[0].when, last_compared(change).when
    sentence = translate(change.sentence, language) or f"{texts.answers[verdict.answer].capitalize()}."
    return Since(
        sentence=sentence,
        measures=tuple(rows),
        first_on=None if first is None else first.date(),
        last_on=None if last is None else last.date(),
        answer=texts.answers[verdict.answer],
    )


def _lines(code: str, lines: list[_LinePart], words: Catalogue, texts: Texts) -> tuple[Line, ...]:
    """The lines of a section; open questions are one line together."""
    if code != _UNANSWERED or not lines:
        return tuple(_line(line, words, texts) for line in lines)
    names = [_filled(words.frame["unanswered"]).sub(r"\1", line.text) for line in lines]
    sources = dict.fromkeys(source for line in lines for source in line.sources)
    text = "; ".join(names)
    return (Line(text if text.endswith("?") else f"{text}.", tuple(sources), lines[0].why),)


def _line(line: _LinePart, words: Catalogue, texts: Texts) -> Line:
    if line.section == _WITHHELD:
        return _withheld(line, words, texts)
    text = f"{texts.say('discuss')} {line.text}" if line.access == "clinician" else line.text
    shared = (
        names.get(code, in_words(code))
        for names, code in (
            (words.urgency, line.urgency),
            (words.guidelines, line.guideline),
            (words.strengths, line.strength),
        )
        if code
    )
    return Line(text + _mark(line, texts), line.sources, under=": ".join(shared))


def _withheld(line: _LinePart, words: Catalogue, texts: Texts) -> Line:
    """What was withheld, and why in few words: the heading says "left out", the mark "unverified"."""
    text = _filled(words.frame["withheld"]).sub(r"\1.", line.text)
    why = _filled(words.frame["because_unanswered"]).sub(texts.say("unanswered"), line.why)
    return Line(text + _mark(line, texts), line.sources, why.replace(f" ({words.provenance['unverified']})", ""))


def _mark(line: _LinePart, texts: Texts) -> str:
    return f" {texts.say('unverified')}" if line.provenance == "unverified" else ""


def _filled(template: str) -> re.Pattern[str]:
    """Finds a text of the catalogue with its gaps filled in."""
    return re.compile(re.sub(r"\\{\w+\\}", "(.+?)", re.escape(template)) + "(?!\\w)")


def _described(source: _SourcePart) -> str:
    return ", ".join(part for part in (source.title, source.jurisdiction, source.published) if part)
