"""Answers and findings for the guidance tests."""

from __future__ import annotations

from datetime import date
from typing import Any

from comedo.guidance.advice import Advice, Group
from comedo.guidance.answers import Answers, check_answers
from comedo.guidance.engine import Case, make_advice, make_case
from comedo.guidance.findings import Findings
from comedo.guidance.load import load_catalogue, load_tables
from comedo.guidance.profile import Profile, to_profile

TABLES = load_tables()
QUESTIONS = TABLES.question
TODAY = date(2026, 11, 21)
# Nothing stands against anything: the fewest restrictions that any person can have.
HARMLESS: dict[str, Any] = {
    "age": 25,
    "sex": "female",
    "pregnancy": "not_possible",
    "breast_feeding": "no",
    "allergies": [],
    "conditions": [],
    "treatments": [],
    "skin_type": "oily",
    "sun": "sometimes_burns",
    "distress": "none",
    "scars": [],
    "red_flags": [],
}


def make_answers(**changes: Any) -> Answers:
    """Harmless answers but for the changes; None leaves a question out."""
    return check_answers({**HARMLESS, **changes}, TABLES.questions)


def make_findings(group: Group = Group.MODERATE) -> Findings:
    """A photo of a group."""
    return Findings("drawn.png", "ab" * 32, group, group, "mild_to_moderate", 2)


def advice_for(group: Group = Group.MODERATE, language: str = "en", **changes: Any) -> Advice:
    """Advice on a photo of a group for harmless answers but for the changes."""
    return make_advice(make_findings(group), make_answers(**changes), language=language, today=TODAY)


def case_for(profile: Profile, group: Group = Group.MODERATE) -> Case:
    """What the filter leaves."""
    return make_case(TABLES, load_catalogue("en"), profile, group)


def profile_of(**changes: Any) -> Profile:
    """The coded form of harmless answers but for the changes."""
    return to_profile(make_answers(**changes), TABLES.questions)


def with_codes(**codes: frozenset[str]) -> Profile:
    """Harmless codes but for those given; every code of a question means unanswered."""
    profile = profile_of()
    answered = profile.answered - {q for q, chosen in codes.items() if chosen == frozenset(QUESTIONS[q].codes)}
    return Profile({**profile.possible, **codes}, answered)
