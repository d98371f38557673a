import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comedo.errors import UnusableInput
from comedo.training.notes.lexicon import SHIPPED, load_lexicon
from comedo.training.notes.score import Course, Word, judge, read_note

LEXICON, NAME = load_lexicon()

# Written for these tests, in the manner of follow-up notes; nobody's records.
NOTES = {
    "nothing": ("", "unclear"),
    "no-course": ("Seen with mother. Mixed acne of cheeks and chin. Continue as is.", "unclear"),
    "improved": ("Much improved since last visit.", "improved"),
    "responding": ("Responding to treatment, forehead almost clear.", "improved"),
    "fewer": ("Fewer papules on both cheeks.", "improved"),
    "reduced-behind": ("Inflammatory lesions reduced by about half.", "improved"),
    "redness-down": ("Redness and papules down.", "improved"),
    "counted-down": ("Lesion count 24 -> 12", "improved"),
    "clear-state": ("No active lesions today.", "improved"),
    "worse": ("Worse. New nodules on the chin.", "worse"),
    "flare": ("Flare over the last two weeks with many new pustules", "worse"),
    "more-lesions": ("More comedones along the jaw.", "worse"),
    "counted-up": ("From 8 to 15 papules.", "worse"),
    "relapse": ("Relapsed after stopping tablets.", "worse"),
    "back-again": ("Acne is back.", "worse"),
    "same": ("No change. Persistent papules.", "same"),
    "stable": ("Stable disease", "same"),
    "not-better": ("Not better.", "same"),
    "no-improvement": ("No improvement in inflammation.", "same"),
    "not-worse": ("Not worse.", "same"),
    "no-new": ("No new lesions.", "same"),
    "not-stable": ("Acne not stable", "worse"),
    "no-longer": ("No longer flaring.", "improved"),
    "no-evidence": ("No evidence of flare.", "same"),
    "negation-ends": ("Not worse, papules resolved.", "improved"),
    "slightly": ("Slightly better.", "improved"),
    "but-worse": ("Comedones somewhat better but much worse on the chin.", "worse"),
    "although": ("Although some breakouts, clearly improved.", "improved"),
    "even": ("Forehead better. Chin worse.", "unclear"),
    "dose-up": ("Increase dose to 40 mg.", "unclear"),
    "dose-for-acne": ("Increase dose as acne is treated.", "unclear"),
    "new-cream": ("New cream for papules.", "unclear"),
    "safety-net": ("Return if acne flares or gets worse.", "unclear"),
    "hope": ("Expect improvement in 8 weeks. Hopes for clear skin.", "unclear"),
    "plan-and-course": ("Improved; will review if worse.", "improved"),
    "history": ("History of flares in winter.", "unclear"),
    "history-now": ("Previously flaring now clear.", "improved"),
    "side-effect": ("Dryness is better. Irritation improved.", "unclear"),
    "body": ("Back acne worse.", "unclear"),
    "face-not-body": ("Chest worse, face clearing.", "improved"),
    "abbreviated": ("f/u 6/52: papules ↓↓ fewer lesions, happy with skin", "improved"),
    "shouted": ("MUCH BETTER", "improved"),
    "curly": ("Hasn’t improved", "same"),
}


@pytest.mark.parametrize(("note", "course"), NOTES.values(), ids=NOTES)
def test_the_course_of_a_note(note, course):
    assert read_note(note, LEXICON).course == course


def test_the_words_that_decided_are_named():
    found = read_note("Slightly better but many new papules, not healing.", LEXICON)
    assert [str(w) for w in found.words] == ["better: improved 0.5", "many new: worse 1.5", "not healing: same 1"]
    assert found.score == pytest.approx((0.5 - 1.5) / 3, abs=1e-4)


def test_a_note_that_says_nothing_has_no_score():
    assert read_note("Seen today.", LEXICON).score is None
    assert judge([]).course is Course.UNCLEAR


@pytest.mark.parametrize(
    ("weights", "course", "score"),
    [
        pytest.param([("improved", 0.4)], "unclear", None, id="too-little"),
        pytest.param([("improved", 2), ("worse", 1)], "improved", 1 / 3, id="a-third-suffices"),
        pytest.param([("improved", 1), ("worse", 1)], "unclear", 0, id="even-sides-are-no-sameness"),
        pytest.param([("improved", 1), ("same", 3)], "same", 0.25, id="mostly-the-same"),
    ],
)
def test_weights_are_judged_by_their_difference_over_all(weights, course, score):
    found = judge([Word("", Course(c), w) for c, w in weights])
    assert found.course == course
    assert found.score == (None if score is None else pytest.approx(score, abs=1e-4))


@settings(max_examples=60)
@given(
    st.text(max_size=200)
    | st.lists(st.sampled_from(["no", "worse", "better", "new", "papules", "but", "if", ",", "12 -> 3"])).map(" ".join)
)
def test_any_text_has_a_course_within_bounds(text):
    found = read_note(text, LEXICON)
    assert found.score is None or -1 <= found.score <= 1
    assert (found.course is Course.UNCLEAR) or found.words
    assert read_note(text.upper(), LEXICON).course is found.course or not text.isascii()


def test_a_lexicon_of_ones_own(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text(SHIPPED.read_text("utf-8").replace("improved: [", "improved: [tiptop, "), "utf-8")
    table, name = load_lexicon(path)
    assert name.startswith("lexicon@")
    assert name != NAME
    assert read_note("Skin tiptop.", table).course is Course.IMPROVED
    assert read_note("Skin tiptop.", LEXICON).course is Course.UNCLEAR


@pytest.mark.parametrize(
    ("text", "error"),
    [("improved: [better]", "worse: Field required"), (": [", "cannot read"), ("- a", "is no lexicon")],
    ids=["lacks", "no-yaml", "no-table"],
)
def test_a_wrong_lexicon_is_refused(tmp_path, text, error):
    (tmp_path / "own.yaml").write_text(text)
    with pytest.raises(UnusableInput, match=error):
        load_lexicon(tmp_path / "own.yaml")
