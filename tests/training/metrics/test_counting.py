import numpy as np
import pytest

from comedo.training.metrics.counting import correlation, count_bias, count_error


@pytest.mark.parametrize(
    ("found", "true", "error", "bias", "r"),
    [
        pytest.param([], [], None, None, None, id="no photos"),
        pytest.param([3], [5], 2.0, -2.0, None, id="one photo has no correlation"),
        pytest.param([2, 4], [1, 5], 1.0, 0.0, 1.0, id="errors that cancel"),
        pytest.param([9.4, 9.4, 9.4], [1, 5, 2], 20.2 / 3, 6.733333, None, id="a constant has no correlation"),
        pytest.param([3, 2, 1], [1, 2, 3], 4 / 3, 0.0, -1.0, id="the wrong way round"),
    ],
)
def test_counts(found, true, error, bias, r):
    near = lambda value: None if value is None else pytest.approx(value)  # noqa: E731
    assert count_error(found, true) == near(error)
    assert count_bias(found, true) == near(bias)
    assert correlation(found, true) == near(r)


def test_correlation_agrees_with_numpy():
    found, true = np.random.default_rng(0).poisson(9, (2, 50))
    assert correlation(found, true) == pytest.approx(np.corrcoef(found, true)[0, 1])
