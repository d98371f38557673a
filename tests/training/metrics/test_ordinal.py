import numpy as np
import pytest

from comedo.training.metrics.ordinal import balanced_accuracy, grade_error, weighted_kappa


@pytest.mark.parametrize(
    ("found", "true", "kappa", "accuracy", "error"),
    [
        pytest.param([], [], None, None, None, id="no photos"),
        pytest.param([1, 1], [1, 1], None, 1.0, 0.0, id="one grade only: no kappa"),
        pytest.param([0, 1, 2, 3], [0, 1, 2, 3], 1.0, 1.0, 0.0, id="perfect"),
        pytest.param([1, 1, 1, 1], [0, 1, 2, 1], 0.0, 1 / 3, 0.5, id="a constant: kappa 0"),
        pytest.param([3, 0], [0, 3], -1.0, 0.0, 3.0, id="upside down"),
    ],
)
def test_grades(found, true, kappa, accuracy, error):
    assert weighted_kappa(found, true) == (None if kappa is None else pytest.approx(kappa))
    assert balanced_accuracy(found, true) == (None if accuracy is None else pytest.approx(accuracy))
    assert grade_error(found, true) == (None if error is None else pytest.approx(error))


@pytest.mark.filterwarnings("ignore:y_pred contains classes")
@pytest.mark.parametrize("seed", range(4))
def test_grades_agree_with_scikit_learn(seed):
    metrics = pytest.importorskip("sklearn.metrics", reason="needs comedo[train]")
    rng = np.random.default_rng(seed)
    true = rng.integers(0, 4, 60)
    found = np.clip(true + rng.integers(-1, 2, 60), 0, 3)
    assert weighted_kappa(found, true) == pytest.approx(metrics.cohen_kappa_score(true, found, weights="quadratic"))
    assert balanced_accuracy(found, true) == pytest.approx(metrics.balanced_accuracy_score(true, found))
    assert grade_error(found, true) == pytest.approx(metrics.mean_absolute_error(true, found))


def test_grades_must_come_in_pairs():
    with pytest.raises(ValueError, match="pairs"):
        weighted_kappa([1, 2], [1])
