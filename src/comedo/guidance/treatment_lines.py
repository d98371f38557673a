"""The lines of regimens: what is listed, in texts made of what the filter left, and what it took out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from comedo.guidance.advice import Access, Line, Provenance, Section
from comedo.guidance.catalogue import Catalogue
from comedo.guidance.filter import Judged, Verdict
from comedo.guidance.reasons import Reasons
from comedo.guidance.tables import Restriction, Tables


def treatment(judged: Judged, words: Catalogue, reasons: Reasons) -> Line:
    """The line of a listed regimen."""
    regimen = judged.regimen
    parts = [words.part(part, left) for part, left in zip(regimen.parts, judged.parts, strict=True)]
    return Line(
        regimen.id,
        Section.TREATMENTS,
        words.regimen(regimen.form, parts),
        _why(judged, words, reasons),
        regimen.provenance,
        _sources(judged, reasons.tables),
        guideline=regimen.guideline,
        strength=regimen.strength,
        access=judged.access,
        ingredients=judged.ingredients,
        restrictions=tuple(r.id for r in judged.because),
    )


def _why(judged: Judged, words: Catalogue, reasons: Reasons) -> str:
    regimen = judged.regimen
    guideline = words.guidelines[regimen.guideline]
    parts = [words.say("lists", guideline=guideline, strength=words.strengths[regimen.strength]), reasons.of_photo()]
    if regimen.groups_provenance is Provenance.PROJECT:
        parts.append(words.say("our_groups"))
    if regimen.names_class:
        parts.append(words.say("names_class", guideline=guideline))
    if regimen.course_of is not None:
        whose = words.guidelines[regimen.course_of]
        parts.append(words.say("course_of", weeks=regimen.course_weeks, guideline=whose))
    elif regimen.course_weeks is not None:
        parts.append(words.say("course", weeks=regimen.course_weeks))
    if judged.because:
        parts.append(reasons.of_restrictions(judged.because))
    return " ".join(parts)


def withheld(
    judged: Sequence[Judged],
    restrictions: Sequence[Restriction],
    verdicts: Mapping[str, Verdict],
    reasons: Reasons,
) -> list[Line]:
    """One line for each restriction that hides something which the group's regimens name."""
    in_group = {i for it in judged for part in it.regimen.parts for i in part.any_of}
    lines = []
    for rule in restrictions:
        hidden = [i for i, v in verdicts.items() if i in in_group and v.access is Access.HIDDEN and rule in v.because]
        if hidden:
            lines.append(_withheld_line(rule, hidden, reasons, everything=in_group.issubset(hidden)))
    return lines


def _withheld_line(rule: Restriction, hidden: Sequence[str], reasons: Reasons, *, everything: bool) -> Line:
    words = reasons.words
    several = everything and len(hidden) > 1
    names = words.say("everything") if several else words.one_of([words.ingredients[i] for i in hidden], "and")
    return Line(
        rule.id,
        Section.WITHHELD,
        words.say("withheld", names=names),
        reasons.of_restrictions([rule]),
        rule.provenance,
        rule.sources,
        access=Access.HIDDEN,
        ingredients=tuple(hidden),
        restrictions=(rule.id,),
    )


def _sources(judged: Judged, tables: Tables) -> tuple[str, ...]:
    """The regimen's own sources, those of the rules that limited it, and of being sold without prescription."""
    limits = [s for rule in judged.because for s in rule.sources]
    free = (
        [s for i in judged.ingredients for s in tables.ingredients[i].sources] if judged.access is Access.OPEN else []
    )
    return tuple(dict.fromkeys([*judged.regimen.sources, *limits, *free]))
