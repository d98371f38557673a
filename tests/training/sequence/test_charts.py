import pytest

from comedo.training.sequence.charts import answer_lines, draw_answers
from comedo.training.sequence.rows import MEASURES, Row, answer_of, sureness
from comedo.training.sequence.series import Course, Sort

BETTER, SAME = Course.BETTER, Course.SAME


def row(course, probs, sound=1.0, sort=Sort.SERIES, source="own"):
    return Row("s", "p", source, sort, course, probs, sound, answer_of(probs, sound, 0.8))


ROWS = [
    row(BETTER, (0.0, 0.1, 0.9)),  # right
    row(SAME, (0.0, 0.1, 0.9)),  # wrong
    row(SAME, (0.2, 0.6, 0.2)),  # right, but not sure
    row(BETTER, (0.0, 0.1, 0.9), sound=0.5),  # right, but perhaps no sound series
    row(SAME, (0.0, 0.0, 1.0), sound=0.7, sort=Sort.NOISE),
    row(SAME, (0.0, 0.0, 1.0), sound=0.1, sort=Sort.NOISE),
]


def at(line, cut):
    return {round(x, 2): y for x, y in line.points}.get(cut)


def test_sureness_is_that_of_the_likeliest_course():
    found = sureness(ROWS[:4])
    assert [(b.said, b.true, b.number) for b in found.bins] == [
        (0.6, 1.0, 1),
        (pytest.approx(0.9), pytest.approx(2 / 3), 3),
    ]
    error = next(m for m in MEASURES if m.name == "calibration_error")
    assert error.of(ROWS[:4]) == pytest.approx((0.4 + 3 * 0.9 - 2) / 4)
    assert error.of(ROWS) is None  # spoilt series have no course
    assert error.of([]) is None


@pytest.mark.parametrize(
    ("cut", "answered", "right", "spoilt"),
    [
        pytest.param(0.0, 1.0, 0.75, 1.0, id="everything is answered"),
        pytest.param(0.55, 0.75, 2 / 3, 0.5, id="one is perhaps no series"),
        pytest.param(0.8, 0.5, 0.5, 0.0, id="one is not sure"),
        pytest.param(0.95, 0.0, None, 0.0, id="nothing is answered, right or wrong"),
    ],
)
def test_answers_as_their_cut_off_falls(cut, answered, right, spoilt):
    lines = answer_lines(ROWS, 0.8)
    assert [at(line, cut) for line in lines] == [pytest.approx(v) if v else v for v in (answered, right, spoilt)]


def test_the_picture_names_the_shares_at_the_recipes_cut_off():
    drawn = draw_answers(ROWS, 0.8)
    assert set(drawn) == {"courses", "calibration", "answers"}
    assert "right, of the answered: 0.50 from 0.8 on" in drawn["answers"]
    assert "own (4): error 0.275" in drawn["calibration"]


def test_without_sound_series_nothing_is_said_of_courses():
    assert set(draw_answers(ROWS[4:], 0.8)) == {"courses", "answers"}
    assert [len(line.points) for line in answer_lines([], 0.8)] == [0, 0, 0]
