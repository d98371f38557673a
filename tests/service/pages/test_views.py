"""What templates are given: charts, the calendar, drawings over a photo, forms read back."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import make_analysis
from comedo.guidance.answers import check_answers, plain_answers
from comedo.guidance.load import load_catalogue, load_tables
from comedo.progress.values import Answer
from comedo.report.change_document import VerdictPart
from comedo.report.tables import to_document
from comedo.service.pages.reading import own_path
from comedo.service.pages.views.calendar import read_month, view_month
from comedo.service.pages.views.charts import Point, Span, _step, draw_chart, draw_spark
from comedo.service.pages.views.guidance import NONE, read_form, view_questions
from comedo.service.pages.views.overlay import draw_layers
from comedo.service.pages.views.result import Place, view_result
from comedo.service.pages.views.review import read_review
from comedo.service.pages.views.verdict import view_verdict
from comedo.service.pages.words import load_words

EN = load_words("en")
NEW_YEAR = datetime(2026, 1, 1)  # noqa: DTZ001 - photos know no zone
PLACE = Place("a" * 32, "/x.jpg", "1 January 2026")


def points(*values, sd=1.0):
    return [Point(NEW_YEAR + timedelta(days=14 * i), v, sd) for i, v in enumerate(values)]


@pytest.mark.parametrize(
    ("most", "step"), [(0.5, 1.0), (4.9, 1.0), (5.1, 2.0), (22.0, 5.0), (36.0, 10.0), (101.0, 50.0)]
)
def test_axis_steps_are_round_and_few(most, step):
    assert _step(most) == step


@settings(deadline=None)
@given(st.lists(st.floats(0, 500), min_size=2, max_size=40), st.floats(0, 80))
def test_a_chart_holds_every_point_and_its_band(values, sd):
    chart = draw_chart("Lesions", points(*values, sd=sd), [], EN, top=4.0)
    for drawing in (chart.narrow, chart.wide):
        places = [
            tuple(map(float, p.split(","))) for p in re.search(r'line" points="([^"]+)"', drawing.body)[1].split()
        ]
        band = re.search(r'band" points="([^"]+)"', drawing.body)[1].split()
        assert len(places) == len(values)
        assert len(band) == 2 * len(values)
        assert all(0 <= x <= drawing.width and 0 <= y <= drawing.height for x, y in places)
        assert [x for x, _ in places] == sorted(x for x, _ in places)


def test_a_chart_writes_names_that_are_no_markup():
    spans = [Span(NEW_YEAR, None, "<script>alert(1)</script>")]
    chart = draw_chart("Lesions", points(3, 2), spans, EN, top=4.0)
    assert "<script" not in chart.narrow.body
    assert "&lt;script" in chart.narrow.body


def test_a_treatment_before_the_first_photo_is_left_out():
    gone = Span(NEW_YEAR - timedelta(days=90), NEW_YEAR - timedelta(days=30), "Old cream")
    assert "Old cream" not in draw_chart("Lesions", points(3, 2), [gone], EN, top=4.0).wide.body


@pytest.mark.parametrize(("values", "drawn"), [((), False), ((3.0,), False), ((3.0, 0.0), True)])
def test_a_spark_needs_two_values(values, drawn):
    assert bool(draw_spark(values)) is drawn


def test_a_month_begins_on_its_weekday_and_links_its_photos():
    month = view_month(date(2026, 3, 15), date(2026, 3, 10), {date(2026, 3, 2): "/photos/x"}, {date(2026, 3, 3)}, EN)
    numbers = [day.n for day in month.days]
    assert numbers == [""] * 6 + [str(n) for n in range(1, 32)]  # 1 March 2026 is a Sunday
    assert [day.href for day in month.days if day.href] == ["/photos/x"]
    assert [day.n for day in month.days if "is-note" in day.mark] == ["3"]
    assert (month.before, month.after) == ("2026-02", "2026-04")


@pytest.mark.parametrize("text", [None, "", "2026", "x-y", "2026-13", "0001-01", "2026-1-1"])
def test_a_month_that_is_none_is_todays(text):
    assert read_month(text, date(2026, 5, 5)) == date(2026, 5, 5)


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/diary", "/diary"),
        ("", "/"),
        ("https://evil.test", "/"),
        ("//evil.test", "/"),
        ("/\\evil.test", "/"),
        ("/x\r\nSet-Cookie: a", "/"),
    ],
)
def test_forms_lead_nowhere_else(path, kept):
    assert own_path(path) == kept


def test_every_lesion_is_drawn_with_its_shape_and_acne_on_top():
    document = to_document(make_analysis())
    overlay = draw_layers(document, EN, {1: "New"})
    assert {shape.id for shape in overlay.shapes} == {lesion.id for lesion in document.lesions}
    assert [shape.group == "mark" for shape in overlay.shapes] == sorted(
        (shape.group == "mark" for shape in overlay.shapes), reverse=True
    )
    assert next(s.tip for s in overlay.shapes if s.id == 1).endswith("New")
    assert {outline.name for outline in overlay.regions} == {"Forehead", "Nose", "Left cheek", "Right cheek", "Chin"}


def test_region_names_stand_on_their_region():
    by_name = {o.name: o for o in draw_layers(to_document(make_analysis()), EN).regions}
    assert by_name["Forehead"].y < by_name["Nose"].y < by_name["Chin"].y
    assert by_name["Right cheek"].x < by_name["Nose"].x < by_name["Left cheek"].x


def test_a_result_says_every_scale_with_its_source():
    view = view_result(to_document(make_analysis()), PLACE, EN)
    assert view.scales
    assert all(scale.why and scale.source for scale in view.scales)
    assert len(view.lesions) == len(view.overlay.shapes)


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("answer", list(Answer))
def test_a_verdict_without_measures_says_why(language, answer):
    verdict = VerdictPart(answer=answer, reason="different views", probabilities=None, measures=())
    view = view_verdict(verdict, None, None, load_words(language))
    assert "different views" in view.sentence
    assert view.odds == ()


def test_an_empty_questionnaire_answers_nothing():
    assert read_form({}, load_tables().questions) == {}


def test_answers_come_back_from_the_form_as_they_were_given():
    asked = load_tables().questions
    given = {
        "age": 24,
        "pregnancy": "possible",
        "allergies": [],
        "conditions": ["liver"],
        "treatments": [{"what": "benzoyl_peroxide", "weeks": 6, "now": "yes", "helped": "partly"}],
    }
    answers = check_answers(given, asked)
    form = {}
    for question in view_questions(asked, answers, load_catalogue("en")):
        if question.kind == "number":
            form[question.id] = [question.value]
            continue
        form[question.id] = [o.code for o in question.options if o.chosen] + ([NONE] if question.none else [])
        for option in question.options:
            if option.weeks:
                form |= {f"weeks.{option.code}": [option.weeks], f"helped.{option.code}": [option.helped]}
                form |= {f"now.{option.code}": ["yes"]} if option.now else {}
    again = check_answers(read_form(form, asked), asked)
    assert plain_answers(again, asked) == plain_answers(answers, asked)


def test_a_review_says_only_what_was_touched():
    document = to_document(make_analysis())
    form = {
        "lesion.1": ["confirm"],
        "lesion.2": ["reject"],
        "lesion.3": ["open"],
        "kind.3": ["nodule"],
        "severity": ["2,5"],
        "iga_estimate": ["0"],
    }
    said = read_review(form | {"add": ["10.0,20.0,8.0,pustule"]}, document)
    assert said["lesions"] == [
        {"action": "confirm", "id": 1},
        {"action": "reject", "id": 2},
        {"action": "correct", "id": 3, "kind": "nodule", "group": "inflammatory"},
        {"action": "add", "center_xy": [10.0, 20.0], "diameter_px": 8.0, "kind": "pustule", "group": "inflammatory"},
    ]
    assert said["grades"] == [
        {"scale": "severity", "action": "correct", "value": 2.5},
        {"scale": "iga_estimate", "action": "correct", "value": 0},
    ]
    assert said["complete"] is False


@pytest.mark.parametrize(
    ("add", "reason"),
    [("", "unpack"), ("1,2,3", "unpack"), ("a,b,c,papule", "float"), ("1,2,3,freckle", "not a valid Kind")],
)
def test_a_lesion_that_cannot_be_placed_is_refused(add, reason):
    with pytest.raises(ValueError, match=reason):
        read_review({"add": [add]}, to_document(make_analysis()))
