import csv
import io
import json
import re
from dataclasses import replace
from datetime import timedelta
from importlib.resources import files

import pytest

from change_builders import START, make_visit
from comedo.progress.change import measure_change
from comedo.progress.values import LeftOut
from comedo.report.change_chart import Point, timeline_svg
from comedo.report.change_document import ChangeDocument, json_schema
from comedo.report.change_page import SCRIPT, change_html
from comedo.report.change_tables import change_json, ledger_csv, to_change_document
from comedo.report.folder import ResultFolder
from comedo.report.markup import number

HOSTILE = '=1+1"><script>alert(1)</script>'


@pytest.fixture(scope="module")
def change():
    visits = [
        make_visit(0, lesions=6, severity=3.0, iga=3),
        replace(make_visit(90, lesions=2, severity=1.5, iga=1), name=HOSTILE),
    ]
    return measure_change(
        visits,
        left_out=[LeftOut("dark.jpg", "too dark", START + timedelta(days=30), "poor_photo")],
        treatment_start=START,
        notices=["a notice"],
    )


@pytest.fixture(scope="module")
def document(change):
    return to_change_document(change)


def test_json_reads_back_and_keeps_unknown_apart(document):
    text = change_json(document)
    assert ChangeDocument.model_validate_json(text) == document
    data = json.loads(text)
    assert data["schema"] == "comedo.change/1"
    assert data["photos"][0]["residual_share"] is None
    left = {"name": "dark.jpg", "reason": "too dark", "when": "2026-01-31T00:00:00", "code": "poor_photo"}
    assert data["left_out"] == [left]
    assert set(data["verdict"]["probabilities"]) == {"better", "same", "worse"}


def test_the_shipped_schema_is_the_codes():
    shipped = files("comedo.report").joinpath("schema", "change-1.schema.json").read_text("utf-8")
    assert json.loads(shipped) == json_schema()


def test_ledger_is_a_row_a_lesion_and_runs_no_formula(document):
    rows = list(csv.DictReader(io.StringIO(ledger_csv(document))))
    assert len(rows) == len(document.ledger) == 6
    assert "'" + HOSTILE in rows[0]
    assert [r["'" + HOSTILE] for r in rows].count("resolved") == 4


def test_page_loads_nothing_and_runs_only_its_own_script(change, document):
    page = "".join(change_html(change, document))
    assert document.sentence.split(":")[0] in page
    assert page.count("<script") == 1
    assert f"<script>{SCRIPT}</script>" in page
    assert "script-src 'sha256-" in page.replace("&#x27;", "'")
    assert "<script>alert" not in page
    assert not re.search(r'(?:src|href)="(?!data:image/jpeg|#)', page)
    assert page.count('class="slider"') == 1
    assert page.count("<svg") == 2


HALF_LIVES = {
    "estimate": (25.29, (15.725, 41.27), "<td>25.3 (15.7 to 41.3)</td>"),
    "all gone": (None, (None, 21.35), "<td>less than 21.4</td>"),
    "none gone": (None, (860.67, None), "<td>more than 860.7</td>"),
    "unknown": (None, None, "<td>–</td>"),
}


@pytest.mark.parametrize(("days", "interval", "cell"), HALF_LIVES.values(), ids=HALF_LIVES)
def test_half_life_and_its_bounds_on_the_page(change, days, interval, cell):
    outcomes = replace(change.outcomes, half_life_days=days, half_life_interval_90=interval)
    known = replace(change, outcomes=outcomes)
    document = to_change_document(known)
    page = "".join(change_html(known, document))
    row = page[page.index("Half-life of a lesion") :].partition("</tr>")[0]
    assert cell in row
    assert ChangeDocument.model_validate_json(change_json(document)) == document


def test_a_slope_without_an_interval_shows_none(change, document):
    row = "".join(change_html(change, document)).partition("Lesions a week")[2].partition("</tr>")[0]
    assert "<td>–</td>" in row  # of two visits


def test_page_of_one_photo_has_no_comparison():
    alone = measure_change([make_visit(0, lesions=1)])
    page = "".join(change_html(alone, to_change_document(alone)))
    assert "Cannot tell" in page
    assert 'class="slider"' not in page


@pytest.mark.parametrize(
    ("value", "digits", "text"), [(90.0, 0, "90"), (0.0, 0, "0"), (1.5, 1, "1.5"), (2.0, 1, "2"), (None, 0, "–")]
)
def test_whole_numbers_keep_their_noughts(value, digits, text):
    assert number(value, digits) == text


def test_chart_wants_two_points():
    point = Point(0.0, "a<b", 3.0, 1.0)
    assert timeline_svg("t", [point]) == ""
    drawn = timeline_svg("t", [point, Point(10.0, "b", 0.0, 1.0)], start=5.0)
    assert "a&lt;b" in drawn
    assert "treatment begins" in drawn


def test_a_folder_keeps_another_series(tmp_path, change, document):
    folder = ResultFolder(tmp_path)
    first = folder.save_change(document, "l", ["p"])
    assert [p.name for p in first] == ["ledger.csv", "change.html", "change.json"]
    assert folder.save_change(document, "l", ["p"]) == first
    alone = to_change_document(measure_change([make_visit(3, person=5)]))
    assert [p.name for p in folder.save_change(alone, "l", ["p"])] == ["ledger-2.csv", "change-2.html", "change-2.json"]


def test_a_withdrawn_verdict_leaves_no_probability_and_no_none():
    visits = [make_visit(None, lesions=20, iga=3), make_visit(None, lesions=2, iga=0)]
    undated = measure_change(visits, left_out=[LeftOut("dark.jpg", "too dark")])
    document = to_change_document(undated)
    data = json.loads(change_json(document))
    told = [data["verdict"], *data["regions"].values()]
    told += [measure for verdict in told for measure in verdict["measures"]]
    assert {found["answer"] for found in [*told, *data["timeline"][1:]]} == {"cannot_tell"}
    assert [found["probabilities"] for found in told] == [None] * len(told)
    assert (data["outcomes"]["percent_change"], data["outcomes"]["iga_success"]) == (None, None)
    page = "".join(change_html(undated, document))
    text = page + ledger_csv(document)
    assert "None" not in text.replace("day None", "day")  # as the builder names undated photos
    assert "<b>" not in page.split("<h2>")[1]  # the probabilities would stand there
