"""The questionnaire and the guidance that its answers give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from comedo.guidance.advice import Section
from comedo.guidance.answers import Answers
from comedo.guidance.catalogue import Catalogue
from comedo.guidance.tables import Question
from comedo.report.advice_document import AdviceDocument, LinePart, SourcePart
from comedo.service.pages.words import Words

NONE = "-none"  # the box "none of these": an answer, unlike an empty list
_FOLDED = (Section.WITHHELD, Section.UNANSWERED, Section.NOTICES)
_TONES = {"emergency": "poor", "same_day": "poor", "urgent": "fair", "soon": "same"}


@dataclass(frozen=True)
class Option:
    """One answer to tick; the rest only for treatments in use."""

    code: str
    text: str
    chosen: bool
    weeks: str = ""
    now: bool = False
    helped: str = ""


@dataclass(frozen=True)
class QuestionView:
    """One question as a form shows it."""

    id: str
    kind: str
    text: str
    value: str
    options: tuple[Option, ...]
    none: bool


@dataclass(frozen=True)
class Tag:
    """A chip at a line."""

    tone: str
    text: str


@dataclass(frozen=True)
class SourceRef:
    """A source by its number on the page."""

    id: str
    n: int


@dataclass(frozen=True)
class LineView:
    """One piece of information."""

    text: str
    why: str
    provenance: str
    tags: tuple[Tag, ...]
    sources: tuple[SourceRef, ...]


@dataclass(frozen=True)
class SectionView:
    """Lines under a heading."""

    id: str
    title: str
    warm: bool
    folded: bool
    lines: tuple[LineView, ...]
    more: tuple[LineView, ...] = ()  # behind a fold of their own: what can wait for an appointment


@dataclass(frozen=True)
class SourceView:
    """One document."""

    id: str
    n: int
    title: str
    text: str
    url: str | None


@dataclass(frozen=True)
class GuidanceView:
    """Everything on the page."""

    group_why: str
    claims: str
    small_print: tuple[str, ...]
    sections: tuple[SectionView, ...]
    sources: tuple[SourceView, ...]


def view_questions(
    questions: Sequence[Question], answers: Answers | None, catalogue: Catalogue
) -> tuple[QuestionView, ...]:
    """The form, filled with what was answered before."""
    given = answers or Answers()
    return tuple(_question(question, given, catalogue) for question in questions)


def _question(question: Question, given: Answers, catalogue: Catalogue) -> QuestionView:
    text = catalogue.questions[question.id]
    if question.kind == "number":
        return QuestionView(question.id, question.kind, text, "" if given.age is None else str(given.age), (), False)
    if question.kind == "treatments":
        entries = {t.what: t for t in given.treatments or ()}
        options = tuple(
            Option(
                code,
                catalogue.products[code],
                code in entries,
                "" if code not in entries or entries[code].weeks is None else str(entries[code].weeks),
                code in entries and entries[code].now is True,
                (entries[code].helped or "") if code in entries else "",
            )
            for code in question.products
        )
        return QuestionView(question.id, question.kind, text, "", options, given.treatments == ())
    chosen = given.choices.get(question.id)
    options = tuple(
        Option(code, catalogue.answers[question.id][code], chosen is not None and code in chosen)
        for code in question.answers
    )
    return QuestionView(question.id, question.kind, text, "", options, chosen == frozenset())


def read_form(form: Mapping[str, Sequence[str]], questions: Sequence[Question]) -> dict[str, object]:
    """Plain answers from the fields of the form; what was left empty is left out."""
    found = {question.id: _value(form, question) for question in questions}
    return {name: value for name, value in found.items() if value is not None}


def _value(form: Mapping[str, Sequence[str]], question: Question) -> object:
    values = [v for v in form.get(question.id, ()) if v]
    if not values:
        return None
    if question.kind == "number":
        return int(values[0]) if values[0].isdigit() else values[0]
    if question.kind == "choice":
        return values[0]
    several = [v for v in values if v != NONE]
    return [_entry(form, code) for code in several] if question.kind == "treatments" else several


def _entry(form: Mapping[str, Sequence[str]], code: str) -> dict[str, object]:
    weeks, now, helped = (next(iter(form.get(f"{name}.{code}", ())), "") for name in ("weeks", "now", "helped"))
    entry: dict[str, object] = {"what": code}
    if weeks:
        entry["weeks"] = int(weeks) if weeks.isdigit() else weeks
    if now or weeks or helped:
        entry["now"] = "yes" if now else "no"
    return entry | ({"helped": helped} if helped else {})


def view_guidance(advice: AdviceDocument, catalogue: Catalogue, words: Words) -> GuidanceView:
    """The page of an advice, in the language of its catalogue."""
    numbers = {name: n for n, name in enumerate(advice.sources, 1)}
    sections = []
    for section in Section:
        here = [line for line in advice.lines if line.section is section]
        if here:
            sections.append(_section(section, here, numbers, catalogue))
    reviewed = "reviewed" if advice.reviewed_by_clinician else "not_reviewed"
    review_on = () if advice.review_on is None else (words.say("guidance.review_on", day=words.day(advice.review_on)),)
    return GuidanceView(
        group_why=advice.group_why,
        claims=catalogue.say("claims"),
        small_print=(catalogue.say(reviewed), *review_on),
        sections=tuple(sections),
        sources=tuple(_source(name, numbers[name], source, catalogue) for name, source in advice.sources.items()),
    )


def _section(
    section: Section, here: Sequence[LinePart], numbers: Mapping[str, int], catalogue: Catalogue
) -> SectionView:
    """What cannot wait is shown first; reasons for an appointment, a dozen of them, are behind a fold."""
    waits = [section is Section.IF_ANY and line.urgency == "soon" for line in here]
    views = [_line(line, numbers, catalogue) for line in here]
    return SectionView(
        id=str(section),
        title=catalogue.sections[section],
        warm=section is Section.URGENT,
        folded=section in _FOLDED,
        lines=tuple(view for view, can_wait in zip(views, waits, strict=True) if not can_wait),
        more=tuple(view for view, can_wait in zip(views, waits, strict=True) if can_wait),
    )


def _line(line: LinePart, numbers: Mapping[str, int], catalogue: Catalogue) -> LineView:
    tags = []
    if line.urgency is not None:
        tags.append(Tag(_TONES[line.urgency], catalogue.urgency[line.urgency]))
    if line.guideline is not None:
        tags.append(Tag("plain", catalogue.guidelines[line.guideline]))
    if line.access == "clinician":
        tags.append(Tag("fair", catalogue.access["clinician"]))
    return LineView(
        text=line.text,
        why=line.why,
        provenance=catalogue.provenance[line.provenance],
        tags=tuple(tags),
        sources=tuple(SourceRef(name, numbers[name]) for name in line.sources),
    )


def _source(name: str, n: int, source: SourcePart, catalogue: Catalogue) -> SourceView:
    known = (source.jurisdiction, source.published or catalogue.say("undated"), catalogue.provenance[source.provenance])
    return SourceView(name, n, source.title, " · ".join(part for part in known if part), source.url)
