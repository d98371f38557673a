"""Curves and tables as SVG: small, sharp, readable without colour or script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_SIZE, _LEFT, _BOTTOM, _TOP, _RIGHT = 380, 52, 46, 34, 16
_STROKES = (("#0b6e8f", ""), ("#b5442e", "6 4"), ("#5a5a5a", "2 3"), ("#7a4fa3", "9 3 2 3"))
_STYLE = (
    "text{font:12px sans-serif;fill:#222}.t{font-size:13px;font-weight:600}.g{stroke:#ddd}.f{fill:none;stroke-width:2}"
)


@dataclass(frozen=True)
class Line:
    """One line of a chart: points x, y, and what it is."""

    name: str
    points: Sequence[tuple[float, float]]
    dots: bool = False  # mark each point


def line_chart(
    title: str, x: str, y: str, lines: Sequence[Line], *, ranges: tuple[float, float, float, float] = (0, 1, 0, 1)
) -> str:
    """Lines over two named axes.

    Args:
        title: What is shown.
        x: Name of the horizontal axis.
        y: Name of the vertical axis.
        lines: At most four can be told apart.
        ranges: Ends of the axes: x from, to, y from, to.
    """
    x0, x1, y0, y1 = ranges

    def at(px: float, py: float) -> tuple[float, float]:
        across = (px - x0) / ((x1 - x0) or 1.0)
        up = (py - y0) / ((y1 - y0) or 1.0)
        return _LEFT + across * (_SIZE - _LEFT - _RIGHT), _SIZE - _BOTTOM - up * (_SIZE - _BOTTOM - _TOP)

    parts = [_text(_LEFT, 18, title, "t")]
    for share in (0, 0.25, 0.5, 0.75, 1):
        gx, gy = x0 + share * (x1 - x0), y0 + share * (y1 - y0)
        parts += [_rule(at(gx, y0), at(gx, y1)), _rule(at(x0, gy), at(x1, gy))]
        parts += [
            _text(at(gx, y0)[0] - 8, _SIZE - _BOTTOM + 16, f"{gx:.3g}"),
            _text(18, at(x0, gy)[1] + 4, f"{gy:.3g}"),
        ]
    parts += [
        _text(_LEFT, _SIZE - 8, x),
        f'<g transform="translate(12,{_SIZE - _BOTTOM}) rotate(-90)">{_text(0, 0, y)}</g>',
    ]
    for number, line in enumerate(lines):
        colour, dash = _STROKES[number % len(_STROKES)]
        places = [at(*p) for p in line.points]
        path = " ".join(f"{a:.1f},{b:.1f}" for a, b in places)
        parts.append(f'<polyline class="f" stroke="{colour}" stroke-dasharray="{dash}" points="{path}"/>')
        if line.dots:
            parts += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="{colour}"/>' for a, b in places]
        parts.append(
            f'<text x="{_LEFT + 8}" y="{_TOP + 14 + 15 * number}" style="fill:{colour}">{escape(line.name)}</text>'
        )
    return _svg(_SIZE, _SIZE, title, parts)


def confusion_chart(title: str, names: Sequence[str], counts: Sequence[Sequence[int]]) -> str:
    """How often each true class (row) was called each class (column), with its share of the row as shade."""
    cell, left, top = 58, 120, 62
    parts = [_text(8, 18, title, "t"), _text(left, 36, "called"), _text(8, top - 8, "true")]
    for row, (name, line) in enumerate(zip(names, counts, strict=True)):
        y = top + row * cell
        parts.append(_text(8, y + cell / 2 + 4, name))
        parts.append(_text(left + row * cell + 6, top - 8, name[:8]))
        for column, count in enumerate(line):
            share = count / max(1, sum(line))
            x = left + column * cell
            shade = f"rgb({round(255 - 190 * share)},{round(255 - 120 * share)},{round(255 - 90 * share)})"
            parts.append(f'<rect x="{x}" y="{y}" width="{cell - 2}" height="{cell - 2}" fill="{shade}"/>')
            parts.append(_text(x + 8, y + 24, str(count)) + _text(x + 8, y + 42, f"{share:.0%}"))
    return _svg(left + cell * len(names) + 8, top + cell * len(names) + 8, title, parts)


def _svg(width: float, height: float, title: str, parts: Sequence[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" role="img">'
    ground = f'<rect width="{width:g}" height="{height:g}" fill="#fff"/>'
    return f"{head}<title>{escape(title)}</title><style>{_STYLE}</style>{ground}{''.join(parts)}</svg>\n"


def _text(x: float, y: float, text: str, kind: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}"{f" class={kind!r}" if kind else ""}>{escape(text)}</text>'


def _rule(a: tuple[float, float], b: tuple[float, float]) -> str:
    return f'<line class="g" x1="{a[0]:.1f}" y1="{a[1]:.1f}" x2="{b[0]:.1f}" y2="{b[1]:.1f}"/>'
