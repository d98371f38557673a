"""What one note says of the course of acne: a sum over the phrases that say something, each kept for the reader."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from comedo.training.notes.lexicon import Lexicon, Term, terms_of

CLEAR_CUT = 1 / 3  # of the score: beyond it a course is told, within it the sides are too even
LEAST_WEIGHT = 0.5  # of all phrases together: one that is hedged suffices
_REACH = 4  # terms between a negation, or an amount, and what it belongs to
_HEDGED, _STRONG, _AFTER_BUT, _ALTHOUGH = 0.5, 1.5, 1.5, 0.5
_ENDS = re.compile(r"[.;:!?\n,]+(?!\d)")  # a decimal point ends nothing
_NUMBERS = re.compile(r"(\d+)\s*(?:->|→|to)\s*(\d+)(?!\s*(?:mg|%|weeks|months|days))")


class Course(StrEnum):
    """The label of a note."""

    IMPROVED = "improved"
    SAME = "same"
    WORSE = "worse"
    UNCLEAR = "unclear"


@dataclass(frozen=True)
class Word:
    """A phrase that decided: as it stands in the note, what it was taken for, how heavy it is."""

    text: str
    course: Course
    weight: float

    def __str__(self) -> str:
        return f"{self.text}: {self.course} {self.weight:g}"


@dataclass(frozen=True)
class Reading:
    """The course that a note tells; `score` from -1 (worse) to 1 (improved), None where it says nothing."""

    course: Course
    score: float | None
    words: tuple[Word, ...]


_OPPOSITE = {Course.IMPROVED: Course.WORSE, Course.WORSE: Course.IMPROVED, Course.SAME: Course.SAME}
_TELLING = {"improved": Course.IMPROVED, "worse": Course.WORSE, "same": Course.SAME}
_AMOUNT = {"less": Course.IMPROVED, "more": Course.WORSE}


def read_note(note: str, lexicon: Lexicon) -> Reading:
    """Label one note."""
    words: list[Word] = []
    for clause, weight in _clauses(note, lexicon):
        words += [Word(w.text, w.course, w.weight * weight) for w in read_clause(clause, lexicon)]
    return judge(words)


def judge(words: Sequence[Word]) -> Reading:
    """The course of all phrases together: the difference of both sides over everything said."""
    mass = {course: sum(w.weight for w in words if w.course is course) for course in Course}
    total = sum(mass.values())
    if total < LEAST_WEIGHT:
        return Reading(Course.UNCLEAR, None, tuple(words))
    score = (mass[Course.IMPROVED] - mass[Course.WORSE]) / total
    if abs(score) >= CLEAR_CUT:
        course = Course.IMPROVED if score > 0 else Course.WORSE
    else:
        both = min(mass[Course.IMPROVED], mass[Course.WORSE])
        course = Course.SAME if mass[Course.SAME] >= both else Course.UNCLEAR
    return Reading(course, round(score, 4), tuple(words))


def _clauses(note: str, lexicon: Lexicon) -> list[tuple[str, float]]:
    """Clauses with their weight: what comes after "but" counts more than what was granted before."""
    contrast = re.compile(rf"\b(?=(?:{'|'.join(map(re.escape, lexicon.but + lexicon.although))})\b)", re.I)
    clauses: list[tuple[str, float]] = []
    for part in (piece for end in _ENDS.split(note) for piece in contrast.split(end)):
        first = part.split()[0].lower() if part.split() else ""
        weight = _AFTER_BUT if first in lexicon.but else _ALTHOUGH if first in lexicon.although else 1.0
        if part.strip():
            clauses.append((part, weight))
    return clauses


def read_clause(clause: str, lexicon: Lexicon) -> list[Word]:
    """The phrases of one clause that tell a course."""
    terms = _happened(terms_of(clause, lexicon))
    meant = {meaning for term in terms for meaning in term.meanings}
    about_acne = "lesion" in meant or "side_effect" not in meant
    if not about_acne or ("elsewhere" in meant and "face" not in meant):
        return []
    words = [word for at in range(len(terms)) if (word := _word(terms, at)) is not None]
    numbers = _NUMBERS.search(clause.lower())
    if numbers and "lesion" in meant and "treatment" not in meant and not words:
        before, after = int(numbers[1]), int(numbers[2])
        course = Course.SAME if before == after else Course.IMPROVED if after < before else Course.WORSE
        words.append(Word(numbers.group(), course, 1.0))
    return words


def _happened(terms: Sequence[Term]) -> list[Term]:
    """Terms without what is feared, hoped for, planned, or long past."""
    kept, left_out = [], False
    for term in terms:
        if term.meanings & {"unreal", "past"}:
            left_out = True
        elif "present" in term.meanings:
            left_out = False
        if not left_out:
            kept.append(term)
    return kept


def _word(terms: Sequence[Term], at: int) -> Word | None:
    course = _course(terms, at)
    if course is None:
        return None
    before = terms[max(0, at - _REACH) : at]
    # A negation belongs to the nearest phrase behind it: in "not better, more papules" only to the first.
    last = max((i for i, t in enumerate(before) if t.meanings & _TELLING.keys()), default=-1)
    near = before[last + 1 :]
    said = {meaning for term in near for meaning in term.meanings}
    weight = (_HEDGED if "hedge" in said else 1.0) * (_STRONG if "strong" in said else 1.0)
    turned = [t for t in near if t.meanings & {"negation", "no_longer"}]
    if turned:  # "no improvement" and "not worse" are both the same as before; "no longer flaring" is better
        course = _OPPOSITE[course] if "no_longer" in turned[-1].meanings else _denied(course)
    text = " ".join(term.text for term in [*turned, terms[at]])
    return Word(text, course, weight)


def _denied(course: Course) -> Course:
    return Course.WORSE if course is Course.SAME else Course.SAME


def _course(terms: Sequence[Term], at: int) -> Course | None:
    meanings = terms[at].meanings
    told = next((course for meaning, course in _TELLING.items() if meaning in meanings), None)
    if told is not None:
        return told
    amount = next((course for meaning, course in _AMOUNT.items() if meaning in meanings), None)
    return amount if amount is not None and _beside_lesion(terms, at) else None


def _beside_lesion(terms: Sequence[Term], at: int) -> bool:
    """Whether a lesion is named within reach, with no word of treatment before it."""
    for side in (terms[at + 1 : at + 1 + _REACH], terms[max(0, at - _REACH) : at][::-1]):
        for term in side:
            if "treatment" in term.meanings:
                break
            if "lesion" in term.meanings:
                return True
    return False
