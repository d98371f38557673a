"""Training recipes: short YAML files read into frozen values; unknown keys are refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

import yaml
from pydantic import TypeAdapter, ValidationError

from comedo.errors import UnusableInput

Value = TypeVar("Value")


def build(kind: type[Value], values: object, where: str) -> Value:
    """Fill a dataclass, and those inside it, from plain values.

    Raises:
        UnusableInput: An unknown key, an absent one, or a value of the wrong type.
    """
    if not isinstance(values, Mapping):
        raise UnusableInput(f"{where} must be a group of keys, got {values!r}")
    assert is_dataclass(kind)
    known = {f.name: f for f in fields(kind)}
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise UnusableInput(f"{where} has no {', '.join(map(str, unknown))}; it knows {', '.join(known)}")
    required = [n for n, f in known.items() if f.default is MISSING and f.default_factory is MISSING]
    absent = sorted(set(required) - set(values))
    if absent:
        raise UnusableInput(f"{where} lacks {', '.join(absent)}")
    hints = get_type_hints(kind)
    return kind(**{name: _value(hints[name], value, f"{where}.{name}") for name, value in values.items()})


def _value(hint: Any, value: object, where: str) -> object:
    options = [hint, *getattr(hint, "__args__", ())]
    inner = next((o for o in options if isinstance(o, type) and is_dataclass(o)), None)
    if inner is not None and isinstance(value, Mapping):
        return build(inner, value, where)
    try:
        checked: object = TypeAdapter[object](hint).validate_python(value)
    except ValidationError as error:
        raise UnusableInput(f"{where}: {error.errors()[0]['msg']}, got {value!r}") from error
    return checked


def read_values(path: Path, changes: Sequence[str] = ()) -> dict[str, object]:
    """The values of a recipe's file, with changes made to them.

    Args:
        path: A YAML file that starts with `task` and its name.
        changes: `key=value` with dots for keys inside keys; the value is read as YAML.

    Raises:
        UnusableInput: The file is absent, no YAML, or names no task.
    """
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise UnusableInput(f"cannot read the recipe {path}: {error}") from error
    if not isinstance(values, dict) or "task" not in values:
        raise UnusableInput(f"{path} must start with `task:` and its name")
    for change in changes:
        _change(values, change)
    return values


def _change(values: dict[str, object], change: str) -> None:
    key, sign, text = change.partition("=")
    *outer, last = key.split(".")
    if not sign or not last or key == "task":
        raise UnusableInput(f"--set wants key=value, for example schedule.steps=100; got {change!r}")
    place = values
    for name in outer:
        inside = place.setdefault(name, {})
        if not isinstance(inside, dict):
            raise UnusableInput(f"--set {change}: {name} is a value and holds no keys")
        place = inside
    place[last] = yaml.safe_load(text)
