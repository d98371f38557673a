import json

import pytest

import comedo
from builders import make_grades
from cases import drawn_case
from comedo.errors import UnusableInput
from comedo.report.case import load_case
from comedo.report.document import GradesPart
from comedo.review.corrections import Corrections, read_corrections
from comedo.review.document import review_json
from comedo.review.run import READERS_COUNT, review, reviewed_case
from comedo.review.store import find_reviews, read_review, save_review
from comedo.types import Grade, Group, Region

WHEN = "2026-11-20T09:30:00Z"


@pytest.fixture
def files(tmp_path):
    return drawn_case(tmp_path)


def corrections(**given):
    return Corrections.model_validate(
        {"schema": "comedo.corrections/1", "reviewer": "Dr A", "reviewed_at": WHEN} | given
    )


def changes(done):
    return {c.what: (c.before, c.after) for c in done.changes}


@pytest.mark.weights
def test_nothing_said_keeps_every_number(sample_files):
    case = sample_files.load()
    done = review(case, corrections())
    assert done.changes == ()
    assert done.notices == ()
    assert done.result.grades == case.document.grades
    assert done.result.counts.interval_90 == case.document.counts.interval_90


@pytest.mark.weights
def test_a_rejected_lesion_changes_every_number_by_the_pipelines_own_functions(sample_files):
    case = sample_files.load()
    inflamed = [x.id for x in case.document.lesions if x.group is Group.INFLAMMATORY]
    done = review(case, corrections(lesions=[{"id": i, "action": "reject"} for i in inflamed]))
    found = changes(done)
    assert found["counts.total"] == (case.document.counts.total, case.document.counts.total - len(inflamed))
    assert found["counts.inflammatory"] == (len(inflamed), 0)
    before, after = found["grades.severity"]
    assert after < before
    before, after = found["coverage.fraction"]
    assert 0 <= after < before
    assert done.result.grades.hayashi.level == "no inflamed lesions"
    assert done.result.grades.nice_group.value in ("none", "mild_to_moderate")


@pytest.mark.weights
def test_grades_from_the_written_analysis_are_those_of_the_analysis(sample_files):
    """The file carries all that grading needs: what is written is rounded, so the last digit may differ."""
    from comedo.calibration import load_calibration
    from comedo.pipeline import judge

    case = sample_files.load()
    counts, grades = judge(case.lesions, case.face, load_calibration())
    assert counts.total == case.document.counts.total
    for name, part in case.document.grades.scales().items():
        assert grades[name].value == pytest.approx(part.value, abs=0.02) if part.value is not None else True
        assert grades[name].level == part.level


def test_counts_by_hand(files):
    done = review(
        files.load(),
        corrections(
            lesions=[
                {"id": 1, "action": "confirm"},
                {"id": 2, "action": "reject", "why": "a reflection"},
                {"id": 4, "action": "correct", "kind": "papule"},
                {"action": "add", "center_xy": [150, 180], "diameter_px": 6, "kind": "pustule"},
            ]
        ),
    )
    counts = done.result.counts  # 4 active - 1 rejected + 1 mark that is a papule + 1 added
    assert counts.total == 5
    assert counts.by_group == {Group.INFLAMMATORY: 5, Group.NON_INFLAMMATORY: 0}
    assert counts.by_region[Region.LEFT_CHEEK] == 2
    low, high = counts.interval_90
    assert low >= 3, "three lesions were seen by a person"
    assert high > 5, "missed ones are as likely as before"
    assert [str(x.status) for x in done.result.lesions] == [
        "confirmed",
        "unreviewed",
        "corrected",
        "unreviewed",
        "added",
    ]


def test_a_complete_reading_has_no_interval_of_comedos(files):
    done = review(files.load(), corrections(complete=True, lesions=[{"id": 2, "action": "reject"}]))
    assert done.result.counts.interval_90 is None
    assert all(g.interval_90 is None for g in done.result.grades.scales().values())
    assert READERS_COUNT in done.notices
    after = reviewed_case(files.load(), done)
    assert after.count_interval is None
    assert after.document.counts.total == 3


@pytest.mark.parametrize(
    ("said", "value", "level"),
    [
        ({"scale": "gea", "action": "correct", "value": 3}, 3, "moderate"),
        ({"scale": "gea", "action": "confirm"}, 2, "mild"),
        ({"scale": "gea", "action": "reject", "why": "make-up"}, None, None),
        ({"scale": "severity", "action": "correct", "value": 4.5}, 4.5, "Moderate"),
        ({"scale": "nice_group", "action": "correct", "value": "none"}, "none", "none"),
    ],
    ids=["correct", "confirm", "reject", "severity", "nice"],
)
def test_the_readers_grade_goes_before_the_arithmetic(files, said, value, level):
    done = review(files.load(), corrections(grades=[said]))
    grade = done.result.grades.scales()[said["scale"]]
    assert (grade.value, grade.level, grade.interval_90) == (value, level, None)
    assert "by Dr A" in grade.why
    assert said.get("why", "") in grade.why


def test_acne_can_be_denied(files):
    done = review(files.load(), corrections(grades=[{"scale": "acne", "action": "correct", "value": False}]))
    assert done.result.grades.acne.affected is False
    assert changes(done) == {"grades.acne": (True, False)}


def test_the_original_is_never_altered_and_reviews_lie_beside_it(files):
    before = files.analysis.read_bytes()
    done = review(files.load(), corrections(lesions=[{"id": 1, "action": "reject"}]))
    first = save_review(done, files.analysis)
    assert first.name == "face.review.json"
    assert save_review(done, files.analysis) == first
    other = save_review(review(files.load(), corrections(why="second look")), files.analysis)
    assert find_reviews(files.analysis) == [first, other]
    assert files.analysis.read_bytes() == before
    assert read_review(first) == done
    written = json.loads(first.read_text())
    assert (written["schema"], written["reviewer"], written["reviewed_at"]) == ("comedo.review/1", "Dr A", WHEN)
    assert len(written["analysis"]["sha256"]) == 64


def test_a_reviewed_case_shows_the_reviews_numbers(files):
    case = files.load()
    done = review(case, corrections(lesions=[{"id": 3, "action": "reject"}]))
    after = reviewed_case(case, done)
    assert [x.id for x in after.lesions] == [1, 2, 4, 5]
    assert after.mask.sum() == case.mask.sum() - 49
    assert after.document.coverage.lesion_px == case.document.coverage.lesion_px - 49
    assert "reviewed by Dr A at 2026-11-20T09:30:00Z" in after.document.notices
    with pytest.raises(UnusableInput, match="original"):
        review(after, corrections())


def test_without_a_mask_lesions_can_be_confirmed_but_not_rejected(files):
    files.mask.unlink()
    case = load_case(files.analysis)
    assert review(case, corrections(lesions=[{"id": 1, "action": "confirm"}])).result.coverage == case.document.coverage
    with pytest.raises(UnusableInput, match=r"NAME\.mask\.png"):
        review(case, corrections(lesions=[{"id": 1, "action": "reject"}]))


def test_corrections_of_another_analysis_are_refused(files):
    with pytest.raises(UnusableInput, match="analysis_sha256"):
        review(files.load(), corrections(analysis_sha256="0" * 64))


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ("not json", "JSON"),
        ("[]", "object"),
        ("[" * 100_000, "recursion"),
        ({"schema": "comedo.corrections/2", "reviewer": "A"}, "schema"),
        ({"schema": "comedo.corrections/1"}, "reviewer"),
        ({"reviewer": ""}, "reviewer"),
        ({"reviewed_at": "2026-11-20T09:30:00"}, "reviewed_at"),
        ({"lesion": []}, "lesion"),
        ({"lesions": [{"id": 1, "action": "remove"}]}, r"lesions\.0"),
        ({"lesions": [{"id": 1, "action": "correct"}]}, r"lesions\.0\.correct"),
        ({"lesions": [{"id": 1, "action": "correct", "kind": "wart"}]}, r"lesions\.0\.correct\.kind"),
        ({"lesions": [{"id": 1, "action": "correct", "kind": "papule", "group": "mark"}]}, "no kind of mark"),
        ({"lesions": [{"action": "add", "center_xy": [1, 2], "diameter_px": 3}]}, "group or a kind"),
        ({"lesions": [{"action": "add", "center_xy": [1, 2], "diameter_px": -3, "kind": "papule"}]}, "diameter_px"),
        ({"lesions": [{"id": 1, "action": "reject"}, {"id": 1, "action": "confirm"}]}, "more than once"),
        ({"grades": [{"scale": "gaes", "action": "confirm"}]}, "no scale 'gaes'"),
        ({"grades": [{"scale": "gea", "action": "correct", "value": 9}]}, "0 to 5"),
        ({"grades": [{"scale": "gea", "action": "correct", "value": True}]}, "0 to 5"),
        ({"grades": [{"scale": "gea", "action": "correct"}]}, "needs a value"),
        ({"grades": [{"scale": "acne", "action": "correct", "value": 1}]}, "true or false"),
    ],
    ids=str,
)
def test_wrong_files_name_the_field(tmp_path, given, field):
    text = given if isinstance(given, str) else json.dumps({"schema": "comedo.corrections/1", "reviewer": "A"} | given)
    if given == {"schema": "comedo.corrections/1"}:
        text = json.dumps(given)
    path = tmp_path / "corrections.json"
    path.write_text(text)
    with pytest.raises(UnusableInput, match=field):
        read_corrections(path)


def test_a_review_is_one_line_of_json(files):
    assert "\n" not in review_json(review(files.load(), corrections(why="two\nlines")))


@pytest.mark.parametrize("content", ["{}", "no json", "[" * 100_000], ids=["empty", "text", "deep"])
def test_what_is_no_review_is_refused(tmp_path, content):
    (tmp_path / "a.review.json").write_text(content)
    with pytest.raises(UnusableInput, match="not a review"):
        read_review(tmp_path / "a.review.json")


def test_corrections_come_as_values_or_as_a_file(tmp_path):
    files = drawn_case(tmp_path)
    case = comedo.load_case(files.analysis)
    given = {"schema": "comedo.corrections/1", "reviewer": "Dr A", "reviewed_at": "2026-11-20T09:30:00Z"}
    given |= {"lesions": [{"id": 3, "action": "reject"}]}
    path = tmp_path / "corrections.json"
    path.write_text(json.dumps(given))
    assert comedo.apply_corrections(case, given) == comedo.apply_corrections(case, path)
    assert comedo.reviewed_case(case, comedo.apply_corrections(case, given)).document.counts.total == 3
    with pytest.raises(UnusableInput, match=r"corrections: lesions\.0.*see docs/review\.md"):
        comedo.apply_corrections(case, given | {"lesions": [{"id": 3, "action": "forget"}]})


@pytest.mark.weights
def test_every_derived_number_follows_a_reading(sample_files):
    """One comedone of many inflamed lesions stays: nothing that is counted, covered or graded keeps its value."""
    case = sample_files.load()
    kept, *others = (x.id for x in case.document.lesions if x.group is not Group.MARK)
    regions = {str(x.region) for x in case.document.lesions if x.group is not Group.MARK and x.id != kept}
    said = [
        {"id": kept, "action": "correct", "kind": "open_comedone"},
        *({"id": i, "action": "reject"} for i in others),
    ]
    done = review(case, corrections(lesions=said))
    wanted = {"counts.total", "counts.high_90", "counts.inflammatory", "coverage.fraction"}
    assert wanted | {f"counts.{region}" for region in regions - {"None"}} <= changes(done).keys()
    for name in GradesPart.model_fields:
        assert getattr(done.result.grades, name) != getattr(case.document.grades, name), name


@pytest.mark.parametrize("action", ["complete", "correct"])
def test_a_readers_group_carries_no_interval_of_comedos(tmp_path, action):
    details = {"group_low": "none", "group_high": "moderate_to_severe", "inflamed": 3, "nodules": 0}
    nice = Grade("nice_group", "mild_to_moderate", None, "why", "source", details=details)
    case = drawn_case(tmp_path, grades={**make_grades(), "nice_group": nice}).load()
    said = {"grades": [{"scale": "nice_group", "action": "correct", "value": "none"}]}
    done = review(case, corrections(**({"complete": True} if action == "complete" else said)))
    kept = done.result.grades.nice_group.details
    assert not {"group_low", "group_high"} & kept.keys()
    assert "inflamed" in kept


def test_a_long_reason_is_shortened_in_the_grade_and_whole_in_the_review(files):
    why = "word " * 399
    done = review(
        files.load(), corrections(reviewer="A" * 200, grades=[{"scale": "gea", "action": "reject", "why": why}])
    )
    assert len(done.result.grades.gea.why) < 400
    assert done.grade_corrections[0].why == why
    assert done.reviewer == "A" * 200
