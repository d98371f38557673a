"""The texts of one language. Another language is one more file beside en.yaml with the same keys."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from string import Formatter

from pydantic import BaseModel, ConfigDict

from comedo.guidance.advice import Access, Group, Provenance, Section, Urgency
from comedo.guidance.series import CODES
from comedo.guidance.tables import Part, Tables

Texts = dict[str, str]

# Texts of the frame, with the names that each may hold in braces.
FRAME: Mapping[str, frozenset[str]] = {
    "title": frozenset(),
    "photo": frozenset({"photo"}),
    "claims": frozenset(),
    "not_reviewed": frozenset(),
    "reviewed": frozenset(),
    "sources": frozenset(),
    "read_on": frozenset({"date"}),
    "no_address": frozenset(),
    "undated": frozenset(),
    "nothing_listed": frozenset(),
    "why": frozenset(),
    "group_measured": frozenset({"group", "nice", "iga"}),
    "group_widened": frozenset({"estimate", "group"}),
    "group_reviewed": frozenset({"name"}),
    "group_poor": frozenset(),
    "group_unknown": frozenset(),
    "unknown": frozenset(),
    "lists": frozenset({"guideline", "strength"}),
    "our_groups": frozenset(),
    "names_class": frozenset({"guideline"}),
    "course": frozenset({"weeks"}),
    "course_of": frozenset({"weeks", "guideline"}),
    "withheld": frozenset({"names"}),
    "everything": frozenset(),
    "because_answer": frozenset({"question", "answers"}),
    "because_unanswered": frozenset({"question"}),
    "because_photo": frozenset({"group"}),
    "because_series": frozenset({"first", "last"}),
    "because_series_undated": frozenset(),
    "because_start": frozenset({"date"}),
    "for_everyone": frozenset(),
    "for_listed": frozenset(),
    "two_guidelines": frozenset(),
    "always_asked": frozenset(),
    "unanswered": frozenset({"question"}),
    "unanswered_why": frozenset(),
    "review_from_today": frozenset({"date"}),
    "review_running": frozenset({"date"}),
    "review_due": frozenset({"date"}),
    "review_marked": frozenset({"start", "date"}),
    "review_marked_due": frozenset({"start"}),
    "ask_intro": frozenset(),
    "ask_choice": frozenset(),
    "ask_choices": frozenset(),
    "ask_number": frozenset(),
    "ask_treatments": frozenset(),
    "ask_weeks": frozenset({"what"}),
    "ask_now": frozenset({"what"}),
    "ask_helped": frozenset({"what"}),
    "ask_more": frozenset(),
    "ask_again": frozenset(),
    "none_of_these": frozenset(),
    "yes": frozenset(),
    "no": frozenset(),
    "partly": frozenset(),
}


class Catalogue(BaseModel):
    """Every text of a language, by key."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    language: str
    name: str
    decimal: str
    percent: str  # how a concentration is written, "{number}%"
    date: str  # for strftime
    join: Texts  # and, or, with, to
    frame: Texts
    sections: Texts
    groups: Texts
    nice: Texts
    urgency: Texts
    access: Texts
    provenance: Texts
    guidelines: Texts
    strengths: Texts
    forms: Texts
    ingredients: Texts
    questions: Texts
    answers: dict[str, Texts]
    products: Texts
    principles: Texts
    restrictions: Texts
    series: Texts
    lines: Texts

    def say(self, key: str, **values: object) -> str:
        """A text of the frame with its values filled in."""
        return self.frame[key].format(**values)

    def one_of(self, names: Sequence[str], word: str = "or") -> str:
        """Names in a row: "a, b or c"."""
        if len(names) < 2:
            return "".join(names)
        return f"{', '.join(names[:-1])} {self.join[word]} {names[-1]}"

    def day(self, day: dt.date) -> str:
        """A date as the language writes it."""
        return day.strftime(self.date)

    def pct(self, number: float) -> str:
        """A concentration."""
        return self.percent.format(number=f"{number:g}".replace(".", self.decimal))

    def part(self, part: Part, left: Sequence[str]) -> str:
        """A part of a regimen by the ingredients that are left of it."""
        text = self.one_of([self.ingredients[i] for i in left])
        if part.pct_range is not None:
            return f"{text} {self.pct(part.pct_range[0])} {self.join['to']} {self.pct(part.pct_range[1])}"
        return f"{text} {self.one_of([self.pct(p) for p in part.pct])}".strip()

    def regimen(self, form: str, parts: Sequence[str]) -> str:
        """A regimen by its form and the texts of its parts; the last part of a mixed form is the oral one."""
        *first, last = parts
        texts = {"parts": f" {self.join['with']} ".join(parts), "first": f" {self.join['with']} ".join(first)}
        return self.forms[form].format(**texts, last=last)


def check_catalogue(catalogue: Catalogue, tables: Tables) -> None:
    """Hold a catalogue to the tables.

    Raises:
        ValueError: A text is absent or unknown, or holds a name in braces that is not filled in.
    """
    for group, known in _keys(tables).items():
        _same_keys(group, getattr(catalogue, group), known)
    for question in tables.questions:
        _same_keys(f"answers.{question.id}", catalogue.answers.get(question.id, {}), question.codes)
    for key, names in FRAME.items():
        _holds_only(f"frame.{key}", catalogue.frame[key], names)
    for key, text in catalogue.forms.items():
        _holds_only(f"forms.{key}", text, {"parts", "first", "last"})
    for key, text in catalogue.lines.items():
        _holds_only(f"lines.{key}", text, ())


def _keys(tables: Tables) -> dict[str, Iterable[str]]:
    p = tables.principles
    return {
        "frame": FRAME,
        "sections": [s.value for s in Section],
        "groups": [g.value for g in Group],
        "nice": ["none", "mild_to_moderate", "moderate_to_severe"],
        "urgency": [u.value for u in Urgency],
        "access": [a.name.lower() for a in Access if a is not Access.HIDDEN],
        "provenance": [p.value for p in Provenance],
        "guidelines": {name for r in tables.regimens for name in (r.guideline, r.course_of) if name is not None},
        "strengths": {r.strength for r in tables.regimens},
        "forms": {r.form for r in tables.regimens},
        "ingredients": tables.ingredients,
        "questions": [q.id for q in tables.questions],
        "answers": [q.id for q in tables.questions],
        "products": [code for q in tables.questions for code in q.products],
        "principles": [r.id for r in (*p.never_alone, *p.never_together, *p.limited)],
        "restrictions": [r.id for r in tables.restrictions],
        "series": CODES,
        "lines": [r.id for r in (*tables.flags, *tables.care)],
        "join": ["and", "or", "with", "to"],
    }


def _same_keys(group: str, texts: Mapping[str, object], known: Iterable[str]) -> None:
    absent, unknown = sorted(set(known) - set(texts)), sorted(set(texts) - set(known))
    if absent or unknown:
        lacks = f"lacks {', '.join(absent)}" if absent else f"has unknown {', '.join(unknown)}"
        raise ValueError(f"{group} {lacks}")


def _holds_only(key: str, text: str, names: Iterable[str]) -> None:
    found = {name for _, name, _, _ in Formatter().parse(text) if name is not None}
    if found - set(names):
        raise ValueError(f"{key} holds {', '.join(sorted(found - set(names)))} in braces, which nothing fills in")
