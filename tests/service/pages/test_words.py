"""Texts: no language lacks one, none holds a name that nothing fills, and every template finds what it says."""

from __future__ import annotations

import re
from datetime import date
from string import Formatter

import pytest

from comedo.service.pages.site import FOLDER
from comedo.service.pages.words import LANGUAGES, choose_language, load_words

SAID = re.compile(r"""(?:\.say|\.count)\(\s*f?['"]([a-zA-Z_0-9.]+)['"]\s*[,)]""")
CATALOGUE_OF_GUIDANCE = {"claims", "undated"}


def names_in(text):
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
def test_languages_have_the_same_texts_with_the_same_names(language):
    english, other = load_words("en").texts, load_words(language).texts
    assert set(other) == set(english)
    assert {key: names_in(text) for key, text in other.items()} == {
        key: names_in(text) for key, text in english.items()
    }


def test_everything_that_is_said_has_a_text():
    files = [*(FOLDER / "templates").glob("*.html"), *(FOLDER / "pages").rglob("*.py")]
    said = {key for file in files for key in SAID.findall(file.read_text("utf-8"))}
    texts = load_words("en").texts
    assert len(said) > 200
    assert {key for key in said if key not in texts and f"{key}.one" not in texts} == CATALOGUE_OF_GUIDANCE


@pytest.mark.parametrize(
    ("wanted", "accepted", "language"),
    [
        (None, "", "en"),
        (None, "de-CH,de;q=0.9,en;q=0.8", "de"),
        (None, "fr,de;q=0.5", "de"),
        (None, "fr", "en"),
        ("de", "en", "de"),
        ("xx", "de", "de"),
        (None, "\x00" * 9000, "en"),
    ],
    ids=["nothing", "browser", "second choice", "unknown", "own choice", "unknown choice", "rubbish"],
)
def test_language_of_a_reader(wanted, accepted, language):
    assert choose_language(wanted, accepted) == language


@pytest.mark.parametrize(
    ("language", "day", "number", "share"),
    [("en", "3 March 2026", "1.5", "98%"), ("de", "3. März 2026", "1,5", "98 %")],
)
def test_days_and_numbers_as_the_language_writes_them(language, day, number, share):
    words = load_words(language)
    assert words.day(date(2026, 3, 3)) == day
    assert words.number(1.5) == number
    assert words.percent(0.98) == share
    assert words.number(None) == words.percent(None) == "–"
