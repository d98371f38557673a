"""What the commands of the training toolkit share."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from importlib.resources import files
from pathlib import Path
from typing import ParamSpec

import typer

from comedo.errors import ComedoError

_P = ParamSpec("_P")
RECIPES = Path(str(files("comedo.training"))) / "recipes"  # part of the package


def plain_errors(command: Callable[_P, None]) -> Callable[_P, None]:
    """Our errors as one sentence and their exit code, without a stack trace."""

    @wraps(command)
    def guarded(*args: _P.args, **kwargs: _P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except ComedoError as error:
            typer.echo(f"comedo: {error}", err=True)
            raise typer.Exit(error.exit_code) from error

    return guarded
