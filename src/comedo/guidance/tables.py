"""The guideline tables as checked values, and what a table must obey to be loaded.

The tables lie in `tables/*.yaml`. One that could list something forbidden is refused here, before any answer is read:
regimens are held to the principles, restrictions must grow with caution, and no line may claim more than its sources.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from comedo.guidance.advice import Access, Group, Provenance, Section, Urgency
from comedo.guidance.series import CODES

ALL = "all"
Ids = tuple[str, ...]
Percent = Annotated[float, Field(gt=0, le=100)]
_RANK = {Provenance.UNVERIFIED: 0, Provenance.PROJECT: 1, Provenance.SECONDARY: 2, Provenance.READ: 3}


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SourceRow(_Row):
    """One document."""

    provenance: Provenance
    published: str | None
    jurisdiction: str
    title: str
    url: str | None


class Sourced(_Row):
    """A row that becomes a line."""

    id: str
    provenance: Provenance
    sources: Annotated[Ids, Field(min_length=1)]


class Question(_Row):
    """What is asked; `answers` are the codes of its answers."""

    id: str
    kind: Literal["number", "choice", "choices", "treatments"]
    answers: Ids = ()
    bands: dict[str, tuple[int, int]] = {}  # number: years, both ends included
    products: Ids = ()  # treatments: what an entry may name
    cautious_over: dict[str, Ids] = {}
    cautious: str | None = None

    @property
    def codes(self) -> Ids:
        """Every coded answer."""
        return self.answers or tuple(self.bands)

    def more_cautious(self, code: str) -> frozenset[str]:
        """The answers that are more cautious than one, at any distance."""
        above = {upper for upper, lower in self.cautious_over.items() if code in lower}
        return frozenset(above).union(*(self.more_cautious(upper) for upper in above))


class Ingredient(_Row):
    """What it is, and how freely it may be named at best."""

    cls: str = Field(alias="class")
    access: Literal["open", "clinician"]
    sources: Ids = ()  # of its being sold without prescription

    @model_validator(mode="after")
    def _open_needs_a_source(self) -> Self:
        if self.access == "open" and not self.sources:
            raise ValueError("an ingredient with open access names a source for it")
        return self

    @property
    def base(self) -> Access:
        """Its access before any restriction."""
        return Access[self.access.upper()]


class Part(_Row):
    """One part of a regimen: any of these ingredients fills it."""

    any_of: Annotated[Ids, Field(min_length=1)]
    pct: tuple[Percent, ...] = ()
    pct_range: tuple[Percent, Percent] | None = None


class Regimen(Sourced):
    """A whole treatment as a guideline lists it; it is shown whole or not at all."""

    guideline: str
    groups: Annotated[tuple[Group, ...], Field(min_length=1)]
    groups_provenance: Provenance | None = None
    form: str
    parts: Annotated[tuple[Part, ...], Field(min_length=1)]
    names_class: bool = False
    strength: str
    course_weeks: int | None = None
    course_of: str | None = None  # the guideline whose course it is; None: its own


class NeverAlone(Sourced):
    """Classes that need a partner in the same regimen."""

    classes: Ids
    partners: Ids


class NeverTogether(Sourced):
    """Classes of which no regimen holds one of each."""

    first: Ids
    second: Ids


class Limited(Sourced):
    """Classes whose regimens state a course no longer than this."""

    classes: Ids
    weeks: int


class Principles(_Row):
    """What no regimen may break."""

    never_alone: tuple[NeverAlone, ...]
    never_together: tuple[NeverTogether, ...]
    limited: tuple[Limited, ...]

    def broken_by(self, regimen: Regimen, classes: Sequence[str]) -> list[str]:
        """Ids of the principles that a regimen of parts of these classes breaks."""
        held = set(classes)
        weeks = regimen.course_weeks
        return [
            *(p.id for p in self.never_alone if held & set(p.classes) and not held & set(p.partners)),
            *(p.id for p in self.never_together if held & set(p.first) and held & set(p.second)),
            *(p.id for p in self.limited if held & set(p.classes) and (weeks is None or weeks > p.weeks)),
        ]


class Restriction(Sourced):
    """One row of the filter; see `tables/restrictions.yaml`."""

    question: str
    answers: Annotated[frozenset[str], Field(min_length=1)]
    hide: Ids = ()
    clinician: Ids = ()
    spare: Ids = ()


class Flag(Sourced):
    """When to see a clinician."""

    level: Urgency
    when: dict[str, frozenset[str]] = {}
    all_answers: bool = False
    groups: tuple[Group, ...] = ()
    series: frozenset[str] = frozenset()


class CareRow(Sourced):
    """A line of skin care, of caution, of what to expect, or of a difference."""

    section: Section
    groups: tuple[Group, ...] = ()
    when: dict[str, frozenset[str]] = {}
    unless: dict[str, frozenset[str]] = {}
    series: frozenset[str] = frozenset()
    mentions: Ids = ()
    needs: Ids = ()


class Tables(_Row):
    """All tables, checked against each other."""

    read_on: date
    reviewed_by_clinician: bool
    sources: dict[str, SourceRow]
    questions: tuple[Question, ...]
    principles: Principles
    ingredients: dict[str, Ingredient]
    regimens: tuple[Regimen, ...]
    restrictions: tuple[Restriction, ...]
    flags: tuple[Flag, ...]
    care: tuple[CareRow, ...]

    @property
    def question(self) -> Mapping[str, Question]:
        """Questions by id."""
        return {q.id: q for q in self.questions}

    def rows(self) -> tuple[Sourced, ...]:
        """Every row that carries a source."""
        p = self.principles
        rules: tuple[Sourced, ...] = (*p.never_alone, *p.never_together, *p.limited)
        return (*rules, *self.regimens, *self.restrictions, *self.flags, *self.care)

    def members(self, targets: Sequence[str]) -> frozenset[str]:
        """The ingredients that targets mean: their own ids, those of their classes, or all."""
        return frozenset(i for i, it in self.ingredients.items() if {i, it.cls, ALL} & set(targets))

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Self:
        ids = [row.id for row in self.rows()]
        twice = sorted({i for i in ids if ids.count(i) > 1})
        _refuse_if(twice, "ids used twice")
        return self

    @model_validator(mode="after")
    def _sources_carry_the_claims(self) -> Self:
        for name, it in self.ingredients.items():
            _refuse_if(set(it.sources) - set(self.sources), f"{name} names sources that are not listed")
        for row in self.rows():
            _refuse_if([s for s in row.sources if s not in self.sources], f"{row.id} names sources that are not listed")
            best = max(_RANK[self.sources[s].provenance] for s in row.sources)
            _refuse_if(
                [row.provenance] if _RANK[row.provenance] > best else [], f"{row.id} claims more than its sources"
            )
        return self

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        classes = {it.cls for it in self.ingredients.values()}
        targets = {*self.ingredients, *classes, ALL}
        for rule in self.restrictions:
            _refuse_if({*rule.hide, *rule.clinician, *rule.spare} - targets, f"{rule.id} targets what is not listed")
            self._check_when(rule.id, {rule.question: rule.answers})
        for flag in self.flags:
            self._check_when(flag.id, flag.when)
            _refuse_if(flag.series - set(CODES), f"{flag.id} reads unknown codes of a series")
        for care in self.care:
            self._check_when(care.id, care.when)
            self._check_when(care.id, care.unless)
            _refuse_if(care.series - set(CODES), f"{care.id} reads unknown codes of a series")
            _refuse_if({*care.mentions} - set(self.ingredients), f"{care.id} mentions what is not listed")
            _refuse_if({*care.needs} - targets, f"{care.id} needs what is not listed")
        for p in self.principles.never_alone:
            _refuse_if({*p.classes, *p.partners} - classes, f"{p.id} names no class")
        return self

    def _check_when(self, row: str, when: Mapping[str, frozenset[str]]) -> None:
        for question, answers in when.items():
            known = self.question.get(question)
            _refuse_if(answers - set(known.codes if known else ()), f"{row} reads unknown answers of {question}")

    @model_validator(mode="after")
    def _caution_never_loosens(self) -> Self:
        """A restriction that an answer triggers is triggered by every more cautious answer too."""
        for rule in self.restrictions:
            question = self.question[rule.question]
            above = frozenset[str]().union(*(question.more_cautious(a) for a in rule.answers))
            _refuse_if(above - rule.answers, f"{rule.id} would loosen with the more cautious answers")
        return self

    @model_validator(mode="after")
    def _regimens_obey(self) -> Self:
        for regimen in self.regimens:
            classes = []
            for part in regimen.parts:
                _refuse_if(set(part.any_of) - set(self.ingredients), f"{regimen.id} names ingredients not listed")
                held = {self.ingredients[i].cls for i in part.any_of}
                _refuse_if(held if len(held) > 1 else (), f"{regimen.id}: alternatives of a part must share a class")
                classes += sorted(held)
            _refuse_if(self.principles.broken_by(regimen, classes), f"{regimen.id} breaks the principles")
            borrowed = regimen.course_of is not None and regimen.course_weeks is None
            _refuse_if({regimen.id} if borrowed else (), "a course of another guideline needs its weeks")
        return self


def _refuse_if(wrong: Sequence[str] | set[str] | frozenset[str], rule: str) -> None:
    if wrong:
        raise ValueError(f"{rule}: {', '.join(sorted(map(str, wrong)))}")
