from pathlib import Path

import numpy as np
import pytest

from comedo.training.evaluation.lesion_figures import lesion_row, measures_for
from comedo.training.evaluation.predictors import Prediction
from comedo.training.evaluation.truth import LabelledPhoto, TrueLesions
from comedo.training.figures import Measure, Rounds, measure_all
from comedo.training.metrics.matching import box_iou, boxes_of
from comedo.types import Group

RED, PALE, MARK = Group.INFLAMMATORY, Group.NON_INFLAMMATORY, Group.MARK


def circles_of(rows):
    return np.asarray(rows, np.float32).reshape(-1, 3)


def photo(*rows, groups=None, grade=None, known=True):
    circles = circles_of(rows)
    boxes = np.concatenate([circles[:, :2] - circles[:, 2:], circles[:, :2] + circles[:, 2:]], 1).astype(float)
    lesions = TrueLesions(circles, boxes, groups) if known else None
    return LabelledPhoto(Path("a.jpg"), "a.jpg", "frames", "p", lesions=lesions, grade=grade)


def prediction(*rows, scores=None, groups=None, **more):
    scores = np.full(len(rows), 0.9) if scores is None else np.asarray(scores, float)
    return Prediction(circles_of(rows), scores, groups or (RED,) * len(rows), **more)


def figures(*pairs, threshold=None):
    rows = [lesion_row(p, found, 100, threshold=threshold) for p, found in pairs]
    return {m.name: m.of(rows) for m in measures_for(rows)}


A, B, C = (20, 20, 3), (50, 50, 3), (80, 80, 3)


def test_right_false_and_missed_lesions_over_two_photos():
    found = figures((photo(A, B), prediction(A, (70, 20, 3))), (photo(C), prediction(C)))
    assert (found["precision"], found["recall"], found["F1"]) == pytest.approx((2 / 3, 2 / 3, 2 / 3))
    assert found["faces found"] == 1
    assert (found["count error"], found["count bias"]) == (0, 0)
    assert found["AP at IoU 0.5"] == pytest.approx((34 + 33 * 2 / 3) / 101)  # right, false, right


@pytest.mark.parametrize("radius", [1.0, 2.5, 8.0])
def test_a_lesion_found_exactly_overlaps_wholly_however_small(radius):
    row = lesion_row(photo((20.25, 30.75, radius)), prediction((20.25, 30.75, radius)), 100)
    assert (row.iou_50.hits.tolist(), row.iou_30.hits.tolist()) == ([True], [True])
    boxes = boxes_of(circles_of([(20.25, 30.75, radius)]))
    assert box_iou(boxes, boxes).item() == pytest.approx(1)
    assert boxes[0, 2] - boxes[0, 0] == 2 * radius


def test_a_photo_without_a_face_misses_all():
    found = figures((photo(A, B), None), (photo(C), prediction(C)))
    assert (found["faces found"], found["precision"], found["recall"]) == pytest.approx((0.5, 1, 1 / 3))
    assert found["count error"] == 1


def test_nothing_on_clear_skin_has_no_ratio():
    found = figures((photo(), prediction()))
    assert (found["precision"], found["recall"], found["F1"], found["AP at IoU 0.3"]) == (None,) * 4
    assert found["count error"] == 0


def test_found_marks_do_not_count_as_acne():
    found = figures((photo(A), prediction(A, B, groups=(RED, MARK))))
    assert (found["precision"], found["recall"], found["count error"]) == (1, 1, 0)


def test_the_predictors_own_count_stands_unless_a_threshold_is_given():
    pair = photo(A, B), prediction(A, B, scores=(0.9, 0.2), count=7)
    assert figures(pair)["count error"] == 5
    assert figures(pair, threshold=0.5)["count error"] == 1


def test_a_threshold_reports_less_but_hides_nothing_from_ap():
    pair = photo(A, B), prediction(A, B, scores=(0.9, 0.2))
    found = figures(pair, threshold=0.5)
    assert (found["recall"], found["F1 at best threshold"], found["AP at IoU 0.5"]) == (0.5, 1, 1)


def test_groups_are_matched_each_with_its_own():
    truth = photo(A, B, C, groups=(RED, PALE, MARK))
    found = figures((truth, prediction(A, B, C, groups=(RED, RED, PALE))))
    assert (found["F1"], found["F1 inflammatory"]) == pytest.approx((4 / 5, 2 / 3))
    assert (found["F1 non_inflammatory"], found["F1 mark"]) == (0, 0)
    assert found["mean F1 of groups"] == pytest.approx(2 / 9)
    assert found["marks called active"] == 1
    assert figures((truth, prediction(C, groups=(MARK,))))["marks called active"] == 0


def test_an_untyped_truth_has_no_group_figures():
    assert "mean F1 of groups" not in figures((photo(A), prediction(A)))


def test_grades_need_both_sides_and_no_lesions():
    pairs = [(photo(known=False, grade=g), prediction(A, grade=f)) for g, f in ((0, 0), (3, 2), (1, None))]
    found = figures(*pairs)
    assert found["grade error"] == 0.5
    assert (found["count error"], found["F1"]) == (None, None)  # lesions nobody marked are neither right nor wrong


def test_scores_are_compared_with_the_share_of_lesions_that_are_there():
    # Two say 0.9 and one is there, one says 0.2 and is not.
    pair = photo(A), prediction(A, B, C, scores=(0.9, 0.9, 0.2))
    assert figures(pair)["calibration error"] == pytest.approx((2 * 0.4 + 0.2) / 3)
    assert figures((photo(A), None))["calibration error"] is None


def test_acne_is_judged_where_some_photos_have_it_and_some_have_none():
    pairs = [(photo(A), prediction(A, prob_affected=0.9)), (photo(), prediction(prob_affected=0.3))]
    found = figures(*pairs, (photo(known=False), prediction(prob_affected=0.5)), (photo(B), None))
    assert (found["acne ROC AUC"], found["acne AP"]) == (1, 1)
    assert found["acne calibration error"] == pytest.approx((0.1 + 0.3) / 2)
    assert "acne AP" not in figures(pairs[0])


def test_a_figure_carries_its_interval_and_baseline():
    mean = Measure("mean", "of numbers", lambda rows: float(np.mean(rows)) if rows else None)
    (figure,) = measure_all([mean], [1.0, 2, 3, 4], [0.0] * 4, people="abcd", rounds=Rounds(100, 1))
    assert (figure.value, figure.baseline, figure.definition) == (2.5, 0.0, "of numbers")
    assert 1 <= figure.interval_90[0] < 2.5 < figure.interval_90[1] <= 4
    (bare,) = measure_all([mean], [1.0, 2], None, people="ab", rounds=Rounds(0))
    assert (bare.interval_90, bare.baseline) == (None, None)
