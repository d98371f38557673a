"""What the library writes in English sentences, in another language.

Documents keep a sentence as it was written, with its numbers. A catalogue (`texts/sentences/de.yaml`) holds each
English pattern beside its translation; a sentence is known again by its pattern and said anew. What a gap holds is told
by its name: `n`, `n2` a number, `numbers` several, `name` something that stays as it is, any other a phrase that is
translated in turn, or a list of such phrases.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Formatter

import yaml

from comedo.guidance.load import load_catalogue

FOLDER = Path(__file__).parent / "texts" / "sentences"
_NUMBER = r"-?\d+(?:[.,]\d+)*(?:e[-+]\d+)?"
_DEEPEST = 4  # a list of phrases with phrases in them


@dataclass(frozen=True)
class _Pattern:
    """One English pattern and what it becomes."""

    english: re.Pattern[str]
    other: str


@dataclass(frozen=True)
class _Speaker:
    """One language: its patterns, and how it writes numbers and lists."""

    patterns: tuple[_Pattern, ...]
    decimal: str
    joints: tuple[tuple[str, str], ...]

    def say(self, sentence: str, depth: int = 0) -> str | None:
        """The first pattern that fits with all that its gaps hold."""
        for pattern in self.patterns:
            found = pattern.english.fullmatch(sentence)
            said = None if found is None else self._fill(pattern, found.groupdict(), depth)
            if said is not None:
                return said
        return None

    def _fill(self, pattern: _Pattern, gaps: Mapping[str, str], depth: int) -> str | None:
        said = {name: self._gap(name, text, depth) for name, text in gaps.items()}
        return None if None in said.values() else pattern.other.format(**said)

    def _gap(self, name: str, text: str, depth: int) -> str | None:
        if name.startswith("numbers"):
            return "; ".join(self._number(part) for part in text.split(", "))
        if name.startswith("name"):
            return text
        if _is_number(name):
            return self._number(text)
        return None if depth == _DEEPEST else self.say(text, depth + 1) or self._list(text, depth + 1)

    def _list(self, text: str, depth: int) -> str | None:
        for english, other in self.joints:
            said = [self._gap("", part, depth) for part in re.split(english, text)]
            known = [part for part in said if part is not None]
            if len(said) > 1 and len(known) == len(said):
                return other.join(known)
        return None

    def _number(self, text: str) -> str:
        return text.replace(".", self.decimal)


def languages() -> tuple[str, ...]:
    """The languages that sentences can be said in."""
    return ("en", *sorted(path.stem for path in FOLDER.glob("*.yaml")))


def translate(sentence: str, language: str) -> str | None:
    """An English sentence of the library in another language; None where the catalogue does not hold it."""
    return sentence if language == "en" or not sentence else _speaker(language).say(sentence)


@cache
def _speaker(language: str) -> _Speaker:
    texts: dict[str, str] = yaml.safe_load((FOLDER / f"{language}.yaml").read_text("utf-8"))
    found = [_Pattern(_expression(english), other) for english, other in texts.items()]
    found.sort(key=lambda pattern: len(pattern.english.groupindex))  # with the fewest gaps first: they are the surest
    words = load_catalogue(language)
    joints = ((r" \+ ", " + "), (" and ", f" {words.join['and']} "), (", ", ", "), (r"(?<=\.) ", " "))
    return _Speaker(tuple(found), words.decimal, joints)


def _expression(english: str) -> re.Pattern[str]:
    """The pattern as a regular expression, each gap a group of its name."""
    parts = []
    for literal, name, _, _ in Formatter().parse(english):
        parts.append(re.escape(literal))
        if name is not None:
            parts.append(f"(?P<{name}>{_NUMBER if _is_number(name) else '.+?'})")
    return re.compile("".join(parts), re.DOTALL)


def _is_number(name: str) -> bool:
    return re.fullmatch(r"n\d?", name) is not None
