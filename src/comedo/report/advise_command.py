"""`comedo advise`: thin. The advice goes to stdout; questions and all else go to stderr."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from comedo.guidance.advice import Advice
    from comedo.guidance.answers import Answers


def advise(
    analysis: Annotated[Path, typer.Argument(metavar="ANALYSIS.json", help="What analyze wrote; - is standard input.")],
    answers: Annotated[Path | None, typer.Option(metavar="FILE", help="Answers, as YAML or JSON.")] = None,
    change: Annotated[Path | None, typer.Option(metavar="FILE", help="What track wrote of the series.")] = None,
    ask: Annotated[bool, typer.Option("--ask", help="Ask the questions here.")] = False,
    language: Annotated[str, typer.Option(metavar="CODE", help="en or de.")] = "en",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document (comedo.advice/1).")] = False,
    save_answers: Annotated[Path | None, typer.Option(metavar="FILE", help="Keep the answers for next time.")] = None,
) -> None:
    """Show what guidelines list for an analysis, each line with its source; no diagnosis, no prescription.

    What may not be listed for a person is withheld by the answers; a question left out counts as the cautious answer.
    """
    if (answers is None) is not ask:
        raise typer.BadParameter("give either --answers FILE or --ask", param_hint="--answers")
    if ask and str(analysis) == "-":
        raise typer.BadParameter("standard input cannot hold both the analysis and the answers", param_hint="--ask")
    if save_answers is not None and save_answers.exists():
        raise typer.BadParameter(
            f"{save_answers.name} is there already; name another file", param_hint="--save-answers"
        )
    from comedo.guidance.answers_file import read_answers, write_answers
    from comedo.report.advise import advise as run
    from comedo.report.written import read_analysis

    document = read_analysis(analysis)
    given = read_answers(answers) if answers is not None else _ask(language)
    _show(run(document, given, change=change, language=language), as_json)
    if save_answers is not None:  # last: what was typed has been of use even where it cannot be kept
        write_answers(given, save_answers)


def _show(advice: Advice, as_json: bool) -> None:
    if as_json:
        from comedo.report.advice_document import advice_to_json

        typer.echo(advice_to_json(advice).encode())  # bytes: UTF-8 whatever the terminal speaks
        return
    from rich.console import Console

    from comedo.report.advice_text import print_advice

    print_advice(advice, Console(highlight=False))


def _ask(language: str) -> Answers:
    from comedo.guidance.load import load_catalogue, load_tables
    from comedo.guidance.questionnaire import ask

    return ask(load_tables().questions, load_catalogue(language), _read, lambda text: typer.echo(text, err=True))


def _read(prompt: str) -> str:
    """A typed line; the prompt of a library would put a space on stdout, where only the advice belongs."""
    typer.echo(f"{prompt}: ", err=True, nl=False)
    line = sys.stdin.readline()
    if not line:
        raise typer.Abort
    return line
