import json
import math

import pytest

from builders import make_analysis, make_counts, make_face, make_grades, make_lesion
from comedo.errors import NoFaceFound, PoorPhoto
from comedo.report.document import Document, json_schema
from comedo.report.tables import from_json, to_document, to_error, to_json
from comedo.types import Coverage, Grade, Region

CONTRACT = {
    "": ["schema", "photo", "models", "quality", "face", "lesions", "counts", "coverage", "grades", "notices"],
    "photo": ["name", "sha256", "width", "height"],
    "quality": ["verdict", "checks"],
    "face": [
        "box_xyxy",
        "roll_deg",
        "yaw_deg",
        "mm_per_px",
        "mm_per_px_error",
        "eyes_xy",
        "skin_area_px",
        "regions",
        "map",
    ],
    "counts": ["convention", "total", "interval_90", "by_group", "by_kind", "by_region"],
    "coverage": ["lesion_px", "skin_px", "fraction"],
    "grades": ["severity", "acne", "hayashi", "gags_face", "iga_estimate", "gea", "nice_group"],
}
LESION = [
    "id",
    "box_xyxy",
    "center_xy",
    "diameter_px",
    "diameter_mm",
    "area_px",
    "score",
    "group",
    "kind",
    "kind_probs",
    "region",
    "redness",
    "conspicuity",
]


@pytest.fixture(scope="module")
def written():
    return json.loads(to_json(make_analysis()))


@pytest.mark.parametrize("part", CONTRACT, ids=lambda p: p or "document")
def test_keys_are_those_of_the_contract(written, part):
    assert list(written[part] if part else written) == CONTRACT[part]


def test_keys_of_rows_are_those_of_the_contract(written):
    assert list(written["lesions"][0]) == LESION
    assert list(written["quality"]["checks"][0]) == ["name", "value", "limit", "ok", "advice"]
    assert list(written["grades"]["severity"])[:4] == ["value", "level", "interval_90", "why"]
    assert list(written["grades"]["acne"])[:2] == ["probability", "affected"]


def test_values_by_hand(written):
    assert written["schema"] == "comedo.analysis/1"
    assert written["photo"] == {"name": "drawn.png", "sha256": "0123456789abcdef" * 4, "width": 240, "height": 320}
    assert written["face"]["regions"]["nose"] == {"area_px": make_face().region_area_px(Region.NOSE)}
    assert written["lesions"][1]["center_xy"] == [121.5, 165.25]
    assert [it["group"] for it in written["lesions"]].count("mark") == 1
    assert written["counts"]["total"] == 4
    assert written["grades"]["acne"]["affected"] is True
    assert written["grades"]["gags_face"]["value"] == 9


@pytest.mark.parametrize(
    ("path", "what"),
    [
        (("lesions", 3, "diameter_mm"), "no millimetres"),
        (("lesions", 3, "redness"), "redness not measured"),
        (("lesions", 4, "region"), "outside the regions"),
        (("counts", "by_region", "chin"), "region not visible"),
        (("grades", "iga_estimate", "value"), "grade that a photo cannot give"),
        (("quality", "checks", 2, "value"), "check not measured"),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_unknown_is_null_never_zero(written, path, what):
    value = written
    for key in path:
        value = value[key]
    assert value is None


def test_a_scale_that_was_not_run_is_null():
    grades = {"severity": make_grades()["severity"]}
    assert json.loads(to_json(make_analysis(grades=grades)))["grades"]["gea"] is None


def test_a_further_scale_keeps_its_name():
    extra = Grade("cass", 3, "Moderate", "why", "source")
    document = to_document(make_analysis(grades=make_grades() | {"cass": extra}))
    assert from_json(to_json(document)) == document
    assert document.grades.scales()["cass"].value == 3


@pytest.mark.parametrize("value", [3, 3.0, 3.5, True, "mild", None], ids=repr)
def test_a_grade_keeps_the_type_of_its_value(value):
    document = to_document(make_analysis(grades={"hayashi": Grade("hayashi", value, None, "", "")}))
    back = from_json(to_json(document))
    assert isinstance(back, Document)
    assert back.grades.hayashi is not None
    assert back.grades.hayashi.value == value
    assert type(back.grades.hayashi.value) is type(value)


def test_no_skin_gives_no_fraction():
    assert to_document(make_analysis(coverage=Coverage(0, 0))).coverage.fraction is None


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf], ids=str)
def test_a_number_that_is_none_is_unknown(number):
    lesions = (make_lesion(redness=number),)
    assert to_document(make_analysis(lesions=lesions)).lesions[0].redness is None


def test_round_trip():
    document = to_document(make_analysis())
    assert from_json(to_json(document)) == document


def test_same_input_same_bytes():
    assert to_json(make_analysis()) == to_json(make_analysis())


def test_order_of_mappings_does_not_show():
    counts = make_counts()
    turned = type(counts)(
        counts.convention,
        counts.total,
        counts.interval_90,
        dict(reversed(counts.by_group.items())),
        dict(reversed(counts.by_kind.items())),
        dict(reversed(counts.by_region.items())),
    )
    assert to_json(make_analysis(counts=turned)) == to_json(make_analysis())


@pytest.mark.parametrize("name", ["a\nb.jpg", 'quo"te.jpg', "面.jpg", "\udcff.jpg"], ids=ascii)
def test_any_file_name_makes_one_line_of_utf8(name):
    text = to_json(make_analysis(photo_name=name))
    assert "\n" not in text
    assert json.loads(text.encode())["photo"]["name"]


@pytest.mark.parametrize(
    ("error", "code"),
    [(NoFaceFound("no face"), "no_face"), (PoorPhoto("dark"), "poor_photo"), (ValueError("bug"), "error")],
    ids=["no face", "poor", "not ours"],
)
def test_errors_are_documents_too(error, code):
    text = to_json(to_error(error, "a.jpg"))
    assert json.loads(text) == {
        "schema": "comedo.error/1",
        "code": code,
        "message": str(error),
        "photo": {"name": "a.jpg"},
    }
    assert from_json(text) == to_error(error, "a.jpg")


@pytest.mark.parametrize("text", ["{}", "[]", '{"schema": "comedo.analysis/2"}', "no json", '{"schema": []}'])
def test_other_texts_are_refused(text):
    with pytest.raises(ValueError, match=r"."):
        from_json(text)


def test_shipped_schema_is_the_one_of_the_code():
    from importlib.resources import files

    shipped = files("comedo.report").joinpath("schema", "analysis-1.schema.json").read_text("utf-8")
    assert json.loads(shipped) == json.loads(json.dumps(json_schema())), "run: make schema"
