"""The report on paper: one or two A4 pages with every number, where it comes from, and what it is not."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from comedo.errors import UnusableInput, missing_extra
from comedo.report.case import Case
from comedo.report.extras import Guidance, Since
from comedo.report.eyes import mask_eyes, mask_map
from comedo.report.look import in_words
from comedo.report.overlay import draw_face
from comedo.report.pdf_guidance import DENSE, SHAPES, Shape, write_guidance
from comedo.report.pdf_numbers import write_findings, write_scales, write_since
from comedo.report.pictures import to_jpeg
from comedo.report.texts import Texts, load_texts

if TYPE_CHECKING:
    from comedo.report.sheet import Sheet

PICTURE_SIDE = 1100  # pixels: 300 dots an inch on 93 mm
PAGES = 2


@dataclass(frozen=True)
class PdfOptions:
    """What the report shows beside the numbers."""

    without_photo: bool = False
    mask_eyes: bool = False
    made_at: datetime | None = None  # None: now; with a date the same input gives the same bytes
    guidance: Guidance | None = None
    since: Since | None = None
    language: str | None = None  # None: that of the guidance, else English

    @property
    def texts(self) -> Texts:
        """The words of the report.

        Raises:
            UnusableInput: It does not speak that language, or the guidance speaks another.
        """
        spoken = None if self.guidance is None else self.guidance.language
        if self.language is not None and spoken not in (None, self.language):
            raise UnusableInput(f"the advice is in {spoken!r}, the report in {self.language!r}; use one language")
        return load_texts(self.language or spoken or "en")


def report_pdf(case: Case, options: PdfOptions = PdfOptions()) -> bytes:
    """The report of one analysis as PDF, without any metadata of the photo.

    Guidance is set in smaller type, then shortened to what safety needs, until all fits on two pages.

    Raises:
        MissingExtra: fpdf2 is not installed.
        UnusableInput: The photo is wanted and not there, its eyes cannot be masked, or the language is not spoken.
    """
    try:
        from comedo.report.sheet import Sheet, write_fonts
    except ModuleNotFoundError as error:
        raise missing_extra("a PDF", error.name, "clinical") from error
    texts = options.texts
    made_at = (options.made_at or datetime.now(UTC)).astimezone(UTC)
    picture = None if options.without_photo else _picture(case, eyes=not options.mask_eyes)
    with tempfile.TemporaryDirectory() as folder:
        fonts = write_fonts(Path(folder))
        for shape in SHAPES:
            sheet = Sheet(fonts, texts=texts, made_at=made_at)
            _write(sheet, case, options, picture, shape)
            if options.guidance is None or sheet.page_no() <= PAGES or shape is SHAPES[-1]:
                return bytes(sheet.output())
            sheet.throw_away()
    raise AssertionError("the last shape is taken in any case")


def _write(sheet: Sheet, case: Case, options: PdfOptions, picture: bytes | None, shape: Shape) -> None:
    """Everything, from the top of the first page on."""
    texts = options.texts
    _head(sheet, case, texts)
    write_findings(sheet, case, texts, picture, masked=options.mask_eyes)
    if options.since is not None:
        write_since(sheet, options.since, texts)
    write_scales(sheet, case, texts)
    with sheet.two_columns():
        if options.guidance is not None:
            reader = None if case.reader is None else case.reader.name
            write_guidance(sheet, options.guidance.without(shape.left_out), texts, shape.size, reader=reader)
        small = 5.6 if shape.size <= DENSE else 6.3
        _quality(sheet, case, texts, small, brief=options.guidance is not None)
        _origin(sheet, case, texts, small)


def _picture(case: Case, *, eyes: bool) -> bytes:
    photo = case.need_photo("a report with the photo")
    image, face = (photo.image, case.face) if eyes else (mask_eyes(photo.image, case.face), mask_map(case.face))
    return to_jpeg(draw_face(image, face, case.lesions, max_side=PICTURE_SIDE))


def _head(sheet: Sheet, case: Case, texts: Texts) -> None:
    sheet.heading(texts.say("title"), 15, level=1)
    about = texts.say("about", photo=case.document.photo.name, date=f"{sheet.made_at:%Y-%m-%d %H:%M}")
    if case.reader is not None:
        key = "reviewed_whole" if case.reader.complete else "reviewed_part"
        about += " " + texts.say(key, name=case.reader.name, date=case.reader.at)
    sheet.paragraph(about, 8.5)
    sheet.paragraph(texts.say("claim"), 8.5, bold=True)
    sheet.y += 1.5


def _quality(sheet: Sheet, case: Case, texts: Texts, size: float, *, brief: bool) -> None:
    checks = case.document.quality.checks
    rows = [
        (
            texts.checks.get(c.name, in_words(c.name)),
            texts.number(c.value),
            texts.number(c.limit),
            texts.say("passed" if c.ok else "not_passed"),
        )
        for c in checks
    ]
    sheet.heading(texts.say("checks"), 9.5, level=2, keep=12)
    if brief:
        sheet.paragraph("; ".join(texts.say("check_brief", **_named(row)) for row in rows) + ".", size)
    else:
        heads = [texts.say(key) for key in ("check", "measured", "limit", "result")]
        sheet.rows(heads, rows, (36, 17, 14, sheet.width - 67), size=6.5)
    for check in checks:
        if check.advice:
            sheet.paragraph(texts.sentence(check.advice), size)


def _named(row: tuple[str, str, str, str]) -> dict[str, str]:
    return dict(zip(("check", "measured", "limit", "result"), row, strict=True))


def _origin(sheet: Sheet, case: Case, texts: Texts, size: float) -> None:
    photo = case.document.photo
    sheet.heading(texts.say("origin"), 9, level=2, keep=12)
    sheet.paragraph(texts.say("photo_origin", width=photo.width, height=photo.height, sha256=photo.sha256), size)
    models = ", ".join(case.document.models)
    sheet.paragraph(texts.say("analysis_origin", sha256=case.sha256, models=models), size)
    sheet.paragraph(texts.say("how_to_read"), size, soft=True)
