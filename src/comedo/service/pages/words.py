"""The texts of the pages. Another language is one more file beside en.yaml with the same keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType

import yaml

from comedo.report.sentences import translate

LANGUAGES = ("en", "de")
DEFAULT_LANGUAGE = LANGUAGES[0]


@dataclass(frozen=True)
class Words:
    """Every text of a language by its dotted key, "result.title"."""

    language: str
    texts: Mapping[str, str]

    def say(self, key: str, **values: object) -> str:
        """A text with its values filled in.

        Raises:
            KeyError: There is no such text; a test holds the templates to the catalogues.
        """
        text = self.texts[key]
        return text.format(**values) if values else text

    def count(self, key: str, n: int, **values: object) -> str:
        """A text in the singular, `key.one`, or the plural, `key.many`."""
        return self.say(f"{key}.{'one' if n == 1 else 'many'}", n=n, **values)

    def tell(self, sentence: str) -> str:
        """A sentence that the library wrote in English; one that no catalogue holds stays as it is."""
        return translate(sentence, self.language) or sentence

    def refuse(self, code: str, detail: str) -> str:
        """What was refused and what to do, in words: by its code, else by its own sentence, else that it failed."""
        key = f"refusal.{code}"
        return self.say(key) if self.has(key) else translate(detail, self.language) or self.say("refusal.other")

    def has(self, key: str) -> bool:
        """Whether there is such a text."""
        return key in self.texts

    def day(self, day: date) -> str:
        """A date as the language writes it; the month in letters, so that no one mistakes it for the day."""
        return self.say("date.long", day=day.day, month=self.say(f"date.month.{day.month}"), year=day.year)

    def short_day(self, day: date) -> str:
        """Day and month."""
        return self.say("date.short", day=day.day, month=self.say(f"date.month.{day.month}")[:3])

    def number(self, value: float | int | None, digits: int = 1) -> str:
        """A number as the language writes it; unknown is a dash."""
        if value is None:
            return "–"
        text = f"{value:.{digits}f}" if isinstance(value, float) else str(value)
        if "." in text:
            text = text.rstrip("0").rstrip(".")
        return text.replace(".", self.texts["date.decimal"])

    def percent(self, share: float | None, digits: int = 0) -> str:
        """A share of 1 in per cent."""
        return "–" if share is None else self.say("date.percent", n=self.number(100.0 * share, digits))


@lru_cache(maxsize=len(LANGUAGES))
def load_words(language: str) -> Words:
    """The catalogue of one of `LANGUAGES`."""
    text = files("comedo.service").joinpath("locale", f"{language}.yaml").read_text("utf-8")
    return Words(language, MappingProxyType(dict(_flat(yaml.safe_load(text)))))


def _flat(node: Mapping[object, object], above: str = "") -> Iterator[tuple[str, str]]:
    for key, value in node.items():
        path = f"{above}{key}"
        if isinstance(value, Mapping):
            yield from _flat(value, f"{path}.")
        else:
            yield path, str(value)


def choose_language(wanted: str | None, accepted: str) -> str:
    """The person's own choice, else the first of the browser's languages that there is.

    Args:
        wanted: What the person chose, if anything.
        accepted: The header Accept-Language.
    """
    if wanted in LANGUAGES:
        return str(wanted)
    asked = (part.split(";")[0].strip().lower()[:2] for part in accepted[:200].split(","))
    return next((language for language in asked if language in LANGUAGES), DEFAULT_LANGUAGE)
