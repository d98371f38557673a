"""The words of the field as a table, and how a note is cut into phrases of it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from comedo.errors import UnusableInput

SHIPPED = Path(__file__).with_name("lexicon.yaml")
_TOKEN = re.compile(r"[a-z]+(?:'[a-z]+)?|\d+(?:\.\d+)?")


class Lexicon(BaseModel):
    """Phrases of each meaning; see lexicon.yaml for what each does. A phrase is lower-case words, `*` ends a word."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    improved: tuple[str, ...]
    worse: tuple[str, ...]
    same: tuple[str, ...]
    less: tuple[str, ...]
    more: tuple[str, ...]
    lesion: tuple[str, ...]
    treatment: tuple[str, ...]
    negation: tuple[str, ...]
    no_longer: tuple[str, ...]
    hedge: tuple[str, ...]
    strong: tuple[str, ...]
    unreal: tuple[str, ...]
    past: tuple[str, ...]
    present: tuple[str, ...]
    side_effect: tuple[str, ...]
    elsewhere: tuple[str, ...]
    face: tuple[str, ...]
    but: tuple[str, ...]
    although: tuple[str, ...]

    @cached_property
    def patterns(self) -> Mapping[str, tuple[tuple[re.Pattern[str], str], ...]]:
        """Every phrase with its meaning, by its first letter."""
        found: dict[str, list[tuple[re.Pattern[str], str]]] = {}
        for meaning in type(self).model_fields:
            for phrase in getattr(self, meaning):
                found.setdefault(phrase[0], []).append((_pattern(phrase), meaning))
        return {letter: tuple(phrases) for letter, phrases in found.items()}


@dataclass(frozen=True)
class Term:
    """A phrase found in a clause; `meanings` may be several ("breakouts" are lesions and bad news); none for others."""

    text: str
    meanings: frozenset[str]


def load_lexicon(path: Path = SHIPPED) -> tuple[Lexicon, str]:
    """The table and its name with the start of its hash, which the labels carry.

    Raises:
        UnusableInput: The file cannot be read, or lacks or adds a key.
    """
    try:
        content = path.read_bytes()
        lexicon = Lexicon.model_validate(yaml.safe_load(content))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise UnusableInput(f"cannot read the lexicon {path}: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise UnusableInput(f"{path} is no lexicon: {where}: {first['msg']}; begin with a copy of {SHIPPED}") from error
    return lexicon, f"lexicon@{hashlib.sha256(content).hexdigest()[:12]}"


def terms_of(clause: str, lexicon: Lexicon) -> tuple[Term, ...]:
    """A clause as phrases from left to right; words of no meaning come as single terms without one."""
    text = " ".join(_TOKEN.findall(clause.lower().replace("’", "'")))
    terms, at = [], 0
    while at < len(text):
        known = lexicon.patterns.get(text[at], ())
        found = [(m.group(), meaning) for pattern, meaning in known if (m := pattern.match(text, at))]
        words = max((phrase for phrase, _ in found), key=lambda p: p.count(" "), default=text[at:].split(" ", 1)[0])
        longest = words.count(" ")
        terms.append(Term(words, frozenset(m for phrase, m in found if phrase.count(" ") == longest)))
        at += len(words) + 1
    return tuple(terms)


def _pattern(phrase: str) -> re.Pattern[str]:
    words = (re.escape(word).replace(r"\*", "[a-z]*") for word in phrase.split())
    return re.compile(" ".join(words) + r"(?![a-z'])")
