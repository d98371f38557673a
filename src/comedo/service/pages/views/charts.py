"""The time line as SVG in two widths, so that its letters keep their size on a phone; colours come from the style."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from markupsafe import Markup, escape

from comedo.service.pages.words import Words

_BAND = 1.645  # standard deviations: nine of ten repeat photos lie within
_LEFT, _RIGHT, _TOP, _BOTTOM = 30, 12, 12, 26
_SPANS = 22  # height of a treatment's lane
_LABEL_PX = 58  # room that a date takes
_MOST_TICKS = 5


@dataclass(frozen=True)
class Point:
    """A visit."""

    when: datetime
    value: float
    sd: float


@dataclass(frozen=True)
class Span:
    """A treatment: from, to (None: still in use), and what it is called."""

    start: datetime
    end: datetime | None
    name: str


@dataclass(frozen=True)
class Drawing:
    """The inside of an svg element of this size."""

    width: int
    height: int
    body: Markup


@dataclass(frozen=True)
class Chart:
    """One measure over time, for narrow and for wide screens."""

    title: str
    narrow: Drawing
    wide: Drawing


def draw_chart(title: str, points: Sequence[Point], spans: Sequence[Span], words: Words, *, top: float) -> Chart:
    """A chart of at least two points; `top` is the least that its vertical axis reaches to."""
    in_sight = [s for s in spans if s.start <= points[-1].when and (s.end is None or s.end >= points[0].when)]
    narrow, wide = (_Plane(points, in_sight, words, top, *size).draw() for size in ((340, 210), (960, 280)))
    return Chart(title, narrow, wide)


def draw_spark(values: Sequence[float]) -> Markup:
    """A line without axes, 100 by 30; for a list, beside the numbers in words."""
    if len(values) < 2:
        return Markup("")
    top = max(*values, 1.0)
    at = [f"{3 + 94 * i / (len(values) - 1):.1f},{27 - 24 * v / top:.1f}" for i, v in enumerate(values)]
    x, y = at[-1].split(",")
    return Markup('<polyline class="line" points="{}"/><circle class="dot--now" cx="{}" cy="{}" r="3.5"/>').format(
        " ".join(at), x, y
    )


class _Plane:
    """Where things lie on one drawing."""

    def __init__(
        self, points: Sequence[Point], spans: Sequence[Span], words: Words, top: float, width: int, height: int
    ) -> None:
        self.points, self.spans, self.words = points, spans, words
        self.width, self.height = width, height + _SPANS * len(spans)
        self.floor = height - _BOTTOM
        self.first, self.last = points[0].when, points[-1].when
        self.days = max((self.last - self.first) / timedelta(days=1), 1.0)
        most = max(top, *(p.value + _BAND * p.sd for p in points))
        self.step = _step(most)
        self.ticks = math.ceil(most / self.step - 1e-9)
        self.top = self.step * self.ticks

    def x(self, when: datetime) -> float:
        inside = min(max((when - self.first) / timedelta(days=1), 0.0), self.days)
        return _LEFT + (self.width - _LEFT - _RIGHT) * inside / self.days

    def y(self, value: float) -> float:
        return self.floor - (self.floor - _TOP) * min(max(value, 0.0), self.top) / self.top

    def draw(self) -> Drawing:
        parts = [*self._grid(), self._band(), self._line(), *self._dots(), *self._dates(), *self._spans()]
        return Drawing(self.width, self.height, Markup("").join(parts))

    def _grid(self) -> list[Markup]:
        lines = []
        for i in range(self.ticks + 1):
            y, label = self.y(i * self.step), self.words.number(i * self.step)
            lines.append(
                Markup('<line class="{}" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>').format(
                    "grid" if i else "axis", _LEFT, self.width - _RIGHT, y, y
                )
                + Markup('<text x="{}" y="{:.1f}" text-anchor="end">{}</text>').format(_LEFT - 8, y + 4, label)
            )
        return lines

    def _band(self) -> Markup:
        upper = [f"{self.x(p.when):.1f},{self.y(p.value + _BAND * p.sd):.1f}" for p in self.points]
        lower = [f"{self.x(p.when):.1f},{self.y(p.value - _BAND * p.sd):.1f}" for p in reversed(self.points)]
        return Markup('<polygon class="band" points="{}"/>').format(" ".join(upper + lower))

    def _line(self) -> Markup:
        at = " ".join(f"{self.x(p.when):.1f},{self.y(p.value):.1f}" for p in self.points)
        return Markup('<polyline class="line" points="{}"/>').format(at)

    def _dots(self) -> list[Markup]:
        last = len(self.points) - 1
        return [
            Markup(
                '<circle class="dot{}" data-when="{}" cx="{:.1f}" cy="{:.1f}" r="{}"><title>{}: {}</title></circle>'
            ).format(
                " dot--now" if i == last else "",
                p.when.isoformat(),
                self.x(p.when),
                self.y(p.value),
                5 if i == last else 4,
                escape(self.words.day(p.when)),
                self.words.number(p.value),
            )
            for i, p in enumerate(self.points)
        ]

    def _dates(self) -> list[Markup]:
        """First and last always; those between where there is room."""
        chosen: list[Point] = [self.points[-1]]
        for p in self.points[:-1]:
            if all(abs(self.x(p.when) - self.x(other.when)) >= _LABEL_PX for other in chosen):
                chosen.append(p)
        return [
            Markup('<text x="{:.1f}" y="{}" text-anchor="{}">{}</text>').format(
                self.x(p.when), self.floor + 18, self._anchor(p), self.words.short_day(p.when)
            )
            for p in chosen
        ]

    def _anchor(self, p: Point) -> str:
        return {self.points[0]: "start", self.points[-1]: "end"}.get(p, "middle")

    def _spans(self) -> list[Markup]:
        lanes = []
        for lane, span in enumerate(self.spans):
            y = self.floor + _BOTTOM + lane * _SPANS
            start, end = self.x(span.start), self.x(span.end or self.last)
            lanes.append(
                Markup('<rect class="span" x="{:.1f}" y="{}" width="{:.1f}" height="{}" rx="5"/>').format(
                    start, y, max(end - start, 4.0), _SPANS - 5
                )
                + Markup('<text class="span-name" x="{:.1f}" y="{}">{}</text>').format(
                    min(start + 8, self.width * 0.7), y + 13, _cut(span.name, self.width // 12)
                )
            )
        return lanes


def _cut(name: str, most: int) -> str:
    """A name in so many letters, the last of them an ellipsis where it has more."""
    return name if len(name) <= most else f"{name[: most - 1]}…"


def _step(most: float) -> float:
    """The smallest of 1, 2, 5, 10 … of which at most `_MOST_TICKS` are needed to reach the top."""
    scale = 10.0 ** math.floor(math.log10(max(most / _MOST_TICKS, 1.0)))
    return next(n * scale for n in (1, 2, 5, 10) if n * scale * _MOST_TICKS >= most - 1e-9)
