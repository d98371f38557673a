"""Grades after a reader's corrections: the reader's word goes before the arithmetic, and says so."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import shorten

from comedo.report.document import AcnePart, GradePart, GradesPart
from comedo.review.corrections import SCALES, Corrections, GradeCorrection, Value

Part = GradePart | AcnePart
_NAME, _REASON, _CUT = 60, 120, " …"  # characters that a grade repeats; the review has them whole
_OF_INTERVAL = ("group_low", "group_high")  # details of nice_group: comedo's interval of the count, as groups


def correct_grades(original: GradesPart, computed: GradesPart, corrections: Corrections) -> GradesPart:
    """What holds for every scale.

    Args:
        original: As comedo wrote them; "confirm" is about these.
        computed: From the lesions that stand.
        corrections: What the reader says of the scales.
    """
    said = {c.scale: c for c in corrections.grades}
    parts = {
        name: _told(getattr(original, name), part, said[name], corrections.reviewer) if name in said else part
        for name, part in ((name, getattr(computed, name)) for name in GradesPart.model_fields)
    }
    return GradesPart.model_validate(parts)


def without_interval(part: GradePart) -> GradePart:
    """The grade without what comedo's interval says: that is about comedo's errors, not a reader's."""
    return part.model_copy(update={"interval_90": None, "details": _of_reader(part.details)})


def _of_reader(details: Mapping[str, float | int | str | None]) -> dict[str, float | int | str | None]:
    return {name: value for name, value in details.items() if name not in _OF_INTERVAL}


def _told(original: Part | None, computed: Part | None, said: GradeCorrection, who: str) -> Part:
    value = said.value if said.action == "correct" else _value(original) if said.action == "confirm" else None
    done = {"confirm": "confirmed", "correct": "set", "reject": "rejected"}[said.action]
    because = f": {shorten(said.why, _REASON, placeholder=_CUT)}" if said.why else ""
    arithmetic = computed.why if computed is not None else "not assessed"
    why = f"{done} by {shorten(who, _NAME, placeholder=_CUT)}{because}; comedo's arithmetic: {arithmetic}"
    source = "the reader" if computed is None else computed.source
    details = {} if computed is None else _of_reader(computed.details)
    if said.scale == "acne":
        affected = None if value is None else bool(value)
        return AcnePart(probability=None, affected=affected, why=why, source=source, missing=(), details=details)
    return GradePart(
        value=value,
        level=None if value is None else SCALES[said.scale].level(value),
        interval_90=None,
        why=why,
        source=source,
        probability=None,
        maximum=computed.maximum if isinstance(computed, GradePart) else None,
        missing=(),
        details=details,
    )


def _value(part: Part | None) -> Value | None:
    if part is None:
        return None
    return part.affected if isinstance(part, AcnePart) else part.value
