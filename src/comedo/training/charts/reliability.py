"""Whether numbers mean what they say, as a picture: said against true, with how many stand behind each dot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from comedo.training.charts.plots import SIZE, STROKES, Axes, Line, rule, text, with_names
from comedo.training.metrics.reliability import Reliability, pool_ranges, spread

_STRIP = 13  # height of a line of numbers below the chart, pixels
_SMALLEST, _LARGEST = 2.0, 6.0  # radius of a dot, whose area goes with how many it stands for


@dataclass(frozen=True)
class Curve:
    """One curve: its parts, such as one for each photo, and the person of each."""

    name: str
    parts: Sequence[Reliability]
    people: Sequence[str]


def reliability_chart(
    title: str, curves: Sequence[Curve], *, x: str = "said", y: str = "true share", ticks: Sequence[float] = ()
) -> str:
    """Dots on the dotted diagonal mean what they say; under it they say too much, above it too little.

    Bars are 90 % intervals by drawing people again, where two people or more are in a range. Numbers below the
    chart count each range; names carry how many there are in all and the mean distance from the diagonal.

    Args:
        title: What is shown.
        curves: At least one; at most five can be told apart. One without anything in it has no dots.
        x: Name of the horizontal axis.
        y: Name of the vertical axis.
        ticks: Numbers of both axes; none for quarters.
    """
    pooled = [pool_ranges(curve.parts) for curve in curves]
    low, high = pooled[0].ends
    below = 4.0 + _STRIP * len(curves)
    axes = Axes(x, y, (low, high, low, high), ticks, below)
    parts = [*axes.draw(title), rule(axes.at(low, low), axes.at(high, high), "d")]
    most = max([*(float(found.sums[:, 0].max()) for found in pooled), 1.0])
    for number, (curve, found) in enumerate(zip(curves, pooled, strict=True)):
        bars = spread(curve.parts, curve.people) if found.number else np.full((len(found.sums), 2), np.nan)
        parts += _dots(axes, found, bars, number, most)
        parts += _numbers(axes, found, number)
    names = [f"{c.name} ({in_short(p.number)}){_error(p)}" for c, p in zip(curves, pooled, strict=True)]
    return with_names(title, parts, [Line(name, (), dots=True) for name in names], SIZE + below)


def _dots(axes: Axes, found: Reliability, bars: NDArray[np.float64], number: int, most: float) -> list[str]:
    """The curve, its bars, and its dots, each with its numbers in words."""
    colour, dash = STROKES[number % len(STROKES)]
    places = [axes.at(b.said, b.true) for b in found.bins]
    path = " ".join(f"{a:.1f},{b:.1f}" for a, b in places)
    parts = [f'<polyline class="f" stroke="{colour}" stroke-dasharray="{dash}" points="{path}"/>']
    kept = bars[found.sums[:, 0] > 0]
    for (a, b), said, (low, high) in zip(places, found.bins, kept, strict=True):
        words = f"said {said.said:.3g}, true {said.true:.3g}, {said.number} of them"
        if np.isfinite(low):
            (_, bottom), (_, top) = axes.at(said.said, low), axes.at(said.said, high)
            parts.append(f'<line x1="{a:.1f}" x2="{a:.1f}" y1="{bottom:.1f}" y2="{top:.1f}" stroke="{colour}"/>')
            words += f", 90 % interval {low:.3g} to {high:.3g}"
        radius = _SMALLEST + (_LARGEST - _SMALLEST) * (said.number / most) ** 0.5
        dot = f'<circle cx="{a:.1f}" cy="{b:.1f}" r="{radius:.1f}" fill="{colour}" fill-opacity="0.8">'
        parts.append(f"{dot}<title>{escape(words)}</title></circle>")
    return parts


def _numbers(axes: Axes, found: Reliability, number: int) -> list[str]:
    """How many fell into each range, under its middle, in the colour of the curve."""
    low, high = found.ends
    y = axes.at(low, low)[1] + 29 + _STRIP * number
    colour, _ = STROKES[number % len(STROKES)]
    width = (high - low) / len(found.sums)
    style = f'class="n" style="fill:{colour};text-anchor:middle"'
    middles = [axes.at(low + (place + 0.5) * width, low)[0] for place in range(len(found.sums))]
    return [
        text(30, y, "n =", "n"),
        *(
            f'<text x="{x:.1f}" y="{y:.1f}" {style}>{in_short(int(many))}</text>'
            for x, many in zip(middles, found.sums[:, 0], strict=True)
        ),
    ]


def _error(found: Reliability) -> str:
    return "" if found.error is None else f": error {found.error:.3f}"


def in_short(number: int) -> str:
    """A count in few characters: 12, 3.4k, 56k, 7.8M."""
    for unit, name in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= unit:
            value = number / unit
            return f"{value:.1f}{name}" if value < 9.95 else f"{value:.0f}{name}"
    return str(number)
