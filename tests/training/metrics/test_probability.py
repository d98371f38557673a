import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("sklearn.metrics", reason="needs comedo[train]")

from sklearn import metrics as sklearn

from comedo.training.metrics.ordinal import balanced_accuracy, weighted_kappa
from comedo.training.metrics.probability import (
    average_precision,
    brier,
    precision_recall,
    ranked_probability,
    roc_auc,
)

QUICK = settings(max_examples=40, deadline=None)
ANSWERS = st.lists(st.tuples(st.integers(0, 8), st.booleans()), min_size=2, max_size=60).filter(
    lambda rows: len({t for _, t in rows}) == 2
)


@pytest.mark.parametrize(
    ("figure", "probs", "true", "value"),
    [
        pytest.param(roc_auc, [], [], None, id="nothing to rank"),
        pytest.param(roc_auc, [0.1, 0.2], [True, True], None, id="one class only"),
        pytest.param(roc_auc, [0.1, 0.9], [False, True], 1.0, id="ranked rightly"),
        pytest.param(roc_auc, [0.5, 0.5], [False, True], 0.5, id="a tie is half"),
        pytest.param(average_precision, [0.9], [False], None, id="no positives"),
        pytest.param(average_precision, [0.9, 0.8, 0.1], [True, False, True], (1 + 2 / 3) / 2, id="two of three"),
        pytest.param(brier, [], [], None, id="no photos"),
        pytest.param(brier, [1.0, 0.5], [True, False], 0.125, id="one certain, one even"),
    ],
)
def test_probabilities(figure, probs, true, value):
    assert figure(probs, true) == (None if value is None else pytest.approx(value))


@QUICK
@given(ANSWERS)
def test_they_agree_with_scikit_learn(rows):
    probs, true = [p / 8 for p, _ in rows], [t for _, t in rows]
    assert roc_auc(probs, true) == pytest.approx(sklearn.roc_auc_score(true, probs))
    assert average_precision(probs, true) == pytest.approx(sklearn.average_precision_score(true, probs))
    assert brier(probs, true) == pytest.approx(sklearn.brier_score_loss(true, probs))
    ours = precision_recall(probs, true)
    precision, recall, thresholds = sklearn.precision_recall_curve(true, probs)
    assert ours.precision[::-1] == pytest.approx(precision[:-1])
    assert ours.recall[::-1] == pytest.approx(recall[:-1])
    assert ours.thresholds[::-1] == pytest.approx(thresholds)


@QUICK
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=40))
def test_grades_agree_with_scikit_learn(rows):
    found, true = [f for f, _ in rows], [t for _, t in rows]
    theirs = sklearn.recall_score(true, found, labels=sorted(set(true)), average="macro")
    assert balanced_accuracy(found, true) == pytest.approx(theirs)
    if len(set(found) | set(true)) > 1 and weighted_kappa(found, true) is not None:
        assert weighted_kappa(found, true) == pytest.approx(
            sklearn.cohen_kappa_score(found, true, weights="quadratic", labels=range(4)), abs=1e-9
        )


@pytest.mark.parametrize(
    ("probs", "grade", "value"),
    [
        pytest.param([0, 1, 0], 1, 0.0, id="sure and right"),
        pytest.param([1, 0, 0], 2, 1.0, id="sure of the other end"),
        pytest.param([1, 0, 0], 1, 0.5, id="one step off"),
        pytest.param([0.5, 0.5, 0], 0, 0.125, id="half sure"),
    ],
)
def test_ranked_probability(probs, grade, value):
    assert ranked_probability([probs], [grade]) == pytest.approx(value)


def test_no_photos_have_no_ranked_probability():
    assert ranked_probability(np.zeros((0, 3)), []) is None


def test_probabilities_and_truths_come_in_pairs():
    with pytest.raises(ValueError, match="in pairs"):
        brier([0.1, 0.2], [True])
