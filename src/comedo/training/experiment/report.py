"""The table of an experiment as Markdown and as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import groupby

from comedo.training.experiment.plan import ExperimentPlan
from comedo.training.experiment.table import Line, Outcome

_ROW, _NAMES, _PANEL, _GAP, _TOP, _FOOT = 22, 250, 230, 24, 64, 34
_STYLE = (
    "text{font:12px sans-serif;fill:#222}.h{font-weight:600}.s{fill:#666}.g{stroke:#ddd}"
    ".i{stroke:#0b6e8f;stroke-width:2}.d{fill:#0b6e8f}.b{stroke:#b5442e;stroke-dasharray:3 3}"
)


def to_markdown(plan: ExperimentPlan, lines: Sequence[Line]) -> str:
    """One table; each group's lines are compared with its first."""
    figures = plan.figures
    heads = ["", *figures, f"{figures[0]}: difference to the first", "trained"]
    rows = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for group, members in groupby(lines, key=lambda line: line.group):
        rows.append(f"| **{group}** " + "| " * (len(heads) - 1) + "|")
        for line in members:
            cells = [_plain(line.outcomes[f]) for f in figures]
            first = line.outcomes[figures[0]]
            difference = _spread(first.difference, first.difference_90, sign="+")
            rows.append(f"| {line.name} | {' | '.join(cells)} | {difference} | {_trained(line, first)} |")
    baselines = [f"{f} {_short(b)}" for f in figures if (b := lines[0].outcomes[f].baseline) is not None]
    seeds = ", ".join(map(str, plan.seeds))
    notes = [
        f"Means over seeds {seeds}, with 90 % intervals: of figures over people and seeds, of differences over seeds.",
        *([f"Baseline without learning: {', '.join(baselines)}."] if baselines else []),
        *(f"{line.group}, {line.name} failed: {reason}" for line in lines for reason in dict.fromkeys(line.failed)),
    ]
    return f"# {plan.experiment}\n\n{plan.description}\n\n" + "\n".join(rows) + "\n\n" + "\n\n".join(notes) + "\n"


def _plain(found: Outcome) -> str:
    return _spread(found.value, found.interval_90)


def _trained(line: Line, first: Outcome) -> str:
    return f"{first.seeds} {'seed' if first.seeds == 1 else 'seeds'}, {line.minutes:.0f} min"


def _spread(value: float | None, interval: tuple[float, float] | None, *, sign: str = "") -> str:
    if value is None:
        return "–"
    return _short(value, sign) + (
        "" if interval is None else f" ({_short(interval[0], sign)} to {_short(interval[1], sign)})"
    )


def _short(value: float, sign: str = "") -> str:
    return f"{value:{sign}.3f}" if abs(value) < 10 else f"{value:{sign}.1f}"


def to_svg(plan: ExperimentPlan, lines: Sequence[Line]) -> str:
    """Every figure as a panel of dots with their intervals, one row a line; the dashed line is the baseline."""
    rows = _rows(lines)
    height = _TOP + _ROW * len(rows) + _FOOT
    width = _NAMES + len(plan.figures) * (_PANEL + _GAP)
    parts = [_text(8, 20, plan.experiment, "h"), _text(8, 38, "mean over seeds, 90 % interval", "s")]
    for at, row in enumerate(rows):
        y = _TOP + _ROW * at + 15
        parts.append(_text(8, y, row, "h") if isinstance(row, str) else _text(20, y, row.name))
    for number, figure in enumerate(plan.figures):
        parts += _panel(figure, rows, _NAMES + number * (_PANEL + _GAP), height)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img">'
    ground = f'<rect width="{width}" height="{height}" fill="#fff"/>'
    return f"{head}<title>{escape(plan.experiment)}</title><style>{_STYLE}</style>{ground}{''.join(parts)}</svg>\n"


def _rows(lines: Sequence[Line]) -> list[str | Line]:
    """Names of groups, each followed by its lines."""
    return [row for group, members in groupby(lines, key=lambda line: line.group) for row in (group, *members)]


def _panel(figure: str, rows: Sequence[str | Line], left: float, height: float) -> list[str]:
    outcomes = [None if isinstance(row, str) else row.outcomes[figure] for row in rows]
    known = [o for o in outcomes if o is not None and o.value is not None]
    ends = [e for o in known for e in (o.value, *(o.interval_90 or ())) if e is not None]
    baseline = next((o.baseline for o in known if o.baseline is not None), None)
    low, high = min(ends, default=0.0), max(ends, default=1.0)
    room = 0.08 * (high - low) or 0.1
    low, high = low - room, high + room

    def across(value: float) -> float:
        return left + _PANEL * (value - low) / (high - low)

    parts = [_text(left, _TOP - 8, figure, "h")]
    for share in (0.0, 0.5, 1.0):
        x = left + share * _PANEL
        parts.append(f'<line class="g" x1="{x:.1f}" y1="{_TOP}" x2="{x:.1f}" y2="{height - _FOOT}"/>')
        parts.append(_text(x - 14, height - 14, f"{low + share * (high - low):.3g}", "s"))
    if baseline is not None and low <= baseline <= high:
        x = across(baseline)
        parts.append(f'<line class="b" x1="{x:.1f}" y1="{_TOP}" x2="{x:.1f}" y2="{height - _FOOT}"/>')
    for at, found in enumerate(outcomes):
        y = _TOP + _ROW * at + 11
        if found is None or found.value is None:
            continue
        if found.interval_90 is not None:
            x0, x1 = map(across, found.interval_90)
            parts.append(f'<line class="i" x1="{x0:.1f}" y1="{y}" x2="{x1:.1f}" y2="{y}"/>')
        parts.append(
            f'<circle class="d" cx="{across(found.value):.1f}" cy="{y}" r="4"><title>{_plain(found)}</title></circle>'
        )
    return parts


def _text(x: float, y: float, text: str, kind: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}"{f" class={kind!r}" if kind else ""}>{escape(text)}</text>'
