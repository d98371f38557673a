"""The command `comedo`: thin. Results go to files or, as JSON lines, to stdout; all else goes to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from comedo import __version__
from comedo.advise_cli import ADVISE_EXAMPLES, advise
from comedo.errors import ComedoError, missing_extra
from comedo.exchange import cli as exchange
from comedo.track_cli import TRACK_EXAMPLES, track

EXAMPLES = """
[bold]Examples[/bold]

  comedo analyze selfie.jpg                    results into the folder out

  comedo analyze photos/ --out results         every photo of a folder

  comedo analyze --sample                      a rendered face

  comedo analyze *.jpg --json > results.jsonl  one JSON document a line

[bold]Exit code[/bold]: 0 all analysed, 2 unusable input, 3 no face; of several photos the worst. 1: anything else.

comedo measures appearance. It is research software, not a medical device, and makes no diagnosis.
"""

app = typer.Typer(
    name="comedo",
    help="Acne measurements from face photos, on this computer.",
    epilog=EXAMPLES,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Convention(StrEnum):
    """How lesions are counted."""

    VISIBLE = "visible"
    ACNE04_V1 = "acne04-v1"


def main() -> None:
    """Run the command; whatever happens, a person meets a short message and no stack trace."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a name that the terminal cannot show must not end the run
    try:
        app()
    except ComedoError as error:
        _stop(error, error.exit_code)
    except Exception as error:  # noqa: BLE001 - the last resort
        _stop(error, 1)


def _stop(error: Exception, code: int) -> NoReturn:
    if "--debug" in sys.argv[1:]:
        raise error
    what = str(error) if isinstance(error, ComedoError) else f"unexpected {type(error).__name__}: {error}"
    hint = "" if isinstance(error, ComedoError) else " (--debug shows where)"
    typer.echo(f"comedo: {what}{hint}", err=True)
    sys.exit(code)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"comedo {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop.")
    ] = False,
    _debug: Annotated[bool, typer.Option("--debug", help="Show the stack trace of an unexpected error.")] = False,
) -> None:
    pass


@app.command(epilog=EXAMPLES)
def analyze(
    photos: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="PHOTO...", help="Photos (JPEG, PNG, WebP, HEIC), folders of them, or - for standard input."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="DIR", help="Folder for the results; by default out, with --json none."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document a line; files only with --out.")
    ] = False,
    allow_poor: Annotated[
        bool, typer.Option("--allow-poor", help="Analyse photos that the quality gate refuses, and mark them.")
    ] = False,
    count_convention: Annotated[
        Convention, typer.Option(help="visible: every visible active lesion; acne04-v1: sparser, as that set counts.")
    ] = Convention.VISIBLE,
    sample: Annotated[bool, typer.Option("--sample", help="Analyse a rendered sample face.")] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Photos at a time; by default one for each core.")
    ] = None,
    models: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Your own networks: manifest.json beside face-map or lesion-map."),
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show the stack trace of an unexpected error.")] = False,
) -> None:
    """Analyse photos: NAME.json, NAME.overlay.png, NAME.mask.png, report.html; of several photos results.csv too.

    Nothing is lost: files are replaced only by those of the same photo, another of the same name becomes NAME-2.
    """
    if not photos and not sample:
        raise typer.BadParameter("name at least one photo or folder, or use --sample", param_hint="PHOTO")
    from comedo.report.job import Job

    folder = out if out is not None or as_json else Path("out")
    job = Job(photos or [], sample, folder, as_json, allow_poor, str(count_convention), workers, debug, models)
    raise typer.Exit(job.run())


app.command(epilog=ADVISE_EXAMPLES)(advise)
app.command(epilog=TRACK_EXAMPLES)(track)


@app.command()
def info(as_json: Annotated[bool, typer.Option("--json", help="As one JSON document.")] = False) -> None:
    """Show versions, networks, formats and conventions."""
    from comedo.report.about import about

    facts = about()
    if as_json:
        typer.echo(json.dumps(facts))
        return
    for name, value in facts.items():
        typer.echo(f"{name.replace('_', ' ')}: {_plain(value)}")


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k} {_plain(v)}" for k, v in value.items())
    if isinstance(value, list):
        return ", ".join(map(_plain, value)) or "none"
    return "not installed" if value is None else str(value)


_PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


@app.command(context_settings=_PASS_ON, add_help_option=False)
def train(context: typer.Context) -> None:
    """Train a network by a recipe; needs the extra train."""
    _training("train", context.args)


@app.command(context_settings=_PASS_ON, add_help_option=False)
def quantize(context: typer.Context) -> None:
    """Write a network's faster twin in 8-bit integers; needs the extra train."""
    _training("quantize", context.args)


@app.command(context_settings=_PASS_ON, add_help_option=False)
def calibrate(context: typer.Context) -> None:
    """Fit cut-offs, count intervals and severity to trained networks; needs the extra train."""
    _training("calibrate", context.args)


@app.command(context_settings=_PASS_ON, add_help_option=False)
def calibrate_change(context: typer.Context) -> None:
    """Fit the noise of repeat photos (extra: train)."""
    _training("calibrate-change", context.args)


@app.command(context_settings=_PASS_ON, add_help_option=False)
def evaluate_change(context: typer.Context) -> None:
    """Measure how well changes over time are told (extra: train)."""
    _training("evaluate-change", context.args)


@app.command(context_settings=_PASS_ON, add_help_option=False)
def evaluate(context: typer.Context) -> None:
    """Measure the networks against annotations; needs the extra train."""
    _training("evaluate", context.args)


@app.command(context_settings=_PASS_ON, add_help_option=False)
def evaluate_run(context: typer.Context) -> None:
    """Measure what a run of `comedo train` left behind; needs the extra train."""
    _training("evaluate-run", context.args)


@app.command(context_settings=_PASS_ON, add_help_option=False)
def predict(context: typer.Context) -> None:
    """Apply a run of `comedo train` to new photos; needs the extra train."""
    _training("predict", context.args)


@app.command(context_settings=_PASS_ON, add_help_option=False)
def experiment(context: typer.Context) -> None:
    """Compare recipes and changes of them in one table; needs the extra train."""
    _training("experiment", context.args)


@app.command(context_settings=_PASS_ON, add_help_option=False)
def data(context: typer.Context) -> None:
    """Convert, audit, split and look at labelled photos (extra: train)."""
    _training("data", context.args)


@app.command(context_settings=_PASS_ON, add_help_option=False)
def admin(context: typer.Context) -> None:
    """Look after the service: clinicians, backups, checks (extra: service)."""
    with _extra("admin", "service"):
        from comedo.service.admin_cli import app as commands

        commands(context.args, prog_name="comedo admin")


def _training(command: str, arguments: list[str]) -> None:
    """Hand over to the training commands, loaded only now: the run time does without torch."""
    with _extra(command, "train"):
        from comedo.training.cli import app as training

        training([command, *arguments], prog_name="comedo")


@app.command(context_settings=_PASS_ON, add_help_option=False)
def serve(context: typer.Context) -> None:
    """Start pages and API, with everything kept on this computer (extra: service)."""
    with _extra("serve", "service"):
        from comedo.service.serve_cli import app as service

        service(context.args, prog_name="comedo serve")


@contextmanager
def _extra(command: str, name: str) -> Iterator[None]:
    """Name the extra where a package of it is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "comedo":
            raise
        raise missing_extra(f"comedo {command}", error.name, name) from error


exchange.register(app)

if __name__ == "__main__":
    main()
