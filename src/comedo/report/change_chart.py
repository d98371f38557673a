"""The time line as SVG: a value at each visit with the band that noise explains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _HEIGHT = 720, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 16, 14, 40
_BAND = 1.645  # standard deviations: nine of ten repeat photos lie within
_LABELS = 8  # dates written below at most


@dataclass(frozen=True)
class Point:
    """A visit: where on the time axis, its label, the value and one standard deviation of its noise."""

    x: float
    label: str
    value: float
    sd: float


def timeline_svg(title: str, points: Sequence[Point], *, start: float | None = None) -> str:
    """A chart that reads without colour or script; `start` draws a line where treatment began.

    Nothing for fewer than two points.
    """
    if len(points) < 2:
        return ""
    top = max(1.0, *(p.value + _BAND * p.sd for p in points))
    low, high = min(p.x for p in points), max(p.x for p in points)
    span = (high - low) or 1.0

    def at(x: float, y: float) -> str:
        return f"{_across(x):.1f},{_HEIGHT - _BOTTOM - (_HEIGHT - _BOTTOM - _TOP) * max(y, 0) / top:.1f}"

    def _across(x: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * (x - low) / span

    upper = [at(p.x, p.value + _BAND * p.sd) for p in points]
    lower = [at(p.x, p.value - _BAND * p.sd) for p in reversed(points)]
    line = " ".join(at(p.x, p.value) for p in points)
    floor = _HEIGHT - _BOTTOM
    parts = [
        f'<svg class="chart" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(title)}">',
        f"<title>{escape(title)}</title>",
        f'<line class="axis" x1="{_LEFT}" y1="{floor}" x2="{_WIDTH - _RIGHT}" y2="{floor}"/>',
        *(_tick(value, at(low, value)) for value in _ticks(top)),
        f'<polygon class="band" points="{" ".join(upper + lower)}"/>',
        f'<polyline class="line" points="{line}"/>',
        *(_dot(p, at(p.x, p.value)) for p in points),
        *(_date(p.label, _across(p.x)) for p in points[:: max(1, -(-len(points) // _LABELS))]),
    ]
    if start is not None and low <= start <= high:
        x = _across(start)
        parts.append(f'<line class="start" x1="{x:.1f}" y1="{_TOP}" x2="{x:.1f}" y2="{floor}"/>')
        parts.append(f'<text x="{x + 4:.1f}" y="{_TOP + 10}">treatment begins</text>')
    return "".join(parts) + "</svg>\n"


def _ticks(top: float) -> list[float]:
    step = next(s * 10**k for k in range(6) for s in (1, 2, 5) if top / (s * 10**k) <= 5)
    return [step * i for i in range(int(top / step) + 1)]


def _tick(value: float, at: str) -> str:
    y = at.split(",")[1]
    return f'<text x="{_LEFT - 6}" y="{float(y) + 4:.1f}" text-anchor="end">{value:g}</text>'


def _dot(p: Point, at: str) -> str:
    x, y = at.split(",")
    return f'<circle class="dot" cx="{x}" cy="{y}" r="4"><title>{escape(p.label)}: {p.value:.3g}</title></circle>'


def _date(label: str, x: float) -> str:
    return f'<text x="{x:.1f}" y="{_HEIGHT - 14}" text-anchor="middle">{escape(label)}</text>'
