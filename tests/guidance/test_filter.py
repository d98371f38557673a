"""The hard principles: as a truth table, over the full product of the coded answers, and against caution."""

from __future__ import annotations

from functools import cache
from itertools import chain, combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comedo.guidance.advice import Access, Group
from comedo.guidance.filter import Verdict, fired, judge_ingredients, judge_regimen
from comedo.guidance.profile import Profile
from guidance.cases import QUESTIONS, TABLES, profile_of, with_codes

OPEN, CLINICIAN, HIDDEN = Access
RETINOIDS = TABLES.members(["topical_retinoid", "oral_retinoid"])
TETRACYCLINES = TABLES.members(["oral_tetracycline"])
ORAL_ANTIBIOTICS = TABLES.members(["oral_tetracycline", "oral_other_antibiotic"])
TOPICAL_ANTIBIOTICS = TABLES.members(["topical_antibiotic"])
ANTIBIOTICS = ORAL_ANTIBIOTICS | TOPICAL_ANTIBIOTICS
NAMES = list(TABLES.ingredients)


def access(profile: Profile) -> dict[str, Access]:
    return {i: v.access for i, v in judge_ingredients(TABLES, fired(TABLES, profile)).items()}


def test_harmless_answers_restrict_nothing():
    assert access(profile_of()) == {i: it.base for i, it in TABLES.ingredients.items()}


def test_no_answers_list_nothing():
    nobody = Profile({q: frozenset(it.codes) for q, it in QUESTIONS.items()}, frozenset())
    assert set(access(nobody).values()) == {HIDDEN}


TRUTH = [
    ({"pregnancy": "pregnant"}, {"benzoyl_peroxide": CLINICIAN, "azelaic_acid": CLINICIAN, "adapalene_0_1": HIDDEN}),
    ({"pregnancy": "pregnant"}, {"doxycycline": HIDDEN, "spironolactone": HIDDEN, "combined_pill": HIDDEN}),
    ({"pregnancy": "pregnant"}, {"clindamycin": CLINICIAN, "clascoterone": HIDDEN, "niacinamide": HIDDEN}),
    ({"pregnancy": "trying"}, {"tretinoin": HIDDEN, "lymecycline": HIDDEN, "isotretinoin": HIDDEN}),
    ({"pregnancy": "possible"}, {"adapalene_0_1": CLINICIAN, "spironolactone": CLINICIAN, "isotretinoin": HIDDEN}),
    ({"pregnancy": None}, {"adapalene_0_1": HIDDEN, "benzoyl_peroxide": CLINICIAN, "isotretinoin": HIDDEN}),
    ({"breast_feeding": "yes"}, {"benzoyl_peroxide": OPEN, "azelaic_acid": CLINICIAN, "salicylic_acid": CLINICIAN}),
    ({"breast_feeding": "yes"}, {"isotretinoin": HIDDEN, "trimethoprim": HIDDEN}),
    ({"age": 8}, {"benzoyl_peroxide": HIDDEN, "niacinamide": HIDDEN}),
    ({"age": 11}, {"benzoyl_peroxide": CLINICIAN, "adapalene_0_1": CLINICIAN, "adapalene_0_3": HIDDEN}),
    ({"age": 11}, {"doxycycline": HIDDEN, "clascoterone": HIDDEN, "combined_pill": HIDDEN, "isotretinoin": HIDDEN}),
    ({"age": 12}, {"benzoyl_peroxide": OPEN, "doxycycline": CLINICIAN, "isotretinoin": HIDDEN}),
    ({"age": 13}, {"isotretinoin": CLINICIAN}),
    ({"age": None}, {"benzoyl_peroxide": HIDDEN}),
    ({"sex": "male"}, {"combined_pill": HIDDEN, "spironolactone": HIDDEN, "benzoyl_peroxide": OPEN}),
    ({"sex": "undisclosed"}, {"combined_pill": HIDDEN, "spironolactone": HIDDEN}),
    ({"sex": None}, {"combined_pill": HIDDEN, "spironolactone": HIDDEN}),
    ({"allergies": ["benzoyl_peroxide"]}, {"benzoyl_peroxide": HIDDEN, "salicylic_acid": OPEN}),
    ({"allergies": ["salicylate"]}, {"salicylic_acid": HIDDEN, "benzoyl_peroxide": OPEN}),
    ({"allergies": ["other"]}, {"benzoyl_peroxide": CLINICIAN}),
    ({"allergies": None}, {"benzoyl_peroxide": HIDDEN, "salicylic_acid": HIDDEN, "clindamycin": HIDDEN}),
    ({"conditions": ["eczema_or_damaged_skin"]}, {"adapalene_0_1": HIDDEN, "salicylic_acid": HIDDEN}),
    ({"conditions": ["smoker"]}, {"combined_pill": HIDDEN, "spironolactone": CLINICIAN}),
    ({"conditions": ["kidney"]}, {"spironolactone": HIDDEN, "combined_pill": CLINICIAN}),
    (
        {"treatments": [{"what": "oral_antibiotic", "weeks": 3, "now": True}]},
        {"clindamycin": HIDDEN, "doxycycline": CLINICIAN},
    ),
    (
        {"treatments": [{"what": "topical_antibiotic", "weeks": 3, "now": True}]},
        {"doxycycline": HIDDEN, "trimethoprim": HIDDEN},
    ),
    (
        {"treatments": [{"what": "oral_antibiotic", "weeks": 12, "now": True}]},
        {"doxycycline": HIDDEN, "clindamycin": HIDDEN},
    ),
    ({"treatments": [{"what": "oral_antibiotic", "now": True}]}, {"doxycycline": HIDDEN}),
    (
        {"treatments": [{"what": "oral_antibiotic", "weeks": 11, "now": False}]},
        {"doxycycline": CLINICIAN, "clindamycin": CLINICIAN},
    ),
    ({"treatments": [{"what": "oral_antibiotic", "weeks": 24, "now": False}]}, {"doxycycline": HIDDEN}),
    (
        {"treatments": [{"what": "isotretinoin", "weeks": 2, "now": True}]},
        {"doxycycline": HIDDEN, "benzoyl_peroxide": CLINICIAN},
    ),
    ({"treatments": None}, {"doxycycline": HIDDEN, "clindamycin": HIDDEN, "benzoyl_peroxide": CLINICIAN}),
    ({"red_flags": ["self_harm"]}, {"benzoyl_peroxide": HIDDEN, "niacinamide": HIDDEN}),
    ({"red_flags": ["rosacea_like"]}, {"benzoyl_peroxide": CLINICIAN}),
    ({"red_flags": ["changing_spot"]}, {"benzoyl_peroxide": OPEN}),
]


@pytest.mark.parametrize(("changes", "expected"), TRUTH, ids=lambda v: str(v)[:60])
def test_answers_and_what_they_leave(changes, expected):
    found = access(profile_of(**changes))
    assert {i: found[i] for i in expected} == expected


# ------------------------------------------------- the full product of the coded answers


def states(question: str) -> list[frozenset[str]]:
    """Every answer as codes: each choice, or each set of those that restrictions read; last, unanswered."""
    codes = QUESTIONS[question].codes
    if QUESTIONS[question].kind in ("number", "choice"):
        return [*(frozenset({c}) for c in codes), frozenset(codes)]
    read = [{r.id for r in TABLES.restrictions if r.question == question and c in r.answers} for c in codes]
    merged = {frozenset(rules): code for rules, code in zip(read, codes, strict=True) if rules}  # alike in all rules
    kept = sorted(merged.values())
    subsets = chain.from_iterable(combinations(kept, n) for n in range(len(kept) + 1))
    return [*map(frozenset, subsets), frozenset(codes)]


@cache
def effects(question: str) -> tuple[list[frozenset[str]], np.ndarray]:
    """The states of a question and the access each leaves to every ingredient, (states, ingredients), by the engine."""
    found = [access(with_codes(**{question: s})) for s in states(question)]
    return states(question), np.array([[a[i] for i in NAMES] for a in found], np.uint8)


RESTRICTING = sorted({r.question for r in TABLES.restrictions})


def test_every_restriction_reads_one_question_so_effects_join_by_the_strictest():
    """The step on which the full product rests: together means the strictest of each alone."""
    rng = np.random.default_rng(0)
    for _ in range(100):
        chosen = {q: int(rng.integers(len(effects(q)[0]))) for q in RESTRICTING}
        together = access(with_codes(**{q: effects(q)[0][n] for q, n in chosen.items()}))
        alone = np.max([effects(q)[1][n] for q, n in chosen.items()], axis=0)
        assert [together[i] for i in NAMES] == alone.tolist()


def rows_of(names: frozenset[str]) -> list[int]:
    return [n for n, i in enumerate(NAMES) if i in names]


def listed(levels: np.ndarray) -> dict[str, np.ndarray]:
    """Where each regimen is listed: every part has an alternative that is not hidden."""
    may = levels < HIDDEN
    where = {i: n for n, i in enumerate(NAMES)}
    return {
        r.id: np.all([may[..., [where[i] for i in part.any_of]].any(-1) for part in r.parts], axis=0)
        for r in TABLES.regimens
    }


def joined(questions: tuple[str, ...]) -> np.ndarray:
    """The distinct effects of every combination of answers to these questions, (ingredients, combinations)."""
    levels = np.zeros((1, len(NAMES)), np.uint8)
    for question in questions:
        distinct = np.unique(effects(question)[1], axis=0)
        levels = np.maximum(levels[:, None], distinct[None]).reshape(-1, len(NAMES))
    return np.ascontiguousarray(levels.T)


CAREFUL = RETINOIDS | TETRACYCLINES | {"spironolactone"}
PEOPLE = ("age", "sex", "pregnancy", "breast_feeding")
# Who it is, what may then not be named more freely than so.
FORBIDDEN = [
    ("pregnancy", {"possible", "trying", "pregnant"}, CAREFUL, CLINICIAN),
    ("pregnancy", {"possible", "trying", "pregnant"}, {"isotretinoin"}, HIDDEN),
    ("pregnancy", {"trying", "pregnant"}, CAREFUL | {"combined_pill", "clascoterone"}, HIDDEN),
    ("breast_feeding", {"yes"}, CAREFUL | ANTIBIOTICS | {"combined_pill", "clascoterone"}, CLINICIAN),
    ("breast_feeding", {"yes"}, {"isotretinoin"}, HIDDEN),
    ("sex", {"male", "undisclosed"}, {"combined_pill", "spironolactone"}, HIDDEN),
    ("age", {"under_1", "from_1_to_7", "age_8"}, set(NAMES), HIDDEN),
    ("age", {"from_9_to_11"}, set(NAMES), CLINICIAN),
    ("age", {"from_9_to_11"}, ORAL_ANTIBIOTICS | {"adapalene_0_3", "clascoterone", "combined_pill"}, HIDDEN),
    ("age", {"from_9_to_11", "age_12"}, {"isotretinoin"}, HIDDEN),
]


def test_no_combination_of_answers_names_what_is_forbidden():
    """The full product of all that restrictions read; an unanswered question is one of its states."""
    others = joined(("allergies", "conditions", "treatments", "red_flags"))
    combinations_seen = 0
    for person in product(*(zip(*effects(q), strict=True) for q in PEOPLE)):
        codes = dict(zip(PEOPLE, (state for state, _ in person), strict=True))
        own = np.max([levels for _, levels in person], axis=0)
        combinations_seen += others.shape[1]
        for question, may_be, names, least in FORBIDDEN:
            if codes[question] & may_be:
                rows = rows_of(frozenset(names))
                assert np.maximum(others[rows], own[rows, None]).min() >= least, (codes, names)
    assert combinations_seen > 1_000_000


MEDICINES = [
    ("oral_antibiotic_now", TOPICAL_ANTIBIOTICS),
    ("topical_antibiotic_now", ORAL_ANTIBIOTICS),
    ("isotretinoin_now", TETRACYCLINES),
    ("oral_antibiotic_now", frozenset({"isotretinoin"})),
    ("antibiotic_course_over", ANTIBIOTICS),
    ("antibiotics_six_months", ANTIBIOTICS),
]


@pytest.mark.parametrize(("taken", "names"), MEDICINES, ids=lambda v: v if isinstance(v, str) else "")
def test_what_is_taken_now_rules_out_its_enemies_whatever_else_is_answered(taken, names):
    rest = joined(tuple(q for q in RESTRICTING if q != "treatments"))
    for state in (frozenset({taken}), frozenset(QUESTIONS["treatments"].codes)):
        levels = access(with_codes(treatments=state))
        own = np.array([levels[i] for i in NAMES], np.uint8)
        assert np.maximum(rest[rows_of(names)], own[rows_of(names), None]).min() == HIDDEN


@pytest.mark.parametrize("question", RESTRICTING)
def test_a_more_cautious_answer_only_restricts_more(question):
    """Unanswered, one more thing named, or an answer above in the order of caution: no ingredient gets freer."""
    found, levels = effects(question)
    for n, milder in enumerate(found):
        for m, stricter in enumerate(found):
            above = {u for code in milder for u in QUESTIONS[question].more_cautious(code)}
            if milder <= stricter or (len(milder) == len(stricter) == 1 and stricter <= above):
                assert (levels[m] >= levels[n]).all(), (milder, stricter)


LEVELS = st.lists(st.sampled_from(list(Access)), min_size=len(NAMES), max_size=len(NAMES))


@given(LEVELS, LEVELS)
@settings(max_examples=100, deadline=None)
def test_stricter_ingredients_never_add_or_free_a_regimen(one, other):
    milder = {i: Verdict(a) for i, a in zip(NAMES, one, strict=True)}
    stricter = {i: Verdict(max(a, b)) for i, a, b in zip(NAMES, one, other, strict=True)}
    for regimen in TABLES.regimens:
        before, after = judge_regimen(regimen, milder), judge_regimen(regimen, stricter)
        assert after.access >= before.access
        assert set(after.ingredients) <= set(before.ingredients)
        assert not any(stricter[i].access is HIDDEN for i in after.ingredients)


def test_no_regimen_holds_an_antibiotic_alone_or_both_kinds_whatever_is_hidden():
    for regimen in TABLES.regimens:
        parts = [set(part.any_of) for part in regimen.parts]
        with_antibiotic = [p for p in parts if p & ANTIBIOTICS]
        assert all(p <= ANTIBIOTICS for p in with_antibiotic)
        assert len(with_antibiotic) <= 1
        assert not with_antibiotic or len(parts) > 1
        assert not with_antibiotic or (regimen.course_weeks or 99) <= 12


def test_antibiotics_by_mouth_are_listed_from_moderate_on():
    for regimen in TABLES.regimens:
        if ORAL_ANTIBIOTICS & {i for part in regimen.parts for i in part.any_of}:
            assert not {Group.CLEAR, Group.MILD} & set(regimen.groups)


def test_listing_in_the_product_is_the_engines():
    """The array form of `listed` says what judge_regimen says."""
    for question in RESTRICTING:
        for state, levels in zip(*effects(question), strict=True):
            verdicts = judge_ingredients(TABLES, fired(TABLES, with_codes(**{question: state})))
            expected = {r.id: judge_regimen(r, verdicts).listed for r in TABLES.regimens}
            assert {k: bool(v) for k, v in listed(levels).items()} == expected
