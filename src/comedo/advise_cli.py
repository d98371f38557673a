"""The command `comedo advise`: thin. The advice goes to stdout; questions and all else go to stderr."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from comedo.guidance.advice import Advice
    from comedo.guidance.answers import Answers

ADVISE_EXAMPLES = """
[bold]Examples[/bold]

  comedo advise out/selfie.json --ask --save-answers answers.yaml

  comedo advise out/selfie.json --answers answers.yaml --language de

  comedo advise out/selfie.json --answers answers.yaml --json > advice.json

  comedo report out/selfie.json --photo selfie.jpg --advice advice.json

[bold]An answers file[/bold] (docs/guidance-answers.md explains every value)

  age: 24

  sex: female (or male, undisclosed)

  pregnancy: possible (or not_possible, trying, pregnant)

  breast_feeding: no (or yes)

  skin_type: oily (or dry, combination, sensitive)

  sun: rarely_burns (or always_burns, sometimes_burns, never_burns)

  distress: some (or none, marked)

  treatments: - {what: benzoyl_peroxide, weeks: 6, now: yes, helped: partly}

  allergies, conditions, scars, red_flags: lists; an empty one says none

A wrong value is refused with the values that its field takes.
"""


def advise(
    analysis: Annotated[Path, typer.Argument(metavar="ANALYSIS.json", help="What analyze wrote; - is standard input.")],
    answers: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The person's answers, as YAML or JSON; what is left out or null counts as the cautious answer.",
        ),
    ] = None,
    ask: Annotated[
        bool, typer.Option("--ask", help="Ask the questions here instead; an empty line leaves one open.")
    ] = False,
    save_answers: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keep the answers in a new file, for --answers next time.")
    ] = None,
    change: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="change.json of comedo track, of a series that ends with this photo: adds what changed and the "
            "12-week review.",
        ),
    ] = None,
    reviewed: Annotated[
        bool, typer.Option("--reviewed", help="Go by the last review beside the analysis (comedo review).")
    ] = False,
    language: Annotated[str, typer.Option(metavar="CODE", help="Language of the texts: en or de.")] = "en",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document (comedo.advice/1), as comedo report --advice takes.")
    ] = False,
) -> None:
    """Show what guidelines list for an analysis, each line with its source; no diagnosis, no prescription.

    What may not be listed for a person is withheld by the answers, and the page says what and why.
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
    from comedo.review.store import load_reviewed

    subject = load_reviewed(analysis) if reviewed else read_analysis(analysis)
    given = read_answers(answers) if answers is not None else _ask(language)
    _show(run(subject, given, change=change, language=language), as_json)
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
