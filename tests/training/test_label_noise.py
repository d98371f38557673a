import numpy as np
import pytest

from comedo.training.label_noise import ordinal_smoothing, soft_labels, vote_distribution


@pytest.mark.parametrize(
    ("votes", "wanted"),
    [
        pytest.param([], None, id="no votes"),
        pytest.param([1], [0, 1, 0], id="one"),
        pytest.param([0, 0, 2], [2 / 3, 0, 1 / 3], id="three"),
    ],
)
def test_votes_become_shares(votes, wanted):
    found = vote_distribution(votes, 3)
    assert found is None if wanted is None else found.tolist() == pytest.approx(wanted)


def test_smoothing_falls_with_the_distance():
    soft = ordinal_smoothing(1, 4, width=0.7)
    assert soft.sum() == pytest.approx(1)
    assert soft[0] == pytest.approx(soft[2])
    assert soft[1] > soft[2] > soft[3] > 0
    assert ordinal_smoothing(1, 4, width=0.7)[0] / soft[1] == pytest.approx(np.exp(-0.5 / 0.49))
    assert ordinal_smoothing(2, 4, width=0).tolist() == [0, 0, 1, 0]


@pytest.mark.parametrize(("grade", "width"), [(4, 1), (-1, 1), (0, -1)])
def test_what_is_no_grade_or_width_is_refused(grade, width):
    with pytest.raises(ValueError, match="must"):
        ordinal_smoothing(grade, 4, width=width)


def test_votes_come_before_the_agreed_grade_and_nothing_has_no_weight():
    targets = soft_labels([[0, 1], [], []], [3, 2, None], 4, width=0)
    assert targets.tolist() == [[0.5, 0.5, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]]
    assert soft_labels([], [], 4, width=0).shape == (0, 4)
