"""The packaged tables obey their rules, and tables that do not are refused."""

import copy
import re
from dataclasses import replace
from itertools import product

import pytest
from pydantic import ValidationError

from comedo.errors import UnusableInput
from comedo.guidance import load
from comedo.guidance.advice import Line, Provenance, Section
from comedo.guidance.catalogue import check_catalogue
from comedo.guidance.load import languages, load_catalogue
from comedo.guidance.tables import Tables
from guidance.cases import TABLES, advice_for


@pytest.fixture(scope="module")
def plain():
    """The packaged tables as plain values."""
    return TABLES.model_dump(mode="json", by_alias=True)


def row(values, table, wanted):
    return next(r for r in values[table] if r["id"] == wanted)


BREAKS = {
    "a line without a source": ("care", "S1", {"sources": []}, "at least 1 item"),
    "a source that is not listed": (
        "care",
        "S1",
        {"sources": ["hearsay"]},
        "S1 names sources that are not listed: hearsay",
    ),
    "a claim above its source": (
        "care",
        "S_sunscreen",
        {"provenance": "read"},
        "S_sunscreen claims more than its sources",
    ),
    "a secondary source promoted": ("regimens", "N1", {"provenance": "read"}, "N1 claims more than its sources"),
    "an antibiotic alone": (
        "regimens",
        "N6",
        {"parts": [{"any_of": ["clindamycin"]}]},
        "N6 breaks the principles: T_alone",
    ),
    "an oral antibiotic alone": ("regimens", "N6", {"parts": [{"any_of": ["doxycycline"]}]}, "T_alone"),
    "an antibiotic beside isotretinoin": (
        "regimens",
        "N5",
        {"parts": [{"any_of": ["azelaic_acid"]}, {"any_of": ["doxycycline"]}, {"any_of": ["isotretinoin"]}]},
        "N5 breaks the principles: T_isotretinoin",
    ),
    "topical with oral antibiotic": (
        "regimens",
        "N4",
        {"parts": [{"any_of": ["tretinoin"]}, {"any_of": ["clindamycin"]}, {"any_of": ["lymecycline"]}]},
        "N4 breaks the principles: T_together",
    ),
    "an antibiotic without an end": ("regimens", "N4", {"course_weeks": None}, "N4 breaks the principles: T_course"),
    "a course too long": ("regimens", "N4", {"course_weeks": 13}, "T_course"),
    "alternatives of two classes": (
        "regimens",
        "N6",
        {"parts": [{"any_of": ["benzoyl_peroxide", "doxycycline"]}]},
        "alternatives of a part must share a class",
    ),
    "an unknown ingredient": ("regimens", "N6", {"parts": [{"any_of": ["snake_oil"]}]}, "names ingredients not listed"),
    "a restriction that caution loosens": (
        "restrictions",
        "pregnancy_possible",
        {"answers": ["possible"]},
        "pregnancy_possible would loosen with the more cautious answers: pregnant, trying",
    ),
    "a restriction that youth loosens": (
        "restrictions",
        "isotretinoin_above_12",
        {"answers": ["age_12"]},
        "would loosen",
    ),
    "an answer that is none": (
        "restrictions",
        "pregnancy_possible",
        {"answers": ["perhaps"]},
        "unknown answers of pregnancy",
    ),
    "a target that is none": ("restrictions", "age_under_9", {"hide": ["everything"]}, "targets what is not listed"),
    "an id used twice": ("care", "S1", {"id": "S2"}, "ids used twice: S2"),
    "an unknown key": ("care", "S1", {"dose": "50 mg"}, "Extra inputs are not permitted"),
}


@pytest.mark.parametrize("name", BREAKS)
def test_broken_tables_are_refused(plain, name):
    table, wanted, change, message = BREAKS[name]
    values = copy.deepcopy(plain)
    row(values, table, wanted).update(change)
    with pytest.raises(ValidationError, match=message):
        Tables.model_validate(values)


def test_the_plain_values_are_the_tables(plain):
    assert Tables.model_validate(plain) == TABLES


def test_an_open_ingredient_names_its_source(plain):
    values = copy.deepcopy(plain)
    values["ingredients"]["sulfur"]["sources"] = []
    with pytest.raises(ValidationError, match="open access names a source"):
        Tables.model_validate(values)


def test_no_clinician_has_reviewed_the_tables_until_a_person_says_so():
    assert TABLES.reviewed_by_clinician is False
    for name in ("treatments", "restrictions", "flags", "care"):
        assert "\nreviewed_by_clinician: false\n" in (load.TABLES / f"{name}.yaml").read_text("utf-8")


@pytest.mark.parametrize("unread", [(), ("care",), ("treatments", "flags")], ids=lambda v: " ".join(v) or "none")
def test_the_notice_goes_only_when_a_person_has_set_every_table(tmp_path, unread):
    for path in load.TABLES.glob("*.yaml"):
        text = path.read_text("utf-8")
        read = text.replace("reviewed_by_clinician: false", "reviewed_by_clinician: true")
        (tmp_path / path.name).write_text(text if path.stem in unread else read, "utf-8")
    assert load.load_tables(tmp_path).reviewed_by_clinician is not bool(unread)


def test_a_line_whose_source_is_not_listed_cannot_be_printed():
    advice = advice_for()
    kept = {name: source for name, source in advice.sources.items() if name != advice.lines[0].sources[0]}
    with pytest.raises(ValueError, match=f"line {advice.lines[0].id} names the source"):
        replace(advice, sources=kept)


def test_a_line_without_a_source_cannot_be_made():
    with pytest.raises(ValueError, match="line X has no source"):
        Line("X", Section.ROUTINE, "text", "why", Provenance.PROJECT, ())


@pytest.mark.parametrize("source", [s for s, it in TABLES.sources.items() if it.provenance in ("read", "secondary")])
def test_every_document_is_used(source):
    used = {s for r in TABLES.rows() for s in r.sources} | {s for i in TABLES.ingredients.values() for s in i.sources}
    assert source in used


# ---------------------------------------------------------------- catalogues


def test_english_comes_first_and_there_is_another():
    assert languages()[:2] == ("en", "de")


@pytest.mark.parametrize("language", languages())
def test_catalogues_are_complete(language):
    words = load_catalogue(language)
    assert words.language == language
    assert all(text.strip() for text in words.lines.values())


@pytest.mark.parametrize(
    ("group", "key", "message"),
    [
        ("lines", "S1", "lines lacks S1"),
        ("frame", "claims", "frame lacks claims"),
        ("answers", "sun", "answers lacks sun"),
    ],
)
def test_an_incomplete_catalogue_is_refused(group, key, message):
    words = load_catalogue("en")
    texts = {k: v for k, v in getattr(words, group).items() if k != key}
    with pytest.raises(ValueError, match=message):
        check_catalogue(words.model_copy(update={group: texts}), TABLES)


def test_a_text_with_a_name_that_nothing_fills_is_refused():
    words = load_catalogue("en")
    lines = {**words.lines, "S1": "Wash {face}."}
    with pytest.raises(ValueError, match=r"lines.S1 holds face in braces"):
        check_catalogue(words.model_copy(update={"lines": lines}), TABLES)


def test_an_unknown_language_is_refused_by_name():
    with pytest.raises(UnusableInput, match="language: expected one of en, de, got 'tlh'"):
        load_catalogue("tlh")


@pytest.mark.parametrize("language", ["../en", "en.yaml", "", "\x1b[31m"])
def test_a_language_is_no_path(language):
    with pytest.raises(UnusableInput, match="language"):
        load_catalogue(language)


BANNED = {
    "en": (
        r"you have acne|diagnosed with|prescribe|guarantee|clinically proven|your treatment|safe for you"
        r"|you should take|no need to see|\bcures?\b|\bdose|\bmg\b"
    ),
    "de": (
        r"sie haben akne|verschreib|garantier|klinisch bewiesen|ihre behandlung|sicher für sie|sie sollten|heilt akne"
        r"|dosis|\bmg\b"
    ),
}


# Names under which the listed ingredients, and common skin care, are sold in the UK, the US or Germany.
BRANDS = (
    r"acnecide|accutane|aczone|aknemycin|aknefug|basiron|benzaclin|brevoxyl|cerave|cetaphil|clearasil|dalacin|differin"
    r"|doryx|duac|duofilm|epiduo|eucerin|finacea|isotrex|la roche|minocin|neutrogena|oxytetral|panoxyl|proactiv|retin-a"
    r"|roaccutane?n?|seysara|skinoren|solodyn|tetralysal|the ordinary|treclin|winlevi|zineryt|yasmin|diane|aldactone"
)


@pytest.mark.parametrize("language", languages())
def test_no_text_names_a_brand(language):
    found = [
        t for t in texts_of(load_catalogue(language).model_dump()) if re.search(rf"\b({BRANDS})\b", t, re.IGNORECASE)
    ]
    assert found == []


def texts_of(value):
    if isinstance(value, str):
        return [value]
    return [t for v in value.values() for t in texts_of(v)] if isinstance(value, dict) else []


@pytest.mark.parametrize("language", languages())
def test_wording_is_information_and_no_prescription(language):
    found = [
        t for t in texts_of(load_catalogue(language).model_dump()) if re.search(BANNED[language], t, re.IGNORECASE)
    ]
    assert found == []


NAMES = [i for i in TABLES.ingredients if i != "oral_macrolide"]


@pytest.mark.parametrize(
    ("language", "care"), list(product(languages(), TABLES.care)), ids=lambda v: getattr(v, "id", v)
)
def test_a_line_that_names_an_ingredient_declares_it(language, care):
    """What a text names is what its row mentions, so that the filter sees it."""
    words = load_catalogue(language)
    text = f" {words.lines[care.id].lower()} "
    named = {i for i in NAMES if words.ingredients[i].lower().split(" 0")[0] in text.replace("isotretinoin", "§")}
    named |= {"isotretinoin"} if "isotretinoin" in text else set()
    assert named <= set(care.mentions)
