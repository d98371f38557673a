"""A4 sheets with tagged text: headings, paragraphs, rows and pictures, written downward.

fpdf2 tags pictures only; a reader that follows tags would then skip the text. So every piece of text is tagged here as
a heading or a paragraph, in reading order, and the foot of the page is marked as decoration. Tables are rows of
paragraphs: fpdf2's tags cannot be nested. Not tested with a screen reader, and no PDF/UA.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pymupdf_fonts
import simplejpeg
from fpdf import FPDF, ViewerPreferences
from fpdf.enums import MethodReturnValue, WrapMode
from fpdf.fonts import TTFFont

from comedo.report.texts import Texts

MARGIN, WIDTH, HEIGHT = 13.0, 210.0, 297.0  # millimetres
TEXT_WIDTH = WIDTH - 2 * MARGIN
GAP = 6.0  # between two columns
INK, SOFT, RULE, SHADE, BAND = (32, 36, 42), (84, 90, 100), (205, 208, 212), (242, 243, 245), (214, 217, 222)
FONTS = {"": "notos", "B": "notosbo"}  # Noto Sans, SIL Open Font License: Latin, Greek, Cyrillic
logging.getLogger("fontTools.subset").setLevel(logging.ERROR)  # it warns of hinting tables that it leaves out
_LINE = 0.44  # millimetres of a line per point of type


def write_fonts(folder: Path) -> dict[str, Path]:
    """Noto Sans as files, which is how fpdf2 takes fonts; they must last until the sheet's bytes are made."""
    paths = {style: folder / f"{name}.ttf" for style, name in FONTS.items()}
    for style, path in paths.items():
        path.write_bytes(pymupdf_fonts.myfont(FONTS[style]))
    return paths


class Sheet(FPDF):
    """Pages that grow downward; all sizes in millimetres, type in points."""

    def __init__(self, fonts: dict[str, Path], *, texts: Texts, made_at: datetime) -> None:
        super().__init__(format="A4")
        for style, path in fonts.items():
            self.add_font("Noto", style, path)
        font = self.fonts["noto"]
        assert isinstance(font, TTFFont)
        self._known = set(font.cmap)
        self._texts = texts
        self._foot = self.readable(texts.say("claim"))
        self.set_margin(MARGIN)
        self.c_margin = 0  # text starts where its column does
        self.set_auto_page_break(False)
        self.set_title(self.readable(texts.say("title")))
        self.set_lang(texts.language)
        self.set_creator("comedo")
        self.set_producer("comedo with fpdf2")
        self.set_creation_date(made_at)
        self.made_at = made_at
        self.viewer_preferences = ViewerPreferences(display_doc_title=True)
        self.left, self.width = MARGIN, TEXT_WIDTH
        self._columns_top: float | None = None  # where the two columns of this page start
        self._lowest = MARGIN
        self.add_page()

    def throw_away(self) -> None:
        """Close the font files of a sheet whose bytes are never made; making them closes the files too."""
        for font in self.fonts.values():
            if isinstance(font, TTFFont):
                font.close()

    def footer(self) -> None:
        """The same line below every page, for the eye only."""
        self._out("/Artifact BMC")
        self.set_font("Noto", "", 7)
        self.set_text_color(*SOFT)
        self.set_xy(MARGIN, HEIGHT - MARGIN + 2)
        self.cell(TEXT_WIDTH - 20, 4, self._foot)
        self.cell(20, 4, self._texts.say("page", number=self.page_no()), align="R")
        self._out("EMC")

    def readable(self, text: str) -> str:
        """Text without control characters; what the font cannot show becomes a question mark."""
        printable = (c if c.isprintable() else " " for c in text)
        return "".join(c if ord(c) in self._known else "?" for c in printable)

    @contextmanager
    def column(self, left: float, width: float) -> Iterator[None]:
        """Write in a column of the page."""
        before = self.left, self.width
        self.left, self.width = left, width
        yield
        self.left, self.width = before

    @contextmanager
    def two_columns(self) -> Iterator[None]:
        """From here on down the left half of the page, then down the right half, then on the next page."""
        self._columns_top = self._lowest = float(self.y)
        self.width = (TEXT_WIDTH - GAP) / 2
        yield
        self.y = max(float(self.y), self._lowest)
        self._columns_top = None
        self.left, self.width = MARGIN, TEXT_WIDTH

    def heading(self, text: str, size: float, *, level: int, keep: float = 18) -> None:
        """A heading, which is a bookmark too; `keep` millimetres must follow it on the page."""
        self.y += 0 if level == 1 else 2.5
        self.room(size * _LINE + keep)
        self.start_section(self.readable(text), level=level - 1, strict=False)
        self.paragraph(text, size, bold=True, kind=f"/H{level}")

    def paragraph(
        self,
        text: str,
        size: float = 8.5,
        *,
        bold: bool = False,
        soft: bool = False,
        kind: str = "/P",
        indent: float = 0,
        gap: float = 0.8,
    ) -> None:
        """Text over as many lines as it needs; `indent`, and the `gap` below it, in millimetres."""
        text = self.readable(text)
        self._style(size, bold=bold, soft=soft)
        self.room(self._height(text, self.width - indent, size))
        self._write(text, self.left + indent, self.width - indent, size, kind)
        self.y += gap

    def rows(
        self,
        head: Sequence[str],
        cells: Sequence[Sequence[str]],
        widths: Sequence[float],
        *,
        size: float = 7.5,
        draw: Callable[[int, float], None] | None = None,
    ) -> None:
        """A table: its head, again in each column or page, and its rows; `draw` gets each row's number and middle."""
        self._row(head, widths, size, bold=True)
        for n, row in enumerate(cells):
            if self.room(self._row_height(row, widths, size, bold=False)):
                self._row(head, widths, size, bold=True)
            top = float(self.y)
            self._row(row, widths, size, bold=False)
            if draw is not None:
                draw(n, (top + float(self.y)) / 2)
        self.y += 2

    def band(self, before: float, after: float, noise: float, *, x: float, y: float, width: float) -> None:
        """Baseline (ring), now (dot) and the noise band around the baseline (grey), from zero on.

        For the eye only: the numbers beside it say the same.
        """
        end = max(before + noise, after, 1e-9)
        values = (before - noise, before, before + noise, after)
        low, ring, high, dot = (x + width * max(0.0, value) / end for value in values)
        self._out("/Artifact BMC")
        self.set_line_width(0.35)
        self.set_fill_color(*BAND)
        self.rect(low, y - 1.3, high - low, 2.6, "F")
        self.set_draw_color(*SOFT)
        self.line(x, y, x + width, y)
        self.set_draw_color(*INK)
        self.set_fill_color(255)
        self.ellipse(ring - 1.1, y - 1.1, 2.2, 2.2, "FD")
        self.set_fill_color(*INK)
        self.ellipse(dot - 0.8, y - 0.8, 1.6, 1.6, "F")
        self.set_line_width(0.2)
        self._out("EMC")

    def picture(self, jpeg: bytes, *, width: float, height: float, alt: str) -> None:
        """A picture at the present place, no larger than this, with the words that stand for it."""
        pixels_high, pixels_wide, *_ = simplejpeg.decode_jpeg_header(jpeg)
        scale = min(width / pixels_wide, height / pixels_high)
        self.picture_height = pixels_high * scale
        self.image(jpeg, self.left, self.y, pixels_wide * scale, self.picture_height, alt_text=self.readable(alt))

    def room(self, height: float) -> bool:
        """Go to the next column or page where this much does not fit; says whether it did."""
        if height <= self._left():
            return False
        if self._columns_top is not None and self.left == MARGIN:
            self._lowest = float(self.y)
            self.left, self.y = MARGIN + self.width + GAP, self._columns_top
            self.room(height)
            return True
        self.add_page()
        self.y = MARGIN
        if self._columns_top is not None:
            self.left = self._columns_top = self._lowest = MARGIN
        return True

    def _left(self) -> float:
        return HEIGHT - MARGIN - float(self.y)

    def _row(self, cells: Sequence[str], widths: Sequence[float], size: float, *, bold: bool) -> None:
        height = self._row_height(cells, widths, size, bold=bold)
        self.room(height)
        top = self.y
        self._out("/Artifact BMC")
        if bold:
            self.set_fill_color(*SHADE)
            self.rect(self.left, top, sum(widths), height, "F")
        self.set_draw_color(*RULE)
        self.line(self.left, top + height, self.left + sum(widths), top + height)
        self._out("EMC")
        x = self.left
        for cell, width in zip(cells, widths, strict=True):
            self.y = top + 0.7
            self._write(self.readable(cell), x + 0.8, width - 1.6, size, "/P")
            x += width
        self.y = top + height

    def _row_height(self, cells: Sequence[str], widths: Sequence[float], size: float, *, bold: bool) -> float:
        self._style(size, bold=bold)
        pairs = zip(cells, widths, strict=True)
        return max(self._height(self.readable(cell), width - 1.6, size) for cell, width in pairs) + 1.4

    def _style(self, size: float, *, bold: bool = False, soft: bool = False) -> None:
        self.set_font("Noto", "B" if bold else "", size)
        self.set_text_color(*(SOFT if soft else INK))

    def _height(self, text: str, width: float, size: float) -> float:
        lines = self.multi_cell(
            width, size * _LINE, text, dry_run=True, output=MethodReturnValue.LINES, align="L", padding=0
        )
        assert isinstance(lines, list)
        return max(1, len(lines)) * size * _LINE

    def _write(self, text: str, x: float, width: float, size: float, kind: str) -> None:
        if not text:
            return
        number = self.struct_builder.next_mcid_for_page(self.page)
        _, page_key = self.struct_builder.add_marked_content(self.page, kind, mcid=number)
        self.pages[self.page].struct_parents = page_key
        self._out(f"{kind} <</MCID {number}>> BDC")
        self.set_x(x)
        self.multi_cell(width, size * _LINE, text, align="L", wrapmode=WrapMode.WORD, new_x="LEFT", new_y="NEXT")
        self._out("EMC")
