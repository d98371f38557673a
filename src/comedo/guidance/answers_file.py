"""Reads and writes a file of answers; what such a file may hold is little, and all else is refused."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from comedo.errors import UnusableInput
from comedo.guidance.answers import Answers, check_answers, plain_answers
from comedo.guidance.load import load_tables

MAX_BYTES = 64 * 1024
_COMMENT = "# Answers for `comedo advise`. null: not answered, which counts as the cautious answer.\n"


class _Loader(yaml.SafeLoader):
    """YAML without references, which could blow up, and without a field given twice, which would hide one."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("references (*name) are not allowed")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        twice = next((key for key in keys if keys.count(key) > 1), None)
        if twice is not None:
            raise yaml.YAMLError(f"the field {str(twice)[:40]!r} is given twice")
        if "<<" in keys:
            raise yaml.YAMLError("merging (<<) is not allowed")
        return super().construct_mapping(node, deep=deep)


def read_answers(path: Path) -> Answers:
    """Read a YAML or JSON file of answers.

    Raises:
        UnusableInput: It cannot be read, is too large, or a field is wrong; the message names the field.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UnusableInput(f"the answers {path.name} cannot be read: {error.strerror or error}") from error
    if len(data) > MAX_BYTES:
        raise UnusableInput(f"the answers {path.name} are larger than {MAX_BYTES // 1024} KiB; that is no answers file")
    return parse_answers(data)


def parse_answers(data: bytes) -> Answers:
    """Answers from the bytes of a file.

    Raises:
        UnusableInput: They are no YAML, or a field is wrong.
    """
    try:
        values = yaml.load(data.decode("utf-8-sig"), _Loader)
    except UnicodeDecodeError as error:
        raise UnusableInput("answers: the file is not UTF-8 text") from error
    except RecursionError as error:
        raise UnusableInput("answers: the file is nested too deeply") from error
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date or number that is none
        raise UnusableInput(f"answers: the file is not readable YAML or JSON: {_first_line(error)}") from error
    return check_answers({} if values is None else values, load_tables().questions)


def write_answers(answers: Answers, path: Path) -> None:
    """Write answers so that `read_answers` gives them back.

    Raises:
        UnusableInput: The file cannot be written.
    """
    text = yaml.safe_dump(plain_answers(answers, load_tables().questions), sort_keys=False, allow_unicode=True)
    try:
        path.write_text(_COMMENT + text, encoding="utf-8")
    except OSError as error:
        raise UnusableInput(f"the answers cannot be written to {path.name}: {error.strerror or error}") from error


def _first_line(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error)
    place = f" in line {mark.line + 1}" if mark is not None else ""
    text = "".join(c if c.isprintable() else "?" for c in problem.splitlines()[0][:120]) if problem else "?"
    return text + place
