"""An evaluation as JSON, as a table for the terminal, and as Markdown for the model card."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from comedo.report.whole_file import write_whole
from comedo.training.evaluation.evaluate import Evaluation, Measured
from comedo.training.figures import Figure

SCHEMA = "comedo.evaluation/1"
_HEAD = ("figure", "value", "90 % interval", "baseline", "definition")


def to_json(evaluation: Evaluation) -> str:
    """One JSON document; unknown is null."""
    return json.dumps({"schema": SCHEMA, **asdict(evaluation)}, indent=2, allow_nan=False)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"


def _cells(figure: Figure) -> tuple[str, str, str, str, str]:
    spread = "–" if figure.interval_90 is None else " to ".join(_number(end) for end in figure.interval_90)
    return figure.name, _number(figure.value), spread, _number(figure.baseline), figure.definition


def print_tables(evaluation: Evaluation, console: Console) -> None:
    """One table for each scale of input, then the notes."""
    console.print(f"[bold]{evaluation.predictor}[/bold] on {evaluation.data}, split {evaluation.split}")
    for section in evaluation.sections:
        table = Table(title=f"{section.name}: {section.photos} photos of {section.people} people", title_justify="left")
        for index, head in enumerate(_HEAD):
            table.add_column(head, justify="right" if 0 < index < 4 else "left")
        for figure in section.figures:
            table.add_row(*_cells(figure))
        console.print(table)
    for note in evaluation.notes:
        console.print(f"- {note}")


def _markdown(evaluation: Evaluation) -> Iterator[str]:
    yield f"`{evaluation.predictor}` on {evaluation.data}, split `{evaluation.split}`; intervals are bootstrapped by"
    yield f"person; baseline: {evaluation.baseline}."
    for section in evaluation.sections:
        yield f"\n**{section.name}**: {section.photos} photos of {section.people} people\n"
        yield "| " + " | ".join(_HEAD) + " |"
        yield "|---|---:|---:|---:|---|"
        for figure in section.figures:
            yield "| " + " | ".join(_cells(figure)) + " |"
    yield ""
    for note in evaluation.notes:
        yield f"- {note}"


def to_markdown(evaluation: Evaluation) -> str:
    """Tables for MODEL_CARD.md."""
    return "\n".join(_markdown(evaluation)) + "\n"


def write_measured(measured: Measured, out: Path) -> None:
    """Write evaluation.json, evaluation.md and one SVG for each drawing.

    Raises:
        OSError: A file cannot be written.
    """
    write_whole(out / "evaluation.json", [to_json(measured.evaluation).encode()])
    lines = to_markdown(measured.evaluation) + "".join(f"\n![{name}]({name}.svg)\n" for name in measured.pictures)
    write_whole(out / "evaluation.md", [lines.encode()])
    for name, svg in measured.pictures.items():
        write_whole(out / f"{name}.svg", [svg.encode()])
