"""A wrong, partial or hostile answers file gets one sentence that names the field."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comedo.errors import UnusableInput
from comedo.guidance.answers import Answers, Treatment, check_answers
from comedo.guidance.answers_file import MAX_BYTES, parse_answers, read_answers, write_answers
from comedo.guidance.profile import treatment_codes
from guidance.cases import HARMLESS, QUESTIONS, TABLES, make_answers

EMPTY = [b"", b"{}", b"# nothing\n", b"age: null\n", b"age:\nsex: ~\n"]


@pytest.mark.parametrize("data", EMPTY)
def test_an_empty_file_answers_nothing(data):
    assert parse_answers(data) == Answers()


def test_a_partial_file_leaves_the_rest_unanswered():
    answers = parse_answers(b"age: 17\nbreast_feeding: no\nallergies: [salicylate]\n")
    assert answers.age == 17
    assert answers.choices == {"breast_feeding": {"no"}, "allergies": {"salicylate"}}
    assert [q for q in QUESTIONS if answers.answered(q)] == ["age", "breast_feeding", "allergies"]


def test_json_is_read_too():
    assert parse_answers(b'{"age": 17, "treatments": []}') == Answers(age=17, treatments=())


WRONG = [
    ("age: 200", "age must be a whole number from 0 to 120; got '200'"),
    ("age: -1", "age must be a whole number from 0 to 120; got '-1'"),
    ("age: young", "age must be a whole number"),
    ("age: 17.5", "age must be a whole number"),
    ("age: .nan", "age must be a whole number from 0 to 120; got 'nan'"),
    ("age: true", "age must be a whole number"),
    ("age: [17]", "age must be a whole number from 0 to 120; got a list"),
    ("age: 2020-01-01", "age must be a whole number from 0 to 120; got a date"),
    (f"age: {'9' * 60}", "age must be a whole number from 0 to 120; got a huge number"),
    ("pregnant: yes", "there is no field 'pregnant' (did you mean pregnancy?)"),
    ("dose: 5", "there is no field 'dose'"),
    ("1: 2", "there is no field '1'"),
    ("pregnancy: maybe", "pregnancy must be one of not_possible, possible, trying, pregnant; got 'maybe'"),
    ("pregnancy: posible", "(did you mean possible?)"),
    ("pregnancy: yes", "pregnancy must be one of not_possible, possible, trying, pregnant; got 'True'"),
    ("pregnancy: [pregnant]", "pregnancy must be one of not_possible, possible, trying, pregnant; got a list"),
    ("allergies: salicylate", "allergies must be a list ([] for none) of benzoyl_peroxide"),
    ("allergies: [salicylate, nuts]", "allergies[1] must be one of"),
    ("allergies: [[salicylate]]", "allergies[0] must be one of"),
    ("red_flags: none", "red_flags must be a list"),
    ("treatments: isotretinoin", "treatments must be a list of entries"),
    ("treatments: [isotretinoin]", "treatments[0] must be fields with values, `what` among them; got 'isotretinoin'"),
    ("treatments: [{weeks: 3}]", "treatments[0] must be fields with values, `what` among them; got fields"),
    ("treatments: [{what: aspirin}]", "treatments[0].what must be one of"),
    ("treatments: [{what: other, weeks: many}]", "treatments[0].weeks must be a whole number from 0 to 5200"),
    ("treatments: [{what: other, now: 1}]", "treatments[0].now must be one of yes, no"),
    ("treatments: [{what: other, helped: a lot}]", "treatments[0].helped must be one of yes, partly, no"),
    ("treatments: [{what: other, week: 3}]", "treatments[0] has no field 'week' (did you mean weeks?)"),
    ("schema: comedo.answers/9", "schema must be comedo.answers/1; got 'comedo.answers/9'"),
    ("age: 17\nage: 30", "the field 'age' is given twice"),
    ("pregnancy: pregnant\n'pregnancy': not_possible", "the field 'pregnancy' is given twice"),
    ("treatments: [{what: other, what: isotretinoin}]", "the field 'what' is given twice"),
    ("- age: 17", "the answers must be fields with values; got a list"),
    ("just text", "the answers must be fields with values; got 'just text'"),
    ("age: [", "not readable YAML or JSON"),
    ("a: &x [1]\nb: *x", "references (*name) are not allowed"),
    ("age: 17\n<<: {age: 30}", "merging (<<) is not allowed"),
    ("age: !!python/object/apply:os.system ['true']", "not readable YAML or JSON"),
    ("[" * 20_000, "the file is nested too deeply"),
    ("age: 99999-99-99T99:99:99", "age must be a whole number"),
    ("when: 2020-99-99", "not readable YAML or JSON"),
]


@pytest.mark.parametrize(("text", "message"), WRONG, ids=[w[0][:40] for w in WRONG])
def test_wrong_and_hostile_files_are_refused_by_field(text, message):
    with pytest.raises(UnusableInput) as refused:
        parse_answers(text.encode())
    assert message in str(refused.value)
    assert len(str(refused.value)) < 500
    assert str(refused.value).isprintable()


def test_bytes_that_are_no_text_are_refused():
    with pytest.raises(UnusableInput, match="not UTF-8"):
        parse_answers(b"\xff\xfe\x00")


def test_a_name_that_could_steer_the_terminal_is_defused():
    with pytest.raises(UnusableInput) as refused:
        parse_answers(b'"\\e[31mred": 1')
    assert "\x1b" not in str(refused.value)


def test_a_huge_file_is_refused_unread(tmp_path):
    path = tmp_path / "answers.yaml"
    path.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(UnusableInput, match=r"answers\.yaml are larger than 64 KiB"):
        read_answers(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(UnusableInput, match=r"gone\.yaml cannot be read"):
        read_answers(tmp_path / "gone.yaml")
    with pytest.raises(UnusableInput, match="cannot be read"):
        read_answers(tmp_path)


def test_too_many_treatments_are_refused():
    with pytest.raises(UnusableInput, match="treatments has 51 entries; at most 50"):
        check_answers({"treatments": [{"what": "other"}] * 51}, TABLES.questions)


def test_written_answers_are_read_back(tmp_path):
    answers = make_answers(age=None, treatments=[{"what": "other", "now": False}], allergies=["other", "salicylate"])
    write_answers(answers, tmp_path / "answers.yaml")
    assert read_answers(tmp_path / "answers.yaml") == answers
    with pytest.raises(UnusableInput, match="cannot be written"):
        write_answers(answers, tmp_path / "no" / "answers.yaml")


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
WILD = st.recursive(SCALARS, lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(max_size=5), v, max_size=3))


def refused(read):
    """The message of a refusal; None where the answers were read."""
    try:
        assert isinstance(read(), Answers)
    except UnusableInput as error:
        return str(error)
    return None


@given(st.dictionaries(st.sampled_from(list(QUESTIONS)), WILD, max_size=4) | WILD)
@settings(max_examples=100, deadline=None)
def test_any_value_is_read_or_refused_by_name(values):
    refusal = refused(lambda: check_answers(values, TABLES.questions))
    assert refusal is None or refusal.startswith("answers: ")


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
@settings(max_examples=100, deadline=None)
def test_any_bytes_are_read_or_refused(data):
    refusal = refused(lambda: parse_answers(data))
    assert refusal is None or refusal.isprintable()


CODES = [
    ([], set()),
    ([Treatment("oral_antibiotic", 4, False, "yes")], set()),
    ([Treatment("oral_antibiotic", 4, True, "yes")], {"oral_antibiotic_now", "harmful_in_pregnancy_now"}),
    (
        [Treatment("topical_antibiotic", 12, True, "yes")],
        {"topical_antibiotic_now", "antibiotic_course_over"},
    ),
    ([Treatment("topical_antibiotic", 12, False, "yes")] * 2, {"antibiotics_six_months"}),
    ([Treatment("oral_antibiotic", 12, False, "no")], {"oral_antibiotic_failed"}),
    ([Treatment("azelaic_acid", 12, False, "no")] * 2, {"two_courses_failed"}),
    ([Treatment("azelaic_acid", 11, False, "no")] * 2, set()),
    ([Treatment("azelaic_acid", 12, False, None)] * 2, {"two_courses_failed"}),
    ([Treatment("isotretinoin", 4, None, None)], {"isotretinoin_now", "harmful_in_pregnancy_now"}),
    (
        [Treatment("oral_antibiotic")],
        {
            "oral_antibiotic_now",
            "harmful_in_pregnancy_now",
            "antibiotic_course_over",
            "antibiotics_six_months",
            "oral_antibiotic_failed",
        },
    ),
]


@pytest.mark.parametrize(("entries", "codes"), CODES)
def test_treatments_are_coded_with_what_is_not_said_as_the_cautious_answer(entries, codes):
    assert treatment_codes(entries) == codes


def test_harmless_answers_are_answers():
    assert set(HARMLESS) == set(QUESTIONS)
