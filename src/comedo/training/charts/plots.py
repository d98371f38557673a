"""Curves and tables as SVG: small, sharp, readable without colour or script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

SIZE = 380  # of a chart, both ways
_LEFT, _BOTTOM, _TOP, _RIGHT = 52, 46, 34, 16
_NAME = 15  # height of the name of a line
STROKES = (("#0b6e8f", ""), ("#b5442e", "6 4"), ("#5a5a5a", "2 3"), ("#7a4fa3", "9 3 2 3"), ("#2f7d32", "1 4"))
_STYLE = (
    "text{font:12px sans-serif;fill:#222}.t{font-size:13px;font-weight:600}.n{font-size:10px}"
    ".g{stroke:#ddd}.f{fill:none;stroke-width:2}.d{stroke:#777;stroke-dasharray:4 3}"
)


@dataclass(frozen=True)
class Line:
    """One line of a chart: points x, y, and what it is."""

    name: str
    points: Sequence[tuple[float, float]]
    dots: bool = False  # mark each point


@dataclass(frozen=True)
class Axes:
    """A square with two named axes; `ranges` are their ends: x from, to, y from, to."""

    x: str
    y: str
    ranges: tuple[float, float, float, float] = (0.0, 1.0, 0.0, 1.0)
    ticks: Sequence[float] = ()  # of both axes; none for quarters of each
    below: float = 0.0  # room between the numbers of the horizontal axis and its name, pixels

    def at(self, px: float, py: float) -> tuple[float, float]:
        """Where a point lies, in pixels."""
        x0, x1, y0, y1 = self.ranges
        across = (px - x0) / ((x1 - x0) or 1.0)
        up = (py - y0) / ((y1 - y0) or 1.0)
        return _LEFT + across * (SIZE - _LEFT - _RIGHT), SIZE - _BOTTOM - up * (SIZE - _BOTTOM - _TOP)

    def draw(self, title: str) -> list[str]:
        """Title, grid, numbers and names."""
        x0, x1, y0, y1 = self.ranges
        parts = [text(_LEFT, 18, title, "t")]
        for gx in self.ticks or _quarters(x0, x1):
            parts += [rule(self.at(gx, y0), self.at(gx, y1))]
            parts += [text(self.at(gx, y0)[0] - 8, SIZE - _BOTTOM + 16, f"{gx:.3g}")]
        for gy in self.ticks or _quarters(y0, y1):
            parts += [rule(self.at(x0, gy), self.at(x1, gy)), text(18, self.at(x0, gy)[1] + 4, f"{gy:.3g}")]
        turned = f'<g transform="translate(12,{SIZE - _BOTTOM}) rotate(-90)">{text(0, 0, self.y)}</g>'
        return [*parts, text(_LEFT, SIZE - 8 + self.below, self.x), turned]


def line_chart(
    title: str, x: str, y: str, lines: Sequence[Line], *, ranges: tuple[float, float, float, float] = (0, 1, 0, 1)
) -> str:
    """Lines over two named axes, their names below.

    Args:
        title: What is shown.
        x: Name of the horizontal axis.
        y: Name of the vertical axis.
        lines: At most five can be told apart.
        ranges: Ends of the axes: x from, to, y from, to.
    """
    axes = Axes(x, y, ranges)
    parts = axes.draw(title)
    for number, line in enumerate(lines):
        colour, dash = STROKES[number % len(STROKES)]
        places = [axes.at(*p) for p in line.points]
        path = " ".join(f"{a:.1f},{b:.1f}" for a, b in places)
        parts.append(f'<polyline class="f" stroke="{colour}" stroke-dasharray="{dash}" points="{path}"/>')
        if line.dots:
            parts += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="{colour}"/>' for a, b in places]
    return with_names(title, parts, lines, SIZE)


def with_names(title: str, parts: Sequence[str], lines: Sequence[Line], height: float) -> str:
    """The drawing of a chart and, below it, the name of each line beside a piece of it."""
    named = []
    for number, line in enumerate(lines):
        colour, dash = STROKES[number % len(STROKES)]
        y = height + 12 + _NAME * number
        piece = f'points="{_LEFT},{y - 4:g} {_LEFT + 24},{y - 4:g}"'
        named.append(f'<polyline class="f" stroke="{colour}" stroke-dasharray="{dash}" {piece}/>')
        if line.dots:
            named.append(f'<circle cx="{_LEFT + 12}" cy="{y - 4:g}" r="3" fill="{colour}"/>')
        named.append(f'<text x="{_LEFT + 30}" y="{y:g}" style="fill:{colour}">{escape(line.name)}</text>')
    return svg(SIZE, height + 4 + _NAME * len(lines), title, [*parts, *named])


def _quarters(low: float, high: float) -> list[float]:
    return [low + share * (high - low) for share in (0, 0.25, 0.5, 0.75, 1)]


def confusion_chart(title: str, names: Sequence[str], counts: Sequence[Sequence[int]]) -> str:
    """How often each true class (row) was called each class (column), with its share of the row as shade."""
    cell, left, top = 58, 120, 62
    parts = [text(8, 18, title, "t"), text(left, 36, "called"), text(8, top - 8, "true")]
    for row, (name, line) in enumerate(zip(names, counts, strict=True)):
        y = top + row * cell
        parts.append(text(8, y + cell / 2 + 4, name))
        parts.append(text(left + row * cell + 6, top - 8, name[:8]))
        for column, count in enumerate(line):
            share = count / max(1, sum(line))
            x = left + column * cell
            shade = f"rgb({round(255 - 190 * share)},{round(255 - 120 * share)},{round(255 - 90 * share)})"
            parts.append(f'<rect x="{x}" y="{y}" width="{cell - 2}" height="{cell - 2}" fill="{shade}"/>')
            parts.append(text(x + 8, y + 24, str(count)) + text(x + 8, y + 42, f"{share:.0%}"))
    return svg(left + cell * len(names) + 8, top + cell * len(names) + 8, title, parts)


def svg(width: float, height: float, title: str, parts: Sequence[str]) -> str:
    """One drawing of its own on white."""
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" role="img">'
    ground = f'<rect width="{width:g}" height="{height:g}" fill="#fff"/>'
    return f"{head}<title>{escape(title)}</title><style>{_STYLE}</style>{ground}{''.join(parts)}</svg>\n"


def text(x: float, y: float, words: str, kind: str = "") -> str:
    """Words from a point on, in pixels."""
    return f'<text x="{x:.1f}" y="{y:.1f}"{f" class={kind!r}" if kind else ""}>{escape(words)}</text>'


def rule(a: tuple[float, float], b: tuple[float, float], kind: str = "g") -> str:
    """A straight line between two places in pixels."""
    return f'<line class="{kind}" x1="{a[0]:.1f}" y1="{a[1]:.1f}" x2="{b[0]:.1f}" y2="{b[1]:.1f}"/>'
