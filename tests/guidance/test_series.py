"""What photos over time add to an advice: lines that inform and the 12-week review, and never a freer list."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import comedo
from builders import make_analysis
from change_builders import START, make_visit
from comedo import cli
from comedo.errors import UnusableInput
from comedo.guidance.advice import Group, Section
from comedo.guidance.engine import make_advice
from comedo.guidance.load import languages
from comedo.guidance.series import ANSWERS, CODES, Series
from comedo.progress.change import measure_change
from comedo.progress.values import Answer
from comedo.report.advice_document import AdviceDocument, advice_to_json
from comedo.report.change_file import to_series
from comedo.report.change_tables import change_json, to_change_document
from comedo.report.tables import to_json
from guidance.cases import HARMLESS, TABLES, TODAY, make_answers, make_findings
from guidance.test_advice import ANSWERS as ANY_ANSWERS
from guidance.test_advice import assert_sound, check_answers

LATER = TODAY - timedelta(weeks=13)


def advice_with(series, group=Group.MILD, language="en", **changes):
    findings, answers = make_findings(group), make_answers(**changes)
    return make_advice(findings, answers, language=language, today=TODAY, series=series)


def ids(advice, section):
    return [line.id for line in advice.section(section)]


SAID = [
    (Series("better"), ["H_better"], []),
    (Series("same"), ["H_same"], []),
    (Series("worse"), ["H_worse"], []),
    (Series("cannot_tell"), ["H_cannot_tell"], []),
    (Series("better", treatment_on=TODAY), ["H_better", "H_before_review"], []),
    (Series("better", treatment_on=LATER, review_answer="better"), ["H_better", "H_better_at_review"], []),
    (Series("same", treatment_on=LATER, review_answer="same"), ["H_same"], ["RF_no_change"]),
    (Series("better", treatment_on=LATER, review_answer="worse"), ["H_better"], ["RF_no_change"]),
    (Series("same", treatment_on=LATER, review_answer="cannot_tell"), ["H_same", "H_unclear_at_review"], []),
    (Series("same", treatment_on=LATER), ["H_same"], []),
]


@pytest.mark.parametrize(("series", "lines", "flags"), SAID, ids=str)
def test_a_series_is_said_with_its_sources(series, lines, flags):
    advice = advice_with(series)
    assert ids(advice, Section.SERIES) == lines
    assert ids(advice, Section.URGENT) == flags
    for line in advice.lines:
        if line.id in (*lines, *flags):
            assert line.why.startswith("From the series of photos")
            assert all(source in advice.sources for source in line.sources)


def test_no_series_no_line_of_one():
    advice = advice_with(None)
    assert advice.series is None
    assert not advice.section(Section.SERIES)


def test_dates_are_named_where_they_are_known():
    series = Series("same", date(2026, 8, 1), date(2026, 11, 20), date(2026, 8, 15), "same")
    (line,) = [x for x in advice_with(series, language="de").lines if x.id == "RF_no_change"]
    assert line.why == (
        "Aus der Fotoreihe, 01.08.2026 bis 20.11.2026. Als Beginn der Behandlung ist der 15.08.2026 eingetragen."
    )
    assert line.sources == ("nice_ni", "nice_mims")


SERIES = st.builds(
    Series,
    answer=st.sampled_from(ANSWERS),
    treatment_on=st.none() | st.dates(date(2026, 1, 1), date(2027, 3, 1)),
    review_answer=st.none() | st.sampled_from(ANSWERS),
)
ADDED = {row.id for row in (*TABLES.flags, *TABLES.care) if row.series}


@given(ANY_ANSWERS, SERIES, st.sampled_from(list(Group)), st.sampled_from(languages()))
@settings(max_examples=60, deadline=None)
def test_a_series_only_adds_its_own_lines_and_never_loosens_a_restriction(values, series, group, language):
    findings, answers = make_findings(group), check_answers(values, TABLES.questions)
    alone = make_advice(findings, answers, language=language, today=TODAY)
    beside = make_advice(findings, answers, language=language, today=TODAY, series=series)
    assert_sound(beside)
    kept = [line for line in beside.lines if line.id not in ADDED]
    review = [line.id == "E_review" for line in alone.lines]
    assert [x for x, its in zip(kept, review, strict=True) if not its] == [
        x for x, its in zip(alone.lines, review, strict=True) if not its
    ]
    assert (beside.review_on is None) == (alone.review_on is None)


def test_no_rule_that_lists_or_withholds_can_read_a_series():
    readers = {type(row).__name__ for row in TABLES.rows() if hasattr(row, "series")}
    assert readers == {"Flag", "CareRow"}
    assert {x.id for x in TABLES.flags} | {x.id for x in TABLES.care if x.section is Section.SERIES} >= ADDED


def test_the_answers_of_a_series_are_those_of_progress():
    assert set(ANSWERS) == set(Answer)
    assert len(set(CODES)) == len(CODES)
    with pytest.raises(ValueError, match="answers one of"):
        Series("much better")


CLOCK = [  # treatment marked, weeks said: the earlier review is the next one
    (TODAY - timedelta(weeks=2), [], TODAY + timedelta(weeks=10), "the start marked in the series (07 November 2026)"),
    (TODAY - timedelta(weeks=2), None, TODAY + timedelta(weeks=10), "the start marked"),
    (TODAY - timedelta(weeks=20), [], TODAY, "the 12 weeks are over"),
    (TODAY - timedelta(weeks=2), [{"what": "other", "weeks": 5}], TODAY + timedelta(weeks=7), "the weeks given"),
    (TODAY - timedelta(weeks=9), [{"what": "other", "weeks": 5}], TODAY + timedelta(weeks=3), "the start marked"),
    (None, [{"what": "other", "weeks": 5}], TODAY + timedelta(weeks=7), "the weeks given"),
]


@pytest.mark.parametrize(("start", "treatments", "day", "words"), CLOCK)
def test_the_review_counts_from_the_marked_start(start, treatments, day, words):
    advice = advice_with(Series("same", treatment_on=start), treatments=treatments)
    assert advice.review_on == day
    assert words in next(x.text for x in advice.section(Section.EXPECT) if x.id == "E_review")


# ------------------------------------------------------------------ from files


@pytest.fixture(scope="module")
def change():
    """Twelve weeks of a drawn face: six lesions, then two."""
    return measure_change([make_visit(0, lesions=6), make_visit(84, lesions=2)], treatment_start=START)


@pytest.fixture
def analysis(change):
    return replace(make_analysis(), photo_sha256=change.visits[-1].sha256)


def test_a_change_gives_its_series(change):
    series = to_series(to_change_document(change))
    assert (series.first_on, series.last_on) == (date(2026, 1, 1), date(2026, 3, 26))
    assert (series.treatment_on, series.review_on) == (date(2026, 1, 1), date(2026, 3, 26))
    assert series.answer == series.review_answer == change.whole.answer


def test_a_change_and_its_file_give_the_same_advice(change, analysis, tmp_path):
    path = tmp_path / "change.json"
    path.write_text(change_json(to_change_document(change)), "utf-8")
    advice = comedo.advise(analysis, HARMLESS, change=change, today=TODAY)
    assert advice == comedo.advise(analysis, HARMLESS, change=path, today=TODAY)
    read = AdviceDocument.model_validate_json(advice_to_json(advice))
    assert read.series is not None
    assert read.series.treatment_on == date(2026, 1, 1)
    assert read.series.answer == change.whole.answer


def test_the_command_takes_a_change(change, analysis, tmp_path):
    (tmp_path / "a.json").write_text(to_json(analysis), "utf-8")
    (tmp_path / "answers.json").write_text(json.dumps(HARMLESS))
    (tmp_path / "change.json").write_text(change_json(to_change_document(change)), "utf-8")
    names = ["a.json", "--answers", "answers.json", "--change", "change.json"]
    done = CliRunner().invoke(cli.app, ["advise", *(n if n[0] == "-" else str(tmp_path / n) for n in names)])
    assert done.exit_code == 0, done.output
    assert "What the photos over time show" in done.stdout


def test_a_series_of_another_photo_is_refused(change):
    with pytest.raises(UnusableInput, match="does not end with this photo"):
        comedo.advise(make_analysis(), HARMLESS, change=change)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "the change change.json cannot be read"),
        ("{}", "change.json is not a document of schema comedo.change/1: schema"),
        ("[", "comedo.change/1"),
        ('{"schema": "comedo.change/2"}', "schema: Input should be 'comedo.change/1'"),
    ],
    ids=["absent", "empty", "no json", "schema"],
)
def test_a_file_that_is_no_change_is_refused_by_field(tmp_path, text, words):
    path = tmp_path / "change.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UnusableInput) as refused:
        comedo.advise(make_analysis(), HARMLESS, change=path)
    assert words in str(refused.value)
