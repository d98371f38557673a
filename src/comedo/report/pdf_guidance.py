"""Guidance on the printed report: short enough for two pages, and never without what safety needs."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from comedo.report.extras import Guidance, Line, Section
from comedo.report.texts import Texts

if TYPE_CHECKING:
    from comedo.report.sheet import Sheet


@dataclass(frozen=True)
class Shape:
    """How guidance is set: type in points, and codes of sections that are left to the whole document."""

    size: float
    left_out: frozenset[str] = frozenset()


# What may be left out: no restriction, no reason to see a clinician, no caution, no treatment and no limit.
_FIRST, _ALL = frozenset({"differences"}), frozenset({"differences", "routine"})
# Tried from the first on until the report fits; the last is taken in any case.
SHAPES = (Shape(7.2), Shape(6.5), Shape(6.5, _FIRST), Shape(6.8, _ALL), Shape(6.4, _ALL), Shape(6.0, _ALL))
_URGENT = ("urgent", "if_any")
DENSE = 6.0  # points: from here down several sources share a line


def write_guidance(sheet: Sheet, guidance: Guidance, texts: Texts, size: float, *, reader: str | None = None) -> None:
    """Every section with its lines; numbers in brackets name the sources below.

    Where guidance goes by other numbers than the report, those of `reader`, it says so.
    """
    numbers = {name: n for n, (name, _) in enumerate(guidance.sources, 1)}
    sheet.heading(texts.say("guidance"), 10.5, level=2)
    sheet.paragraph(texts.say("read" if guidance.reviewed_by_clinician else "unread"), size, bold=True)
    if guidance.reader != reader:
        sheet.paragraph(texts.say("goes_by", name=guidance.reader or "comedo"), size, bold=True)
    for section in guidance.sections:
        sheet.heading(section.title, size + 0.8, level=3, keep=8)
        _write_lines(sheet, section, numbers, size)
    if guidance.left_out:
        sheet.paragraph(_left_out(guidance, texts), size, bold=True)
    sheet.heading(texts.say("source_list"), size + 0.8, level=3, keep=8)
    sources = [f"[{numbers[name]}] {what}" for name, what in guidance.sources]
    step = 4 if size <= DENSE else 1  # short paragraphs: one is never parted between columns
    for some in range(0, len(sources), step):
        sheet.paragraph("; ".join(sources[some : some + step]), size - 0.9, soft=True, gap=0.2)


def _write_lines(sheet: Sheet, section: Section, numbers: dict[str, int], size: float) -> None:
    """Lines of one list, or of one urgency, stand under its name, which is said once."""
    urgent = section.code in _URGENT
    for under, together in groupby(section.lines, key=lambda line: line.under):
        if under:
            sheet.paragraph(under, size, bold=urgent, soft=not urgent)
        for line in together:
            sheet.paragraph(_with_numbers(line, numbers), size, indent=1.5, gap=0.5)


def _with_numbers(line: Line, numbers: dict[str, int]) -> str:
    where = ", ".join(str(numbers[source]) for source in line.sources)
    return f"• {' '.join(filter(None, (line.text, line.why)))} [{where}]"


def _left_out(guidance: Guidance, texts: Texts) -> str:
    out = (texts.say("section_left_out", title=title, count=count) for title, count in guidance.left_out)
    return texts.say("shortened", sections="; ".join(out), name=guidance.name, sha256=guidance.sha256[:16])
