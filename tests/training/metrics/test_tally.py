import pytest

from comedo.training.metrics.tally import Tally, ratio


@pytest.mark.parametrize(
    ("tally", "precision", "recall", "f1", "iou"),
    [
        pytest.param(Tally(), None, None, None, None, id="nothing true, nothing found"),
        pytest.param(Tally(false=3), 0.0, None, 0.0, 0.0, id="all false"),
        pytest.param(Tally(missed=2), None, 0.0, 0.0, 0.0, id="all missed"),
        pytest.param(Tally(hits=2), 1.0, 1.0, 1.0, 1.0, id="perfect"),
        pytest.param(Tally(hits=2, false=2, missed=1), 0.5, 2 / 3, 4 / 7, 2 / 5, id="mixed"),
    ],
)
def test_ratios_follow_from_counts(tally, precision, recall, f1, iou):
    assert (tally.precision, tally.recall, tally.f1, tally.iou) == (precision, recall, f1, iou)


def test_tallies_add_up():
    assert sum([Tally(1, 2, 3), Tally(4, 5, 6)], Tally()) == Tally(5, 7, 9)


def test_an_empty_whole_has_no_ratio():
    assert ratio(0, 0) is None
