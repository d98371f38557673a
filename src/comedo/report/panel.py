"""The panel beside the picture: severity, counts, regions, quality, each in words and numbers."""

from __future__ import annotations

import numpy as np
from PIL import Image as PilImage
from PIL import ImageDraw

from comedo.report.drawing import draw_shape, load_font
from comedo.report.look import GROUPS, REGION_COLOURS, REGION_NAMES, Rgb, Shape
from comedo.types import FaceAnalysis, Grade, Group, Region, Verdict, Xy

PAPER: Rgb = (250, 250, 248)
INK: Rgb = (32, 36, 42)
SOFT: Rgb = (104, 110, 120)
LINE: Rgb = (222, 224, 226)
STEPS: tuple[Rgb, ...] = ((253, 224, 197), (250, 189, 144), (242, 145, 103), (214, 96, 85), (160, 47, 72))
VERDICTS: dict[Verdict, Rgb] = {Verdict.GOOD: (0, 128, 96), Verdict.FAIR: (184, 120, 0), Verdict.POOR: (190, 40, 50)}

WIDTH, HEIGHT = 400, 1000  # at a sheet of 1600 pixels
MARGIN = 34


def panel_width(unit: float) -> int:
    """Width in pixels; `unit` is the sheet's longest side over 1600."""
    return round(WIDTH * unit)


def panel_height(unit: float) -> int:
    """Height that the panel needs, in pixels."""
    return round(HEIGHT * unit)


def draw_panel(sheet: PilImage.Image, analysis: FaceAnalysis, *, left: int, unit: float) -> None:
    """Write the panel into `sheet`, from column `left` on."""
    pen = _Pen(sheet, left, unit)
    pen.text("comedo", 25, bold=True)
    pen.text("Acne as it shows on this photo", 17, SOFT, after=24)
    _severity(pen, analysis.grades.get("severity"), analysis.grades.get("acne"))
    _counts(pen, analysis)
    _regions(pen, analysis)
    _quality(pen, analysis)
    pen.y = (sheet.height / unit) - 62
    pen.text("Measures appearance. Not a diagnosis,", 15, SOFT, after=2)
    pen.text("not a medical device.", 15, SOFT)


class _Pen:
    """Writes downward; all sizes and places are in units of the 1600-pixel sheet."""

    def __init__(self, sheet: PilImage.Image, left: int, unit: float) -> None:
        self.draw = ImageDraw.Draw(sheet)
        self.sheet = sheet
        self.left, self.unit, self.y = left, unit, 30.0

    def at(self, x: float, y: float) -> Xy:
        """Pixels of a place in the panel."""
        return self.left + (MARGIN + x) * self.unit, y * self.unit

    def text(
        self, text: str, size: float, colour: Rgb = INK, *, x: float = 0, bold: bool = False, after: float = 6
    ) -> None:
        """One line, then move below it."""
        self.word(text, size, colour, x=x, bold=bold)
        self.y += size * 1.16 + after

    def word(
        self,
        text: str,
        size: float,
        colour: Rgb = INK,
        *,
        x: float = 0,
        bold: bool = False,
        anchor: str = "la",
    ) -> None:
        """Text at the present line."""
        weight = max(0.35, size * self.unit * 0.022) if bold else 0
        font = load_font(max(7.0, size * self.unit))
        self.draw.text(self.at(x, self.y), text, colour, font, anchor, stroke_width=weight, stroke_fill=colour)

    def box(self, x0: float, y0: float, x1: float, y1: float, colour: Rgb, *, radius: float = 4) -> None:
        """A filled rounded box."""
        self.draw.rounded_rectangle((*self.at(x0, y0), *self.at(x1, y1)), radius * self.unit, colour)

    def icon(self, shape: Shape, colour: Rgb, x: float, y: float, radius: float, thick: float) -> None:
        """A smooth outline around a place."""
        half = round(15 * self.unit)
        patch = np.full((2 * half + 1, 2 * half + 1, 3), PAPER, np.uint8)
        draw_shape(patch, shape, (half, half), radius * self.unit, colour, max(1, round(thick * self.unit)))
        left, top = self.at(x, y)
        self.sheet.paste(PilImage.fromarray(patch), (round(left) - half, round(top) - half))

    def rule(self) -> None:
        """A thin line across, with room around it."""
        self.y += 12
        self.draw.line((*self.at(0, self.y), *self.at(WIDTH - 2 * MARGIN, self.y)), LINE, max(1, round(self.unit)))
        self.y += 20

    def wrap(self, text: str, size: float, colour: Rgb, *, lines: int) -> None:
        """Text over several lines, cut with an ellipsis after the last."""
        font, width = load_font(max(7.0, size * self.unit)), (WIDTH - 2 * MARGIN) * self.unit
        rows: list[str] = [""]
        for word in text.split():
            longer = f"{rows[-1]} {word}".strip()
            if font.getlength(longer) <= width or not rows[-1]:
                rows[-1] = longer
            else:
                rows.append(word)
        if len(rows) > lines:
            rows = [*rows[: lines - 1], rows[lines - 1].rstrip(".,;") + " …"]
        for row in rows:
            self.text(row, size, colour, after=3)


def _severity(pen: _Pen, severity: Grade | None, acne: Grade | None) -> None:
    pen.text("Severity", 17, SOFT, after=2)
    if severity is None or not isinstance(severity.value, int | float):
        pen.text("Not assessed", 36, bold=True)
        return
    low, high = severity.interval_90 or (severity.value, severity.value)
    pen.text(severity.level or "", 44, bold=True, after=8)
    pen.text(f"{severity.value:.1f} of 5, likely {low:.1f} to {high:.1f}", 19, after=14)
    _scale(pen, float(severity.value), low, high)
    if acne is not None and acne.probability is not None:
        word = "Affected by acne" if acne.value else "Not affected by acne"
        pen.text(f"{word} (probability {acne.probability:.0%})", 17, SOFT)
    pen.rule()


def _scale(pen: _Pen, value: float, low: float, high: float) -> None:
    """Five steps from Clear to Severe, the interval below them, the value as a marker."""
    width = WIDTH - 2 * MARGIN

    def place(grade: float) -> float:
        return (min(max(grade, 0.5), 5.5) - 0.5) / 5 * width

    y = pen.y
    for i, colour in enumerate(STEPS):
        pen.box(i * width / 5 + 1, y + 10, (i + 1) * width / 5 - 1, y + 24, colour, radius=3)
    pen.box(place(low), y + 29, max(place(high), place(low) + 4), y + 33, SOFT, radius=2)
    x = place(value)
    tip = [pen.at(x, y + 12), pen.at(x - 8, y - 2), pen.at(x + 8, y - 2)]
    pen.draw.polygon(tip, fill=INK)
    pen.y = y + 40
    pen.word("Clear", 15, SOFT)
    pen.word("Severe", 15, SOFT, x=width, anchor="ra")
    pen.y += 34


def _counts(pen: _Pen, analysis: FaceAnalysis) -> None:
    counts = analysis.counts
    low, high = counts.interval_90
    pen.text("Active lesions", 17, SOFT, after=2)
    pen.word(str(counts.total), 44, bold=True)
    beside = 18 + load_font(44 * pen.unit).getlength(str(counts.total)) / pen.unit
    pen.y += 21
    pen.word(f"likely {low} to {high}", 19, x=beside)
    pen.y += 44
    for group in Group:
        drawn = sum(lesion.group is group for lesion in analysis.lesions)  # marks have no count of their own
        _legend_row(pen, group, counts.by_group.get(group, drawn))
    pen.rule()


def _legend_row(pen: _Pen, group: Group, count: int) -> None:
    look = GROUPS[group]
    pen.icon(look.shape, look.colour, 12, pen.y + 11, 9, 2.4)
    pen.word(look.letter, 18, look.colour, x=34, bold=True)
    pen.word(look.name, 19, x=60)
    pen.word(str(count), 19, x=WIDTH - 2 * MARGIN, anchor="ra")
    pen.y += 31


def _regions(pen: _Pen, analysis: FaceAnalysis) -> None:
    pen.text("By region", 17, SOFT, after=8)
    by_region = analysis.counts.by_region
    most = max([n for n in by_region.values() if n] or [1])
    for region in Region:
        count = by_region.get(region)
        pen.box(0, pen.y + 3, 14, pen.y + 17, REGION_COLOURS[region], radius=3)
        pen.word(REGION_NAMES[region], 18, x=26)
        if count is None:
            pen.word("not visible", 17, SOFT, x=WIDTH - 2 * MARGIN, anchor="ra")
        else:
            if count:
                pen.box(150, pen.y + 6, 150 + 140 * count / most, pen.y + 15, (150, 156, 164), radius=4)
            pen.word(str(count), 18, x=WIDTH - 2 * MARGIN, anchor="ra")
        pen.y += 28
    pen.rule()


def _quality(pen: _Pen, analysis: FaceAnalysis) -> None:
    quality = analysis.quality
    pen.icon(Shape.CIRCLE, VERDICTS[quality.verdict], 7, pen.y + 11, 3.4, 7)
    pen.text(f"Photo quality: {quality.verdict}", 18, x=26, after=6)
    pen.wrap(" ".join(quality.advice), 16, SOFT, lines=3)
