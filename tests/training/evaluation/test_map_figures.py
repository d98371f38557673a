import numpy as np
import pytest

from comedo.training.evaluation.map_figures import (
    CODINGS,
    MASKS,
    NOT_FACE,
    PLAIN,
    fit_to,
    label_measures,
    label_row,
    mask_row,
    plain_row,
    without_neck,
)
from comedo.training.evaluation.predictors import Prediction
from comedo.training.metrics.maps import IGNORE
from comedo.types import Group, Part


def values(measures, rows):
    return {m.name: m.of(rows) for m in measures}


def mask(text):
    return np.array([[c == "1" for c in text]])


def test_masks_over_photos_and_over_pixels():
    rows = [
        mask_row(Prediction(mask=mask("1100")), mask("1000")),
        mask_row(Prediction(mask=mask("0000")), mask("0111")),
    ]
    found = values(MASKS, rows)
    assert found["mask Dice"] == pytest.approx((2 / 3 + 0) / 2)
    assert found["mask Dice, pooled"] == pytest.approx(2 / 6)
    assert found["mask IoU, pooled"] == pytest.approx(1 / 5)


def test_no_face_misses_the_whole_mask_and_no_mask_is_no_answer():
    found = values(MASKS, [mask_row(None, mask("11"))])
    assert (found["faces found"], found["mask Dice"]) == (0, 0)
    assert mask_row(Prediction(), mask("11")) is None


def labels(*parts):
    return np.array([parts], np.uint8)


def test_a_face_map_in_our_own_labels():
    true = labels(Part.NOSE, Part.CHIN, Part.EYES, IGNORE, Part.BACKGROUND)
    found = labels(Part.NOSE, Part.LEFT_CHEEK, Part.EYES, Part.EYES, Part.NOSE)
    row = label_row(Prediction(parts=found), true, "comedo")
    figures = values(label_measures("comedo"), [row])
    assert figures["IoU skin"] == pytest.approx(2 / 3)  # cheek for chin is skin all the same
    assert (figures["IoU eyes"], figures["IoU nose"], figures["IoU chin"]) == (1, 0.5, 0)
    assert figures["IoU brows"] is None


def test_not_face_is_wrong_for_faces_only():
    row = label_row(Prediction(parts=labels(Part.OTHER, Part.BACKGROUND, Part.NOSE)), labels(*[NOT_FACE] * 3), "comedo")
    assert (row.tallies["nose"].false, row.tallies["background"].false, row.tallies["other"].false) == (1, 0, 0)


@pytest.mark.parametrize(("coding", "skin"), [("celebamask", 1), ("fasseg", 1)])
def test_other_codings_know_skin(coding, skin):
    row = label_row(Prediction(parts=labels(Part.FOREHEAD, Part.BACKGROUND)), labels(skin, 0), coding)
    assert row.tallies["skin"].iou == 1
    assert {c.name for c in CODINGS[coding]} == set(row.tallies)


def test_fasseg_necks_are_left_out():
    column = np.array([[2], [1], [3], [1], [1], [1], [5], [1], [1], [1], [1], [0]], np.uint8)
    kept = without_neck(column)
    assert kept[:, 0].tolist() == [2, 1, 3, 1, 1, 1, 5, 1, 1, 1, IGNORE, 0]  # eyes at 2, mouth at 6: chin at 9
    faceless = np.ones((3, 1), np.uint8)
    assert without_neck(faceless) is faceless


def test_labels_are_brought_to_the_photo():
    assert fit_to(labels(1, 2), (1, 4, 3)).tolist() == [[1, 1, 2, 2]]


def test_photos_without_labels():
    marked = Prediction(np.zeros((2, 3), np.float32), np.ones(2), (Group.MARK, Group.INFLAMMATORY), affected=False)
    rows = [plain_row(None), plain_row(marked), plain_row(Prediction(count=5, affected=True))]
    found = values(PLAIN, rows)
    assert found["faces found"] == pytest.approx(2 / 3)
    assert (found["lesions, median"], found["lesions, mean"]) == (3, 3)
    assert (found["at most 2 lesions"], found["acne affected"]) == (0.5, 0.5)
    assert values(PLAIN, [plain_row(None)])["lesions, median"] is None
