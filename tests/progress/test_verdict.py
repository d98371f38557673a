import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comedo.progress.noise import ChangeNoise, MeasureNoise, Response, load_noise
from comedo.progress.values import Answer
from comedo.progress.verdict import Z_REGION, Conditions, Readings, judge, judge_readings, withdraw

ONE = MeasureNoise(base=4, per_unit=0, relative=0, light=0, zoom=0, margin=1, margin_share=0, useful=5, useful_share=0)
NOISE = ChangeNoise(
    provenance="by hand",
    pairs=0,
    typical_light=0.0,
    measures=dict.fromkeys(("count", "area", "severity"), ONE),
)
STILL = Conditions(0.0, 0.0)


@pytest.mark.parametrize(
    ("before", "after", "factor", "answer"),
    [
        pytest.param(0, 0, 1.0, Answer.SAME, id="nothing"),
        pytest.param(10, 14, 1.0, Answer.WORSE, id="4 over 3.92"),
        pytest.param(14, 10, 1.0, Answer.BETTER, id="4 under"),
        pytest.param(10, 12, 1.0, Answer.SAME, id="within noise"),
        pytest.param(10, 13, 1.0, Answer.CANNOT_TELL, id="84 % more by more than the margin"),
        pytest.param(13, 10, 1.0, Answer.CANNOT_TELL, id="84 % fewer"),
        pytest.param(10, 14, 2.0, Answer.CANNOT_TELL, id="one's own noise is larger"),
        pytest.param(20, 10, 2.0, Answer.BETTER, id="larger than that too"),
    ],
)
def test_answers(before, after, factor, answer):
    found = judge("count", before, after, Conditions(0, 0, factor), NOISE)
    assert found.answer is answer
    assert found.noise_limit == pytest.approx(3.92 * factor)
    assert found.smallest_detectable == pytest.approx((3.92 + 2.56) * factor)  # 9 of 10: 1.28 deviations further


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        (10, 14.5, "4.5 active lesions more; noise explains 3.9"),
        (10, 12, "the difference of 2 active lesions is within noise; fewer than 7 may go unseen"),
        (13, 10, "the difference of 3 active lesions points to fewer, but noise may explain it (up to 3.9)"),
    ],
    ids=["worse", "the same", "leaning"],
)
def test_reasons(before, after, reason):
    assert judge("count", before, after, STILL, NOISE).reason == reason


@settings(deadline=None)
@given(st.floats(0, 100), st.floats(0, 100), st.floats(0.7, 2.5))
def test_the_same_is_said_only_where_no_direction_is_probable(before, after, factor):
    found = judge("count", before, after, Conditions(0, 0, factor), NOISE)
    if found.answer is Answer.SAME:
        assert max(found.probabilities[Answer.BETTER], found.probabilities[Answer.WORSE]) <= 0.8
        assert abs(found.difference) <= found.noise_limit


@pytest.mark.parametrize(("before", "after"), [(2, 0), (0, 2), (20, 16.8)])
def test_the_shipped_noise_does_not_call_a_probable_change_the_same(before, after):
    found = judge("count", before, after, STILL, load_noise(), z=Z_REGION)
    assert max(found.probabilities[Answer.BETTER], found.probabilities[Answer.WORSE]) > 0.8
    assert found.answer is Answer.CANNOT_TELL


def test_a_limit_that_holds_with_confidence_is_wider_and_leaves_the_probabilities():
    surer = NOISE.model_copy(
        update={"measures": {"count": NOISE.measures["count"].model_copy(update={"tolerance": 1.5})}}
    )
    one, other = (judge("count", 20, 12, STILL, noise) for noise in (NOISE, surer))
    assert other.noise_limit == pytest.approx(1.5 * one.noise_limit)
    assert other.noise_sd == one.noise_sd
    assert other.probabilities == one.probabilities
    assert other.smallest_detectable > one.smallest_detectable


@settings(deadline=None)
@given(st.floats(0, 100), st.floats(0, 100))
def test_probabilities_add_up_and_swap_with_time(before, after):
    there, back = (judge("count", a, b, STILL, NOISE).probabilities for a, b in ((before, after), (after, before)))
    assert sum(there.values()) == pytest.approx(1)
    assert there[Answer.BETTER] == pytest.approx(back[Answer.WORSE])


def test_per_cent_of_nothing_is_unknown():
    found = judge("count", 0, 9, STILL, NOISE)
    assert (found.percent, found.smallest_detectable_percent) == (None, None)
    assert judge("count", 20, 5, STILL, NOISE).percent == -75


def test_contradicting_measures_take_the_answer_away():
    found = judge_readings(Readings(20, 10, None), Readings(10, 30, None), STILL, NOISE)
    assert found.answer is Answer.CANNOT_TELL
    assert "opposite" in found.reason
    assert [m.answer for m in found.measures] == [Answer.BETTER, Answer.WORSE]
    assert found.probabilities is None


def test_what_is_withdrawn_keeps_its_numbers_alone():
    found = withdraw(judge_readings(Readings(20, 60, None), Readings(2, 6, None), STILL, NOISE), "poor")
    assert {(x.answer, x.probabilities, x.reason) for x in (found, *found.measures)} == {
        (Answer.CANNOT_TELL, None, "poor")
    }
    assert [(m.before, m.after) for m in found.measures] == [(20, 2), (60, 6)]


def test_a_change_of_which_half_but_one_is_seen_must_be_twice_as_large_and_two_more():
    seen = (Response(faces="clear", share=0.5, shortfall=1.0), Response(faces="with lesions", share=0.9, shortfall=1.0))
    half = NOISE.model_copy(update={"measures": {"count": ONE.model_copy(update={"responses": seen})}})
    assert judge("count", 9, 9, STILL, half).smallest_detectable == pytest.approx(2 * (3.92 + 1.0))


def test_severity_has_no_part_where_it_is_unknown():
    found = judge_readings(Readings(1, 1, None), Readings(1, 1, 2.0), STILL, NOISE)
    assert [m.name for m in found.measures] == ["count", "area"]


def test_a_photo_much_sharper_than_the_other_tells_less():
    blurry = ONE.model_copy(update={"sharpness": 3.0})
    noise = NOISE.model_copy(update={"measures": {"count": blurry}})
    alike, apart = (judge("count", 4, 10, Conditions(0, 0, sharpness=s), noise) for s in (0.0, -2.0))
    # 1.96 times the roots of 4 and of 4 + 3 * 2 * 2
    assert (alike.noise_limit, apart.noise_limit) == (pytest.approx(3.92), pytest.approx(7.84))
    assert (alike.answer, apart.answer) == (Answer.WORSE, Answer.CANNOT_TELL)
