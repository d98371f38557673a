"""When and how fast to see a clinician: what the photo and the answers raise, and what is always named."""

from __future__ import annotations

from comedo.guidance.advice import Line, Section, Urgency
from comedo.guidance.profile import Profile
from comedo.guidance.reasons import Reasons
from comedo.guidance.tables import Flag

_ALWAYS_NAMED = (Urgency.EMERGENCY, Urgency.SAME_DAY)
_ORDER = list(Urgency)


def raised(reasons: Reasons, series: frozenset[str] = frozenset()) -> list[Line]:
    """Flags that the photo, the answers or what the series says (as codes) raise, fastest first."""
    found = [
        f
        for f in reasons.tables.flags
        if _of_group(f, reasons) and is_raised(f, reasons.profile) and (not f.series or f.series & series)
    ]
    return [_line(f, Section.URGENT, reasons.of_flag(f), reasons) for f in _by_urgency(found)]


def open_flags(reasons: Reasons) -> list[Line]:
    """Flags that an unanswered question leaves open, and the emergencies that are named whatever was answered."""
    lines = []
    for flag in _by_urgency([f for f in reasons.tables.flags if f.when]):
        if is_raised(flag, reasons.profile):
            continue
        if _may_be(flag, reasons.profile):
            lines.append(_line(flag, Section.IF_ANY, reasons.of_answers(flag.when), reasons))
        elif flag.level in _ALWAYS_NAMED:
            lines.append(_line(flag, Section.IF_ANY, reasons.words.say("always_asked"), reasons))
    return lines


def is_raised(flag: Flag, profile: Profile) -> bool:
    """Whether every answer that a flag reads was given."""
    if not all(profile.is_known(question, codes) for question, codes in flag.when.items()):
        return False
    return not flag.all_answers or all(codes <= profile.possible[q] for q, codes in flag.when.items())


def _may_be(flag: Flag, profile: Profile) -> bool:
    if flag.all_answers:
        return all(codes <= profile.possible[q] for q, codes in flag.when.items())
    return all(profile.may(question, codes) for question, codes in flag.when.items())


def _of_group(flag: Flag, reasons: Reasons) -> bool:
    return not flag.groups or reasons.group in flag.groups


def _by_urgency(flags: list[Flag]) -> list[Flag]:
    return sorted(flags, key=lambda flag: _ORDER.index(flag.level))


def _line(flag: Flag, section: Section, why: str, reasons: Reasons) -> Line:
    text = reasons.words.lines[flag.id]
    return Line(flag.id, section, text, why, flag.provenance, flag.sources, urgency=flag.level)
