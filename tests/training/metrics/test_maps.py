import numpy as np
import pytest

from comedo.training.metrics.maps import IGNORE, LabelClass, label_tally, mask_tally
from comedo.training.metrics.tally import Tally


@pytest.mark.parametrize(
    ("found", "true", "tally"),
    [
        pytest.param([0, 0], [0, 0], Tally(), id="both empty"),
        pytest.param([1, 1], [0, 0], Tally(false=2), id="false alarm"),
        pytest.param([1, 0, 1], [1, 1, 0], Tally(1, 1, 1), id="half right"),
    ],
)
def test_mask_tally(found, true, tally):
    assert mask_tally(np.array([found], bool), np.array([true], bool)) == tally


def test_masks_of_other_shape_are_refused():
    with pytest.raises(ValueError, match="one shape"):
        mask_tally(np.zeros((2, 2), bool), np.zeros((2, 3), bool))


def test_a_class_may_be_coded_otherwise_and_pixels_may_be_unknown():
    found = np.array([[1, 2, 2, 0, 1]], np.uint8)
    true = np.array([[7, 7, IGNORE, 7, 0]], np.uint8)
    assert label_tally(found, true, LabelClass("skin", found=(1, 2), true=(7,))) == Tally(hits=2, false=1, missed=1)
