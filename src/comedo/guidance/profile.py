"""Answers as codes: for each question, every coded answer that may be true.

One answer of a choice leaves one code; an unanswered question leaves all of them. A rule that reads "may be" therefore
takes the cautious side by itself, and fewer answers can only trigger more rules.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from comedo.guidance.answers import Answers, Treatment
from comedo.guidance.series import COURSE_WEEKS
from comedo.guidance.tables import Question

LONG_WEEKS = 24  # NICE NG198: beyond six months only exceptionally
_ANTIBIOTICS = ("topical_antibiotic", "oral_antibiotic")
_HARMFUL_IN_PREGNANCY = ("topical_retinoid", "isotretinoin", "spironolactone", "oral_antibiotic")


@dataclass(frozen=True)
class Profile:
    """What may be true of a person, by question."""

    possible: Mapping[str, frozenset[str]]
    answered: frozenset[str]

    def may(self, question: str, codes: frozenset[str]) -> bool:
        """Whether one of these answers may be true."""
        return not self.possible[question].isdisjoint(codes)

    def is_known(self, question: str, codes: frozenset[str]) -> bool:
        """Whether one of these answers was given."""
        return question in self.answered and self.may(question, codes)


def to_profile(answers: Answers, questions: Sequence[Question]) -> Profile:
    """The coded form of answers."""
    possible = {q.id: _codes(answers, q) if answers.answered(q.id) else frozenset(q.codes) for q in questions}
    return Profile(possible, frozenset(q.id for q in questions if answers.answered(q.id)))


def _codes(answers: Answers, question: Question) -> frozenset[str]:
    if question.kind == "number":
        assert answers.age is not None
        return frozenset(code for code, (low, high) in question.bands.items() if low <= answers.age <= high)
    if question.kind == "treatments":
        assert answers.treatments is not None
        return treatment_codes(answers.treatments)
    return answers.choices[question.id]


def treatment_codes(entries: Sequence[Treatment]) -> frozenset[str]:
    """What matters of the treatments: not said counts as now, as long, and as did not help."""
    now = {t.what for t in entries if t.now is not False}
    antibiotics = [t for t in entries if t.what in _ANTIBIOTICS]
    failed = [t for t in entries if weeks_of(t) >= COURSE_WEEKS and t.helped in (None, "no")]
    facts = {
        "topical_antibiotic_now": "topical_antibiotic" in now,
        "oral_antibiotic_now": "oral_antibiotic" in now,
        "isotretinoin_now": "isotretinoin" in now,
        "harmful_in_pregnancy_now": bool(now.intersection(_HARMFUL_IN_PREGNANCY)),
        "antibiotic_course_over": any(t.now is not False and weeks_of(t) >= COURSE_WEEKS for t in antibiotics),
        "antibiotics_six_months": sum(map(weeks_of, antibiotics)) >= LONG_WEEKS,
        "oral_antibiotic_failed": any(t.what == "oral_antibiotic" for t in failed),
        "two_courses_failed": len(failed) >= 2,
    }
    return frozenset(code for code, holds in facts.items() if holds)


def weeks_of(entry: Treatment) -> int:
    """How long it was used, a long time where that was not said."""
    return LONG_WEEKS if entry.weeks is None else entry.weeks
