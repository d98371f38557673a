import numpy as np
import pytest

from comedo.training.sequence import draw
from comedo.training.sequence.draw import Drawn
from comedo.training.sequence.plan import DrawPlan
from comedo.training.sequence.rendered import draw_levels
from comedo.training.sequence.series import Course, Series, save_frames, shows

PLAIN = DrawPlan(reverse=0, mirror=0, unsound=0, gaps=0, longer=0, shift=0, zoom=0, light=0, white_balance=0)


def drawn(number, course=Course.BETTER):
    """Photo i is all of grey 10 i and has 10 - i lesions."""
    frames = np.stack([np.full((8, 8, 3), 10 * i, np.uint8) for i in range(number)])
    loads, there = np.arange(10, 10 - number, -1).astype(np.float32), np.ones(number, bool)
    return Drawn(frames, there, course, loads, True, there)


def greys(found):
    return found.frames[:, 0, 0, 0].tolist()


@pytest.fixture
def people(tmp_path):
    def series(person, grey):
        frames = [np.full((8, 8, 3), grey + i, np.uint8) for i in range(3)]
        path = save_frames(tmp_path / f"{person}.npy", frames)
        return Series(person, person, "train", "drawn", Course.WORSE, path, loads=(1, 2, 3))

    return [series("anna", 10), series("ben", 100)]


def test_backwards_turns_the_course_round():
    found = draw.backwards(drawn(3))
    assert (greys(found), found.course) == ([20, 10, 0], Course.WORSE)
    assert found.loads.tolist() == [8, 9, 10]
    assert greys(draw.backwards(found)) == greys(drawn(3))
    assert Course.SAME.backwards is Course.SAME


@pytest.mark.parametrize("seed", range(8))
def test_first_and_last_photo_stay(seed):
    found = draw.shorten(drawn(7), np.random.default_rng(seed), most=5)
    assert greys(found)[0] == 0
    assert greys(found)[-1] == 60
    assert 2 <= len(found.frames) <= 5
    assert greys(found) == sorted(greys(found))


@pytest.mark.parametrize("seed", range(8))
def test_gaps_are_masked_and_hold_nothing(seed):
    found = draw.leave_gaps(drawn(3), np.random.default_rng(seed), most=5)
    assert 4 <= len(found.frames) <= 5
    assert found.present.sum() == 3
    assert found.frames[found.present][:, 0, 0, 0].tolist() == [0, 10, 20]
    assert np.isnan(found.loads[~found.present]).all()


@pytest.mark.parametrize("seed", range(8))
def test_photos_come_several_times_in_their_order(seed):
    found = draw.lengthen(drawn(3), np.random.default_rng(seed), most=9)
    assert 3 <= len(found.frames) <= 9
    assert greys(found) == sorted(greys(found))
    assert set(greys(found)) == {0, 10, 20}
    assert found.course is Course.BETTER
    assert greys(draw.lengthen(drawn(3), np.random.default_rng(seed), most=3)) == [0, 10, 20]


def test_no_room_for_gaps():
    assert greys(draw.leave_gaps(drawn(3), np.random.default_rng(0), most=3)) == [0, 10, 20]


@pytest.mark.parametrize(
    ("number", "course", "possible"),
    [
        pytest.param(2, Course.BETTER, False, id="two photos have only a backwards"),
        pytest.param(4, Course.SAME, False, id="no order in the same"),
        pytest.param(3, Course.BETTER, True, id="three"),
        pytest.param(6, Course.WORSE, True, id="six"),
    ],
)
def test_shuffled_orders_rise_nor_fall(number, course, possible):
    order = draw.shuffled_order(drawn(number, course), np.random.default_rng(3))
    assert (order is not None) == possible
    if order is not None:
        pairs = [np.sign(order[j] - order[i]) for j in range(number) for i in range(j)]
        assert abs(np.mean(pairs)) <= 1 / 3
        assert sorted(order) == list(range(number))


@pytest.mark.parametrize("seed", range(12))
def test_spoilt_series_are_unsound_and_know_no_loads_of_others(seed):
    stranger = np.full((2, 8, 8, 3), 200, np.uint8)
    found = draw.spoil(drawn(4), stranger, np.random.default_rng(seed))
    assert not found.sound
    foreign = ~np.isin(greys(found), greys(drawn(4)))
    assert np.isnan(found.loads[foreign]).all()
    assert not np.array_equal(found.frames, drawn(4).frames)


def test_a_plain_draw_is_the_series_itself(people):
    rng = np.random.default_rng(0)
    found = draw.draw_series(people[0], people, PLAIN, rng, most=2, learning=False)
    assert greys(found) == [10, 12]
    assert (found.course, found.sound) == (Course.WORSE, True)
    assert found.loads == pytest.approx(np.log1p([1, 3]))


def test_draws_depend_on_the_random_state_alone(people):
    def once():
        rng = np.random.default_rng(5)
        return draw.draw_series(people[0], people, DrawPlan(), rng, most=6, learning=True)

    first, second = once(), once()
    assert np.array_equal(first.frames, second.frames)
    assert np.array_equal(first.present, second.present)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("course", Course)
def test_levels_follow_their_course(seed, course):
    numbers = draw_levels(np.random.default_rng(seed), course, photos=4, most=20).numbers
    assert len(numbers) == 4
    assert all(0 <= n <= 20 for n in numbers)
    if course is Course.SAME:
        assert len(set(numbers)) == 1
    else:
        few, many = sorted((numbers[0], numbers[-1]))
        assert many - few >= 6
        assert few <= 0.6 * many
        assert (numbers[-1] == few) == (course is Course.BETTER)


@pytest.mark.parametrize(
    ("course", "loads", "is_shown"),
    [
        pytest.param(Course.BETTER, (9, 12, 6), True, id="three fewer in the end"),
        pytest.param(Course.BETTER, (9, 7), False, id="two fewer"),
        pytest.param(Course.WORSE, (0, 3), True, id="three more"),
        pytest.param(Course.WORSE, (3, 0), False, id="the other way"),
        pytest.param(Course.SAME, (0, 2), True, id="steady"),
        pytest.param(Course.SAME, (20, 9, 16), True, id="a fifth of many"),
        pytest.param(Course.SAME, (10, 6), False, id="a turned head"),
    ],
)
def test_what_is_in_sight_must_show_the_course(course, loads, is_shown):
    assert shows(course, loads) is is_shown
