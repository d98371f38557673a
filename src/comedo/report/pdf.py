"""The report on paper: one or two A4 pages with every number, where it comes from, and what it is not."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from comedo.errors import MissingExtra
from comedo.report.case import Case
from comedo.report.extras import Guidance, Since
from comedo.report.eyes import mask_eyes
from comedo.report.look import CLAIM, GROUPS, KIND_NAMES, REGION_NAMES, SCALE_NAMES, in_words
from comedo.report.markup import interval, number
from comedo.report.overlay import draw_face
from comedo.report.pictures import to_jpeg
from comedo.types import Group, Region

if TYPE_CHECKING:
    from comedo.report.sheet import Sheet

PICTURE_SIDE = 1100  # pixels: 300 dots an inch on 93 mm
TITLE = "Acne measurements from a photo"


@dataclass(frozen=True)
class PdfOptions:
    """What the report shows beside the numbers."""

    without_photo: bool = False
    mask_eyes: bool = False
    made_at: datetime | None = None  # None: now; with a date the same input gives the same bytes
    guidance: Guidance | None = None
    since: Since | None = None


def report_pdf(case: Case, options: PdfOptions = PdfOptions()) -> bytes:
    """The report of one analysis as PDF, without any metadata of the photo.

    Raises:
        MissingExtra: fpdf2 is not installed.
        UnusableInput: The photo is wanted and not there, or its eyes cannot be masked.
    """
    try:
        from comedo.report.sheet import Sheet, write_fonts
    except ModuleNotFoundError as error:
        raise MissingExtra(f"a PDF needs {error.name}; install it with: pip install 'comedo[clinical]'") from error
    made_at = (options.made_at or datetime.now(UTC)).astimezone(UTC)
    picture = None if options.without_photo else _picture(case, eyes=not options.mask_eyes)
    with tempfile.TemporaryDirectory() as folder:
        sheet = Sheet(write_fonts(Path(folder)), title=TITLE, foot=CLAIM, made_at=made_at)
        _head(sheet, case, made_at)
        _findings(sheet, case, picture)
        _scales(sheet, case)
        if options.since is not None:
            _since(sheet, options.since)
        if options.guidance is not None:
            _guidance(sheet, options.guidance)
        _quality(sheet, case)
        _origin(sheet, case)
        return bytes(sheet.output())


def _picture(case: Case, *, eyes: bool) -> bytes:
    photo = case.need_photo("a report with the photo (or leave it out with --without-photo)")
    image = photo.image if eyes else mask_eyes(photo.image, case.face)
    return to_jpeg(draw_face(image, case.face, case.lesions, max_side=PICTURE_SIDE))


def _head(sheet: Sheet, case: Case, made_at: datetime) -> None:
    sheet.heading(TITLE, 16, level=1)
    about = f"Photo {case.document.photo.name}. Report of {made_at:%Y-%m-%d %H:%M} UTC."
    if case.reader is not None:
        how = "the whole face" if case.reader.complete else "in part"
        about += f" Reviewed {how} by {case.reader.name} at {case.reader.at}."
    sheet.paragraph(about, 9)
    sheet.paragraph(CLAIM, 9, bold=True)


def _findings(sheet: Sheet, case: Case, picture: bytes | None) -> None:
    """Photo on the left, numbers beside it; without a photo the numbers alone."""
    top, bottom = sheet.y, sheet.y
    left, width = sheet.left, sheet.width
    if picture is not None:
        sheet.picture(picture, width=88, height=112, alt=_alt(case))
        with sheet.column(left, 88):
            sheet.y = top + sheet.picture_height + 1
            sheet.paragraph(_legend(), 7, soft=True)
        bottom, left, width = sheet.y, left + 93, width - 93
    sheet.y = top
    with sheet.column(left, width):
        _key_numbers(sheet, case)
        _counts(sheet, case, width)
    sheet.y = max(sheet.y, bottom)


def _alt(case: Case) -> str:
    groups = ", ".join(f"{n} {name.lower()}" for name, n in _group_rows(case))
    return f"The face with every lesion outlined: {groups}. The tables give the same in words."


def _legend() -> str:
    return "; ".join(f"{look.letter}, {look.shape.value}: {look.name.lower()}" for look in GROUPS.values()) + "."


def _group_rows(case: Case) -> list[tuple[str, int]]:
    counts = case.document.counts.by_group
    return [(GROUPS[g].name, counts.get(g, sum(x.group is g for x in case.lesions))) for g in Group]


def _key_numbers(sheet: Sheet, case: Case) -> None:
    document, severity, acne = case.document, case.document.grades.severity, case.document.grades.acne
    if severity is None or severity.value is None:
        sheet.paragraph("Severity: not assessed", 14, bold=True)
    else:
        sheet.paragraph(f"Severity: {severity.level}", 14, bold=True)
        sheet.paragraph(f"{number(severity.value)} of 5{_likely(severity.interval_90)}.")
    counted = f'counted as "{document.counts.convention}"'
    sheet.paragraph(f"{document.counts.total} active lesions{_likely(case.count_interval)}, {counted}.")
    if acne is not None and acne.affected is not None:
        sure = "" if acne.probability is None else f" (probability {number(acne.probability)})"
        sheet.paragraph(f"Affected by acne: {number(acne.affected)}{sure}.")
    if document.coverage.fraction is not None:
        sheet.paragraph(f"{document.coverage.fraction:.2%} of the visible skin lies under active lesions.")
    sheet.paragraph(f"Photo quality: {document.quality.verdict}.")
    for notice in document.notices:
        sheet.paragraph(f"Note: {notice}.", 7.5, soft=True)


def _likely(pair: tuple[float, float] | None) -> str:
    return "" if pair is None else f", 90 % interval {interval(pair)}"


def _counts(sheet: Sheet, case: Case, width: float) -> None:
    counts = case.document.counts
    sheet.heading("Counts", 11, level=2)
    regions = [(REGION_NAMES[r], _or_hidden(counts.by_region.get(r))) for r in Region]
    kinds = [(KIND_NAMES[k], str(n)) for k, n in counts.by_kind.items() if n]
    widths = (width - 25, 25)
    sheet.rows(("Region", "Active lesions"), regions, widths)
    sheet.rows(("Group", "Lesions"), [(name, str(n)) for name, n in _group_rows(case)], widths)
    if kinds:
        sheet.rows(("Kind (experimental)", "Lesions"), kinds, widths)


def _or_hidden(count: int | None) -> str:
    return "not visible" if count is None else str(count)


def _scales(sheet: Sheet, case: Case) -> None:
    rows, sources = [], []
    for name, grade in case.document.grades.scales().items():
        value = "not assessed" if grade.value is None else number(grade.value)
        of = "" if grade.maximum is None or grade.value is None else f" of {number(grade.maximum)}"
        level = f": {grade.level}" if grade.level and grade.level != grade.value else ""
        likely, title = interval(grade.interval_90), SCALE_NAMES.get(name, in_words(name))
        rows.append((title, f"{value}{of}{level}", likely, grade.why, "; ".join(grade.missing)))
        sources.append(f"{title}: {grade.source}")
    sheet.heading("Scales and their arithmetic", 11, level=2)
    heads = ("Scale", "Result", "90 %", "How it came about", "What the photo does not show")
    sheet.rows(heads, rows, (24, 30, 16, 58, 54), size=6.8)
    sheet.paragraph("Sources. " + ". ".join(sources) + ".", 6.3, soft=True)


def _since(sheet: Sheet, since: Since) -> None:
    sheet.heading("Since the baseline", 11, level=2)
    sheet.paragraph(since.sentence)
    rows = [
        (m.name, number(m.before), number(m.after), f"{m.after - m.before:+.4g}", f"± {number(m.noise)}", m.answer)
        for m in since.measures
    ]
    heads = ("Measure", "Baseline", "Now", "Difference", "Noise band", "Reading")
    sheet.rows(heads, rows, (52, 24, 24, 26, 28, 28))
    sheet.paragraph("A difference inside the noise band may come from the photo alone.", 7.5, soft=True)


def _guidance(sheet: Sheet, guidance: Guidance) -> None:
    sheet.heading("Information, not a prescription", 11, level=2)
    read = "have been" if guidance.reviewed_by_clinician else "have not been"
    sheet.paragraph(f"The tables behind these lines {read} reviewed by a clinician.", 7.5, soft=True)
    for section in guidance.sections:
        sheet.heading(section.title, 9, level=3, keep=8)
        for line in section.lines:
            sheet.paragraph(f"• {line.text} [{', '.join(line.sources)}]", 8)
    sheet.paragraph("Sources. " + "; ".join(f"{name}: {what}" for name, what in guidance.sources) + ".", 6.5, soft=True)


def _quality(sheet: Sheet, case: Case) -> None:
    quality = case.document.quality
    rows = [
        (in_words(c.name), number(c.value), number(c.limit), "passed" if c.ok else "not passed", c.advice)
        for c in quality.checks
    ]
    sheet.heading("Photo quality", 11, level=2)
    sheet.rows(("Check", "Measured", "Limit", "Result", "What to do"), rows, (34, 20, 20, 22, 86))


def _origin(sheet: Sheet, case: Case) -> None:
    photo = case.document.photo
    sheet.heading("Where these numbers come from", 11, level=2)
    sheet.paragraph(f"Photo of {photo.width} × {photo.height} pixels, SHA-256 {photo.sha256}.", 7)
    sheet.paragraph(f"Analysis SHA-256 {case.sha256}. Networks: {', '.join(case.document.models)}.", 7)
    sheet.paragraph(
        "An interval of 90 % is the range in which comedo expects the true value nine times out of ten; where none is "
        "given, none is known. Left and right are those of the person. Compare photos only when light, distance and "
        "angle are alike. A dash means not known; it does not mean zero.",
        7,
        soft=True,
    )
