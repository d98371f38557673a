"""The words of the printed report. Another language is one more file beside en.yaml with the same keys."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

from comedo.errors import UnusableInput
from comedo.report.markup import UNKNOWN, number
from comedo.report.sentences import translate

FOLDER = Path(__file__).parent
Names = dict[str, str]


class Texts(BaseModel):
    """Every word of one language, by key; what an analysis says in a word of its own keeps that word."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    language: str
    decimal: str
    frame: Names
    regions: Names
    groups: Names
    shapes: Names
    kinds: Names
    scales: Names
    levels: Names
    verdicts: Names
    measures: Names
    answers: Names
    checks: Names

    def say(self, key: str, **values: object) -> str:
        """A text of the frame with its values filled in."""
        return self.frame[key].format(**values)

    def number(self, value: str | float | int | None) -> str:
        """A value as the language writes it; unknown is a dash."""
        if isinstance(value, bool):
            return self.frame["yes" if value else "no"]
        text = number(value)
        return text.replace(".", self.decimal) if isinstance(value, float) else text

    def interval(self, pair: tuple[float, float] | None) -> str:
        """A range in words."""
        if pair is None:
            return UNKNOWN
        return self.say("interval", low=self.number(pair[0]), high=self.number(pair[1]))

    def sentence(self, written: str) -> str:
        """A sentence of the library in this language; one that the catalogue does not hold stays English."""
        return translate(written, self.language) or written

    def tell(self, sentences: Iterable[str]) -> dict[str, str | None]:
        """Sentences of the library, each with what it is in this language; None: the catalogue does not hold it."""
        return {written: translate(written, self.language) for written in sentences}

    def level(self, word: str) -> str:
        """The name of a level."""
        return self.levels.get(word, word)


def languages() -> tuple[str, ...]:
    """The languages that the report speaks, English first."""
    return tuple(sorted((path.stem for path in FOLDER.glob("*.yaml")), key=lambda code: (code != "en", code)))


@cache
def load_texts(language: str) -> Texts:
    """The words of one language.

    Raises:
        UnusableInput: The report does not speak it.
    """
    if language not in languages():
        raise UnusableInput(f"language: expected one of {', '.join(languages())}, got {language[:20]!r}")
    return Texts.model_validate(yaml.safe_load((FOLDER / f"{language}.yaml").read_text("utf-8")))
