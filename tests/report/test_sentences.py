"""Sentences of the library in German: each that it can write is known, with its numbers."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from pathlib import Path
from string import Formatter

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import comedo
from builders import make_counts, make_face, make_lesion
from change_builders import make_visit
from comedo.calibration import AffectedCurve, SeverityCurve
from comedo.grading import grade_all
from comedo.grading.acne import grade_affected
from comedo.grading.severity import grade_severity
from comedo.progress.noise import load_noise
from comedo.progress.verdict import Conditions, Readings, judge_readings
from comedo.progress.words import in_one_sentence
from comedo.report.sentences import FOLDER, languages, translate
from comedo.types import Group, Kind, Region

SOURCE = Path(comedo.__file__).parent
SPOKEN = (  # modules whose every sentence reaches a person; those of scales that are put together are graded below
    "dating.py",
    "face/mapper.py",
    "grading/iga.py",
    "grading/nice.py",
    "grading/severity.py",
    "grading/tally.py",
    "photo/decoded.py",
    "photo/quality.py",
    "pipeline.py",
    "progress/change.py",
    "progress/compare.py",
    "progress/outcomes.py",
    "progress/verdict.py",
)
PATTERNS = [re.sub(r"\{\w+\}", "0", key) for key in yaml.safe_load((FOLDER / "de.yaml").read_text("utf-8"))]
POOR = (
    "the photo is too poor to be measured: Turn the head as in the first photo. Use more light: the camera's noise "
    "covers the skin's own colour. Take it again, or allow poor photos to analyse it anyway, marked unreliable"
)
POOR_IN_GERMAN = (
    "Das Foto ist zu schlecht zum Messen. Kopf wie beim ersten Foto drehen. "
    "Mehr Licht nehmen: Das Rauschen der Kamera überdeckt die Farbe der Haut."
)
UNDATED = "not every photo has a date (none for a.jpg): the order given is kept, and no direction is concluded from it"
UNDATED_IN_GERMAN = (
    "Nicht jedes Foto hat ein Datum (keines: a.jpg): Die Reihenfolge bleibt, und es wird keine Richtung daraus "
    "geschlossen"
)
KIND_OF = {Kind.OPEN_COMEDONE: Group.NON_INFLAMMATORY, Kind.MARK: Group.MARK}


@pytest.mark.parametrize(
    ("english", "german"),
    [
        ("", ""),
        ("nothing that comedo says", None),
        ("moderate", "mittel"),
        ("no active lesions", "keine aktiven Läsionen"),
        ("only 4.2% of it is seen in both photos", "nur 4,2 % davon sind auf beiden Fotos zu sehen"),
        (
            "1 nodule (1 or more) and 22 active lesions (20 or more) make it moderate",
            "mittel, denn: 1 Knoten (ab 1) und 22 aktive Läsionen (ab 20)",
        ),
        ("forehead 2x2 + left cheek 2x3 = 10 of 32", "Stirn 2×2 + linke Wange 2×3 = 10 von 32"),
        ("chin: not visible in this photo", "Kinn: auf diesem Foto nicht zu sehen"),
        (
            "set by Dr. Who: a hair; comedo's arithmetic: no active lesions",
            "gesetzt von Dr. Who: a hair; comedos Rechnung: keine aktiven Läsionen",
        ),
        (POOR, POOR_IN_GERMAN),
        (UNDATED, UNDATED_IN_GERMAN),
    ],
    ids=["empty", "unknown", "word", "no gap", "numbers", "list", "sum", "phrase", "name", "sentences", "undated"],
)  # fmt: skip
def test_sentences_are_said_anew(english, german):
    assert translate(english, "de") == german
    assert translate(english, "en") == english


@pytest.mark.parametrize(
    ("before", "after", "days", "german"),
    [
        (
            20,
            2,
            84,
            "Besser nach 84 Tagen: damals 20 aktive Läsionen, jetzt 2 auf der Haut, die beide Fotos zeigen; mehr",
        ),
        (20, 38, 1, "Schlechter nach 1 Tag: damals 20 aktive Läsionen, jetzt 38 auf der Haut"),
        (20, 20, 0.5, "Gleich, soweit diese Fotos es zeigen können: damals 20 aktive Läsionen"),
        (5, 3, 84, "Nicht zu sagen: der Unterschied (2 aktive Läsionen) spricht für weniger, aber"),
    ],
    ids=["better", "worse", "the same", "leaning"],
)
def test_the_verdict_in_one_sentence_is_said_anew(before, after, days, german):
    found = judge_readings(Readings(before, 60, None), Readings(after, 60, None), Conditions(0, 0), load_noise())
    sentence = in_one_sentence(found, [make_visit(0), make_visit(days)], 1)
    assert translate(sentence, "de").startswith(german)


@pytest.mark.parametrize("language", languages()[1:])
def test_translations_hold_the_gaps_of_their_pattern_and_no_others(language):
    texts = yaml.safe_load((FOLDER / f"{language}.yaml").read_text("utf-8"))
    wrong = {english: other for english, other in texts.items() if gaps_of(english) != gaps_of(other)}
    assert wrong == {}


def gaps_of(text):
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(Kind), max_size=60),
    st.sets(st.sampled_from(Region)),
    st.sampled_from([None, 0.2]),
)
def test_every_grade_is_explained_in_german(kinds, seen, mm_per_px):
    regions = sorted(seen) or [None]
    lesions = [
        make_lesion(n, kind=kind, group=KIND_OF.get(kind, Group.INFLAMMATORY), region=regions[n % len(regions)])
        for n, kind in enumerate(kinds, 1)
    ]
    lesions = [x if x.kind is not Kind.CLOSED_COMEDONE else replace(x, group=Group.NON_INFLAMMATORY) for x in lesions]
    active = [x for x in lesions if x.active]
    counts = replace(
        make_counts(),
        total=len(active),
        interval_90=(len(active) // 2, 2 * len(active) + 1),
        by_group={g: sum(x.group is g for x in active) for g in Group},
        by_kind={k: sum(x.kind is k for x in active) for k in Kind},
        by_region={r: sum(x.region is r for x in active) if r in seen else None for r in Region},
    )
    extra = {
        "severity": grade_severity(lesions, 100.0, SeverityCurve()),
        "acne": grade_affected(lesions, 100.0, AffectedCurve(), SeverityCurve()),
    }
    for grade in grade_all(lesions, counts, make_face(mm_per_px=mm_per_px), extra=extra).values():
        for sentence in (grade.why, grade.source, *(grade.missing), (grade.level or "mild").lower()):
            assert translate(sentence, "de") is not None, sentence


@pytest.mark.parametrize("module", SPOKEN)
def test_no_sentence_was_written_that_the_catalogue_lacks(module):
    unknown = [text for text in sentences_of(SOURCE / module) if not is_known(text)]
    assert unknown == []


def is_known(text):
    """Whether a pattern of the catalogue is the text with something in each of its gaps."""
    written = re.compile(".+?".join(map(re.escape, text.split("{}"))), re.DOTALL)
    return any(written.fullmatch(pattern) for pattern in PATTERNS)


def sentences_of(path):
    """What a module can say, gaps as {}: texts of three words and more, without docstrings and programmers' errors."""
    tree = ast.parse(path.read_text("utf-8"))
    skipped = {id(inner) for node in ast.walk(tree) if is_aside(node) for inner in ast.walk(node)}
    joined = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    inside = {id(inner) for node in joined for inner in ast.walk(node) if inner is not node}
    for node in ast.walk(tree):
        if id(node) in skipped or id(node) in inside:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        elif isinstance(node, ast.JoinedStr):
            text = "".join(v.value if isinstance(v, ast.Constant) else percent(v) for v in node.values)
        else:
            continue
        if len(re.findall(r"[a-z]{2,}", text)) >= 3:
            yield text


def is_aside(node):
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True  # a docstring
    raised = node.exc if isinstance(node, ast.Raise) else None
    return isinstance(raised, ast.Call) and getattr(raised.func, "id", "") in ("ValueError", "UnusableInput")


def percent(gap):
    return "{}%" if gap.format_spec is not None and ast.unparse(gap.format_spec).endswith("%'") else "{}"
