"""Whole advices: every line has a source, urgent things come first, nothing withheld is named, the clock runs."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import make_analysis, make_quality
from comedo.guidance.advice import Access, Group, Provenance, Section, Urgency
from comedo.guidance.answers import HELPED, check_answers, plain_answers
from comedo.guidance.engine import make_advice
from comedo.guidance.findings import findings_from, findings_of
from comedo.guidance.load import languages, load_catalogue
from comedo.report.advice_document import AdviceDocument, advice_to_json
from comedo.types import Grade, Verdict
from guidance.cases import HARMLESS, QUESTIONS, TABLES, TODAY, advice_for, make_findings

INFORMING = set(Section) - {Section.URGENT, Section.IF_ANY, Section.WITHHELD, Section.UNANSWERED}
GROUPS = list(Group)
# Standings of sources of which a line of some provenance needs one at least.
BEARS = {
    Provenance.READ: {Provenance.READ},
    Provenance.SECONDARY: {Provenance.READ, Provenance.SECONDARY},
    Provenance.PROJECT: {Provenance.PROJECT},
    Provenance.UNVERIFIED: {Provenance.UNVERIFIED},
}
COURSE = re.compile(r"course of (\d+) weeks|(\d+) Wochen lang")


def ids(advice, section):
    return [line.id for line in advice.section(section)]


def entry():
    return st.fixed_dictionaries(
        {"what": st.sampled_from(QUESTIONS["treatments"].products)},
        optional={
            "weeks": st.none() | st.integers(0, 60),
            "now": st.none() | st.booleans(),
            "helped": st.none() | st.sampled_from(HELPED),
        },
    )


def value(question):
    if question.kind == "number":
        return st.integers(0, 120)
    if question.kind == "treatments":
        return st.lists(entry(), max_size=3)
    if question.kind == "choice":
        return st.sampled_from(question.answers)
    return st.lists(st.sampled_from(question.answers), max_size=3, unique=True)


ANSWERS = st.fixed_dictionaries({q.id: st.none() | value(q) for q in TABLES.questions})
FULL = st.fixed_dictionaries({q.id: value(q) for q in TABLES.questions})


def advise(values, group, language="en"):
    return make_advice(make_findings(group), check_answers(values, TABLES.questions), language=language, today=TODAY)


def assert_sound(advice):
    """What holds for every advice."""
    words = load_catalogue(advice.language)
    named = {i for line in advice.section(Section.TREATMENTS) for i in line.ingredients}
    hidden = {i for line in advice.section(Section.WITHHELD) for i in line.ingredients}
    classes = {TABLES.ingredients[i].cls for i in named}
    assert not named & hidden
    for line in advice.lines:
        assert line.text
        assert line.why
        assert line.sources
        assert all(s in TABLES.sources and s in advice.sources for s in line.sources)
        standing = {TABLES.sources[s].provenance for s in line.sources}
        assert standing & BEARS[line.provenance], (line.id, line.provenance, standing)
        if line.section in INFORMING:
            assert names_in(line.text, words) <= named, line.text
            if re.search("antibioti", line.text.lower()) and "not an antibiotic" not in line.text:
                assert classes & {"topical_antibiotic", "oral_tetracycline", "oral_other_antibiotic"}, line.text
            if "retinoid" in line.text.lower():
                assert "topical_retinoid" in classes, line.text
    for line in advice.section(Section.TREATMENTS):
        assert line.access in (Access.OPEN, Access.CLINICIAN)
        held = {TABLES.ingredients[i].cls for i in line.ingredients}
        oral = held & {"oral_tetracycline", "oral_other_antibiotic"}
        assert not (oral and "topical_antibiotic" in held)
        if oral or "topical_antibiotic" in held:
            assert len(held) > 1
            assert int(next(filter(None, COURSE.search(line.why).groups()))) <= 12
            assert line.access is Access.CLINICIAN
    order = list(Section)
    assert [line.section for line in advice.lines] == sorted((x.section for x in advice.lines), key=order.index)


def names_in(text, words):
    """Ingredients that a text names, whatever their concentration is written like."""
    found = set()
    for name, written in words.ingredients.items():
        stem = re.sub(r"\s*0[.,]\d\s*%", "", written)
        if re.search(rf"(?<!\w){re.escape(stem)}(?!\w)", text, re.IGNORECASE):
            found.add(name)
    both = {"adapalene_0_1", "adapalene_0_3"}  # one stem: told apart by the concentration
    if found & both:
        found -= both
        found |= {i for i in both if words.ingredients[i] in text}
    return found


@given(values=ANSWERS, group=st.sampled_from(GROUPS), language=st.sampled_from(languages()))
@settings(max_examples=60, deadline=None)
def test_every_line_has_a_source_and_nothing_withheld_is_named(values, group, language):
    assert_sound(advise(values, group, language))


@given(values=FULL, left_out=st.sets(st.sampled_from([q.id for q in TABLES.questions])), group=st.sampled_from(GROUPS))
@settings(max_examples=40, deadline=None)
def test_leaving_answers_out_never_adds_or_frees_a_treatment(values, left_out, group):
    fuller = advise(values, group)
    fewer = advise({**values, **dict.fromkeys(left_out)}, group)
    before = {line.id: line for line in fuller.section(Section.TREATMENTS)}
    for line in fewer.section(Section.TREATMENTS):
        assert line.access >= before[line.id].access
        assert set(line.ingredients) <= set(before[line.id].ingredients)


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("group", GROUPS)
def test_harmless_answers_show_all_that_the_group_has(group, language):
    advice = advice_for(group, language)
    assert_sound(advice)
    assert ids(advice, Section.TREATMENTS) == [r.id for r in TABLES.regimens if group in r.groups]
    assert not advice.section(Section.WITHHELD)
    assert advice.unanswered == ()


def test_no_answers_list_no_treatment_and_say_why():
    advice = advise({}, Group.SEVERE)
    assert_sound(advice)
    assert ids(advice, Section.TREATMENTS) == []
    assert advice.unanswered == tuple(QUESTIONS)
    assert len(advice.section(Section.UNANSWERED)) == len(QUESTIONS)
    assert all("Not answered" in line.why for line in advice.section(Section.WITHHELD))
    assert "RF_suicide" in ids(advice, Section.IF_ANY)
    assert "S_cleanser_sensitive" in ids(advice, Section.ROUTINE)


def test_a_withheld_line_names_the_answer():
    (line,) = advice_for(allergies=["benzoyl_peroxide"]).section(Section.WITHHELD)
    assert line.text == "Not listed: benzoyl peroxide."
    assert line.why == "Not with an allergy to benzoyl peroxide. Answered (Allergies): benzoyl peroxide."
    assert line.sources == ("fda_allergy",)


def test_what_hides_everything_says_so_in_one_word():
    lines = {x.id: x for x in advice_for(Group.MODERATE, age=8).section(Section.WITHHELD)}
    assert lines["age_under_9"].text == "Not listed: everything that the guidelines list for this group."
    assert set(lines["age_under_9"].ingredients) > set(lines["age_under_12_labels"].ingredients)


def test_a_rule_that_is_unverified_says_so_where_it_limits_a_treatment():
    lines = advice_for(Group.MILD, breast_feeding="yes").section(Section.TREATMENTS)
    why = next(x.why for x in lines if x.id == "A8")
    assert "While breast-feeding this is a matter for a clinician. (unverified: no document was opened" in why


def test_an_alternative_that_is_hidden_is_not_named():
    advice = advice_for(Group.SEVERE, age=11)
    assert ids(advice, Section.TREATMENTS) == []
    one = next(x for x in advice_for(Group.MILD, age=11).section(Section.TREATMENTS) if x.id == "N1")
    assert "0.1%" in one.text
    assert "0.3%" not in one.text


# ------------------------------------------------------------------ red flags

RAISED = [
    ({"red_flags": ["self_harm"]}, "RF_suicide", Urgency.EMERGENCY),
    ({"red_flags": ["allergic_reaction"]}, "RF_allergy", Urgency.EMERGENCY),
    ({"red_flags": ["sudden_ulcers_with_fever"]}, "RF_fulminans", Urgency.SAME_DAY),
    ({"red_flags": ["deep_lumps"]}, "RF_nodules", Urgency.SOON),
    ({"distress": "marked"}, "RF_mind", Urgency.SOON),
    ({"scars": ["scars"]}, "RF_scar", Urgency.SOON),
    ({"age": 5}, "RF_child", Urgency.SOON),
    ({"age": 45}, "RF_over_40", Urgency.SOON),
    ({"pregnancy": "pregnant", "treatments": [{"what": "isotretinoin"}]}, "RF_pregnant", Urgency.URGENT),
    ({"pregnancy": "trying", "treatments": [{"what": "topical_retinoid", "now": True}]}, "RF_trying", Urgency.SOON),
    ({"treatments": [{"what": "oral_antibiotic", "weeks": 14, "now": True}]}, "RF_course_over", Urgency.SOON),
    (
        {"treatments": [{"what": "oral_antibiotic", "now": True}, {"what": "topical_antibiotic", "now": True}]},
        "RF_both_antibiotics",
        Urgency.SOON,
    ),
    (
        {"treatments": [{"what": "benzoyl_peroxide", "weeks": 12, "helped": "no"}] * 2},
        "RF_failure",
        Urgency.SOON,
    ),
]


@pytest.mark.parametrize(("changes", "flag", "urgency"), RAISED, ids=lambda v: v if isinstance(v, str) else "")
def test_answers_raise_flags(changes, flag, urgency):
    (line,) = [x for x in advice_for(Group.MILD, **changes).section(Section.URGENT) if x.id == flag]
    assert line.urgency is urgency
    assert flag not in ids(advice_for(Group.MILD), Section.URGENT)


def test_the_fastest_flag_is_the_first_line_and_nothing_is_listed_beside_an_emergency():
    advice = advice_for(Group.MODERATE, red_flags=["deep_lumps", "self_harm"], distress="marked")
    assert advice.lines[0].id == "RF_suicide"
    assert ids(advice, Section.TREATMENTS) == []


def test_a_pregnancy_without_harmful_medicines_raises_no_flag():
    assert "RF_pregnant" not in ids(advice_for(Group.MILD, pregnancy="pregnant"), Section.URGENT)


def test_one_antibiotic_is_not_both():
    one = [{"what": "oral_antibiotic", "weeks": 3, "now": True}]
    assert "RF_both_antibiotics" not in ids(advice_for(treatments=one), Section.URGENT)


@pytest.mark.parametrize("age", [0, 5, 8])
def test_below_nine_years_no_skin_care_and_no_review_are_named(age):
    advice = advice_for(Group.MILD, age=age)
    assert ids(advice, Section.TREATMENTS) == ids(advice, Section.ROUTINE) == ids(advice, Section.EXPECT) == []
    assert ids(advice, Section.URGENT) in (["RF_child"], ["RF_young"])


def test_what_a_label_says_is_not_said_of_other_medicines():
    lines = {x.id: x for x in advice_for(Group.MODERATE, age=11).section(Section.WITHHELD)}
    assert lines["age_under_12_labels"].ingredients == ("adapalene_0_3", "clascoterone", "minocycline")
    assert "sarecycline" in lines["age_under_12_tetracyclines"].ingredients
    assert "abel" not in lines["age_under_12_tetracyclines"].why


@pytest.mark.parametrize("regimen", ["A3", "A4", "A6", "A10"])
def test_a_course_that_the_aad_does_not_state_is_said_to_be_nices(regimen):
    line = next(x for x in advice_for(Group.MODERATE).section(Section.TREATMENTS) if x.id == regimen)
    assert "that is NICE NG198 (2021)'s" in line.why
    assert "nice_ni" in line.sources


def test_differences_of_guidelines_are_shown():
    assert ids(advice_for(), Section.DIFFERENCES) == ["D1", "D2", "D3", "D4", "D5", "D6", "D7"]
    assert ids(advice_for(Group.SEVERE), Section.DIFFERENCES) == ["D3", "D4", "D5", "D8"]
    assert "D6" not in ids(advice_for(sex="male"), Section.DIFFERENCES)


# ------------------------------------------------------------------ the clock

CLOCK = [
    ([], date(2027, 2, 13), "If something is started today"),
    ([{"what": "benzoyl_peroxide", "weeks": 5, "now": True}], date(2027, 1, 9), "end on 09 January 2027"),
    ([{"what": "benzoyl_peroxide", "weeks": 12, "now": True}], TODAY, "the review is due"),
    ([{"what": "benzoyl_peroxide"}], TODAY, "the review is due"),
    ([{"what": "benzoyl_peroxide", "weeks": 30, "now": False}], date(2027, 2, 13), "started today"),
    (None, date(2027, 2, 13), "started today"),
]


@pytest.mark.parametrize(("treatments", "day", "text"), CLOCK)
def test_the_review_is_due_twelve_weeks_after_the_start(treatments, day, text):
    advice = advice_for(treatments=treatments)
    assert advice.review_on == day
    assert text in next(x.text for x in advice.section(Section.EXPECT) if x.id == "E_review")


@pytest.mark.parametrize("group", [Group.CLEAR, Group.NOT_ASSESSED])
def test_nothing_to_review(group):
    assert advice_for(group).review_on is None


# ------------------------------------------------------------------ from the analysis


def grade(value, interval=None, **details):
    return Grade("scale", value, None, "why", "source", interval_90=interval, details=details)


GROUPED = [
    (None, None, Group.NOT_ASSESSED, Group.NOT_ASSESSED),
    ("none", 0, Group.CLEAR, Group.CLEAR),
    ("mild_to_moderate", 1, Group.CLEAR, Group.CLEAR),
    ("mild_to_moderate", 2, Group.MILD, Group.MILD),
    ("mild_to_moderate", 3, Group.MILD, Group.MILD),
    ("moderate_to_severe", 3, Group.MODERATE, Group.MODERATE),
    ("moderate_to_severe", 4, Group.SEVERE, Group.SEVERE),
    (None, 3, Group.MODERATE, Group.MODERATE),
    ("mild_to_moderate", None, Group.MILD, Group.MILD),
    ("none", None, Group.CLEAR, Group.CLEAR),
]


@pytest.mark.parametrize(("nice", "iga", "group", "estimate"), GROUPED)
def test_grades_select_a_group(nice, iga, group, estimate):
    grades = {"nice_group": nice and grade(nice), "iga_estimate": None if iga is None else grade(iga, (iga, iga))}
    found = findings_from("a", "b", grades, poor=False)
    assert (found.group, found.estimate, found.widened) == (group, estimate, False)


def test_an_interval_that_reaches_a_stricter_group_selects_it_and_says_so():
    grades = {
        "nice_group": grade("mild_to_moderate", group_high="moderate_to_severe"),
        "iga_estimate": grade(2, (2, 3)),
    }
    found = findings_from("a", "b", grades, poor=False)
    assert (found.group, found.estimate) == (Group.MODERATE, Group.MILD)
    advice = make_advice(found, check_answers(HARMLESS, TABLES.questions), today=TODAY)
    assert 'reaches "moderate to severe"' in advice.group_why


def test_three_nodules_are_severe():
    found = findings_from("a", "b", {"nice_group": grade("moderate_to_severe", nodules=3)}, poor=False)
    assert found.group is Group.SEVERE


def test_a_poor_photo_selects_nothing():
    analysis = make_analysis(quality=make_quality(Verdict.POOR))
    advice = make_advice(findings_of(analysis), check_answers(HARMLESS, TABLES.questions), today=TODAY)
    assert advice.group is Group.NOT_ASSESSED
    assert "too poor" in advice.group_why
    assert ids(advice, Section.URGENT) == ["RF_uncertain"]
    assert ids(advice, Section.TREATMENTS) == []


# ------------------------------------------------------------------ the document


def test_the_document_holds_the_advice():
    advice = advice_for(sex="male", pregnancy="possible", treatments=[{"what": "other", "weeks": 2}])
    read = AdviceDocument.model_validate_json(advice_to_json(advice))
    assert [line.id for line in read.lines] == [line.id for line in advice.lines]
    assert set(read.sources) == {s for line in read.lines for s in line.sources}
    assert read.answers == dict(advice.answers)
    assert read.reviewed_by_clinician is False
    assert {line.access for line in read.lines} == {None, "open", "clinician", "hidden"}


def test_the_same_input_gives_the_same_bytes():
    assert advice_to_json(advice_for()) == advice_to_json(advice_for())


@given(values=ANSWERS)
@settings(max_examples=30, deadline=None)
def test_answers_survive_writing_and_reading(values):
    answers = check_answers(values, TABLES.questions)
    assert check_answers(plain_answers(answers, TABLES.questions), TABLES.questions) == answers


def test_a_surrogate_in_a_photo_name_does_not_break_the_document():
    findings = replace(make_findings(), photo_name="a\udcff.png")
    advice = make_advice(findings, check_answers({}, TABLES.questions), today=TODAY)
    assert '"a?.png"' in advice_to_json(advice)
