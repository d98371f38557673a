"""Reads the packaged tables and catalogues, once a process, when they are first needed."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from comedo.errors import UnusableInput
from comedo.guidance.catalogue import Catalogue, check_catalogue
from comedo.guidance.tables import Tables

TABLES = Path(__file__).parent / "tables"
CATALOGUES = Path(__file__).parent / "catalogues"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same language, ten times faster where it was built
_LINE_TABLES = ("treatments", "restrictions", "flags", "care")


@cache
def load_tables(folder: Path = TABLES) -> Tables:
    """The tables of a folder; `reviewed_by_clinician` holds only where it holds for every one.

    Raises:
        UnusableInput: A table is absent, or breaks a rule; the message names the row.
    """
    parts: dict[str, Any] = {}
    reviewed = []
    for name in ("sources", "questions", *_LINE_TABLES):
        values = _read(folder / f"{name}.yaml")
        if name in _LINE_TABLES:
            reviewed.append(values.pop("reviewed_by_clinician", False) is True)
        parts |= values
    try:
        return Tables.model_validate({**parts, "reviewed_by_clinician": all(reviewed)})
    except ValidationError as error:
        raise UnusableInput(f"guideline tables in {folder.name}: {_first(error)}") from error


def languages(folder: Path = CATALOGUES) -> tuple[str, ...]:
    """The languages there are catalogues for, English first."""
    found = sorted(path.stem for path in folder.glob("*.yaml"))
    return tuple(sorted(found, key=lambda code: code != "en"))


@cache
def load_catalogue(language: str, folder: Path = CATALOGUES) -> Catalogue:
    """The texts of one language.

    Raises:
        UnusableInput: There is no such catalogue, or it lacks a text.
    """
    if language not in languages(folder):
        raise UnusableInput(f"language: expected one of {', '.join(languages(folder))}, got {language[:20]!r}")
    try:
        catalogue = Catalogue.model_validate(_read(folder / f"{language}.yaml"))
        check_catalogue(catalogue, load_tables())
    except ValidationError as error:
        raise UnusableInput(f"catalogue {language}: {_first(error)}") from error
    except ValueError as error:
        raise UnusableInput(f"catalogue {language}: {error}") from error
    return catalogue


def _read(path: Path) -> dict[str, Any]:
    try:
        values = yaml.load(path.read_text(encoding="utf-8"), _LOADER)
    except (OSError, yaml.YAMLError) as error:
        raise UnusableInput(f"cannot read {path.name} of the guideline tables: {error}") from error
    if not isinstance(values, dict):
        raise UnusableInput(f"{path.name} of the guideline tables must be a group of keys")
    return values


def _first(error: ValidationError) -> str:
    problem = error.errors()[0]
    place = ".".join(map(str, problem["loc"]))
    return f"{place}: {problem['msg']}" if place else problem["msg"]
