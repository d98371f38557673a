"""The rules engine: findings and answers in, sourced lines out. The same input gives the same advice."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from types import MappingProxyType

from comedo.guidance import flag_lines, treatment_lines
from comedo.guidance.advice import Advice, Group, Line, Provenance, Section, Source
from comedo.guidance.answers import Answers, plain_answers
from comedo.guidance.catalogue import Catalogue
from comedo.guidance.filter import Judged, Verdict, fired, judge_ingredients, judge_regimen
from comedo.guidance.findings import Findings
from comedo.guidance.load import load_catalogue, load_tables
from comedo.guidance.profile import Profile, to_profile
from comedo.guidance.reasons import Reasons
from comedo.guidance.review import Review, find_review
from comedo.guidance.series import Series
from comedo.guidance.tables import CareRow, Restriction, Tables

PROJECT = ("comedo",)  # the source of what is our own convention


@dataclass(frozen=True)
class Case:
    """One person and one photo, after the filter: what the lines are made from."""

    tables: Tables
    words: Catalogue
    profile: Profile
    group: Group
    restrictions: tuple[Restriction, ...]
    verdicts: dict[str, Verdict]
    judged: tuple[Judged, ...]  # the regimens of the group
    series: Series | None = None
    series_codes: frozenset[str] = frozenset()

    @cached_property
    def listed(self) -> frozenset[str]:
        """Ingredients of the regimens that are shown."""
        return frozenset(i for judged in self.judged for i in judged.ingredients)

    @cached_property
    def reasons(self) -> Reasons:
        """Words for why a line is there."""
        return Reasons(self.words, self.tables, self.profile, self.group, self.series)


def make_case(tables: Tables, words: Catalogue, profile: Profile, group: Group) -> Case:
    """Run the filter."""
    restrictions = fired(tables, profile)
    verdicts = dict(judge_ingredients(tables, restrictions))
    judged = tuple(judge_regimen(r, verdicts) for r in tables.regimens if group in r.groups)
    return Case(tables, words, profile, group, restrictions, verdicts, judged)


def make_advice(
    findings: Findings,
    answers: Answers,
    *,
    language: str = "en",
    today: date | None = None,
    series: Series | None = None,
) -> Advice:
    """Sourced information for findings and answers.

    Args:
        findings: The measured side.
        answers: What the person said; what is left out counts as the cautious answer.
        language: One of `load.languages()`.
        today: The day that the review date counts from; by default today.
        series: What the photos over time say. It adds lines and moves the review; the filter does not see it.

    Raises:
        UnusableInput: There is no catalogue of that language.
    """
    tables, words = load_tables(), load_catalogue(language)
    day = today or date.today()  # noqa: DTZ011 - the reader's own calendar
    profile = to_profile(answers, tables.questions)
    case = make_case(tables, words, profile, findings.group)
    if series is not None:
        case = replace(case, series=series, series_codes=series.codes(day))
    review = find_review(answers, findings.group, words, day, series)
    lines = [
        *flag_lines.raised(case.reasons, case.series_codes),
        *flag_lines.open_flags(case.reasons),
        *(treatment_lines.treatment(judged, words, case.reasons) for judged in case.judged if judged.listed),
        *(_care_line(row, case, review) for row in tables.care if _applies(row, case)),
        *treatment_lines.withheld(case.judged, case.restrictions, case.verdicts, case.reasons),
        *_unanswered_lines(case),
    ]
    order = list(Section)
    lines.sort(key=lambda line: order.index(line.section))
    return Advice(
        language=language,
        photo_name=findings.photo_name,
        photo_sha256=findings.photo_sha256,
        group=findings.group,
        group_why=_group_why(findings, words),
        lines=tuple(lines),
        sources=_sources(tables, lines),
        answers=MappingProxyType(plain_answers(answers, tables.questions)),
        unanswered=tuple(q.id for q in tables.questions if q.id not in profile.answered),
        made_on=day,
        review_on=None if review is None else review.on,
        reviewed_by_clinician=tables.reviewed_by_clinician,
        series=series,
        reader=findings.reader,
    )


def _applies(row: CareRow, case: Case) -> bool:
    """Whether a row of care.yaml is shown: its group, its answers, its series, and nothing that may not be named."""
    needed = case.tables.members(row.needs)
    return (
        (not row.groups or case.group in row.groups)
        and all(_holds(question, codes, case) for question, codes in row.when.items())
        and not any(case.profile.is_known(question, codes) for question, codes in row.unless.items())
        and (not row.series or not row.series.isdisjoint(case.series_codes))
        and case.listed.issuperset(row.mentions)
        and (not row.needs or not case.listed.isdisjoint(needed))
    )


def _holds(question: str, codes: frozenset[str], case: Case) -> bool:
    cautious = case.tables.question[question].cautious
    if cautious is not None and question not in case.profile.answered:
        return cautious in codes
    return case.profile.may(question, codes)


def _care_line(row: CareRow, case: Case, review: Review | None) -> Line:
    text = case.words.lines[row.id]
    if row.id == "E_review" and review is not None:
        text = f"{text} {review.text}"
    return Line(
        row.id,
        row.section,
        text,
        case.reasons.of_care(row),
        row.provenance,
        row.sources,
        ingredients=row.mentions,
    )


def _group_why(findings: Findings, words: Catalogue) -> str:
    selected = _selected(findings, words)
    return selected if findings.reader is None else f"{words.say('group_reviewed', name=findings.reader)} {selected}"


def _selected(findings: Findings, words: Catalogue) -> str:
    if findings.group is Group.NOT_ASSESSED:
        return words.say("group_poor" if findings.poor else "group_unknown")
    unknown = words.say("unknown")
    nice = unknown if findings.nice is None else words.nice.get(findings.nice, findings.nice)
    iga = unknown if findings.iga is None else str(findings.iga)
    measured = words.say("group_measured", group=words.groups[findings.estimate], nice=nice, iga=iga)
    if not findings.widened:
        return measured
    names = {"estimate": words.groups[findings.estimate], "group": words.groups[findings.group]}
    return f"{measured} {words.say('group_widened', **names)}"


def _unanswered_lines(case: Case) -> list[Line]:
    words = case.words
    return [
        Line(
            f"unanswered_{question.id}",
            Section.UNANSWERED,
            words.say("unanswered", question=words.questions[question.id]),
            words.say("unanswered_why"),
            Provenance.PROJECT,
            PROJECT,
        )
        for question in case.tables.questions
        if question.id not in case.profile.answered
    ]


def _sources(tables: Tables, lines: list[Line]) -> MappingProxyType[str, Source]:
    """The sources that the lines name, in the order of the table."""
    named = {source for line in lines for source in line.sources}
    return MappingProxyType(
        {
            i: Source(i, s.title, s.url, s.published, tables.read_on, s.jurisdiction, s.provenance)
            for i, s in tables.sources.items()
            if i in named
        }
    )
