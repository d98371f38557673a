import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comedo.progress.trend import theil_sen

VALUES = st.lists(st.integers(0, 60), min_size=5, max_size=9)


def test_an_outlier_is_ignored():
    trend = theil_sen([0, 1, 2, 3, 4], [10, 8, 60, 4, 2])
    assert trend.slope == -2
    assert trend.interval_90[0] <= -2 <= trend.interval_90[1]


@pytest.mark.parametrize("x", [[], [1.0], [1.0, 2.0], [1.0, 1.0, 2.0]], ids=["none", "one", "two", "two dates"])
def test_no_trend_from_fewer_than_three_dates(x):
    assert theil_sen(x, [1.0] * len(x)) is None


@pytest.mark.parametrize("points", [3, 4])
def test_few_points_have_a_slope_and_no_interval(points):
    trend = theil_sen(range(points), [10 - 2 * i for i in range(points)])
    assert (trend.slope, trend.interval_90) == (-2, None)


def test_interval_by_hand():
    # Squares: the slope between i and j is i + j. Of 28 slopes, S spread by sqrt(196 / 3): rank (28 - 13.3) / 2 = 7.3
    # goes down to the seventh from either end: 1 2 3 3 4 4 [5] ... [9] 10 10 11 11 12 13.
    trend = theil_sen(range(8), [i * i for i in range(8)])
    assert (trend.slope, trend.interval_90) == (7, (5, 9))


@settings(deadline=None)
@given(VALUES)
def test_values_with_the_other_sign_mirror_the_interval(values):
    there, back = (theil_sen(range(len(values)), [sign * v for v in values]) for sign in (1, -1))
    assert back.slope == -there.slope
    assert back.interval_90 == (-there.interval_90[1], -there.interval_90[0])


@settings(deadline=None)
@given(VALUES)
def test_the_slope_lies_in_its_interval(values):
    trend = theil_sen(range(len(values)), values)
    assert trend.interval_90[0] <= trend.slope <= trend.interval_90[1]
