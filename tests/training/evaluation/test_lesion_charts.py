from dataclasses import replace

import numpy as np
import pytest

from comedo.training.evaluation.lesion_charts import draw_lesions
from comedo.training.evaluation.lesion_figures import LesionRow
from comedo.training.metrics.curves import Scored
from comedo.types import Group

NOTHING = Scored(np.zeros(0), np.zeros(0, np.bool_), 0)
GRADED = LesionRow(True, -np.inf, NOTHING, NOTHING, NOTHING, None, 0, None, None, 1, 3)  # nobody marked lesions


def row(scores, hits, true, threshold=0.5, **more):
    scored = Scored(np.array(scores, float), np.array(hits, np.bool_), true)
    reported = float((scored.scores >= threshold).sum())
    plain = LesionRow(True, threshold, scored, scored, scored, reported, true, None, None, None, None)
    return replace(plain, **more)


FOUND = [row([0.9, 0.8, 0.3], [True, False, True], 2), row([0.9], [True], 2)]


def test_nothing_is_drawn_of_what_nobody_knows():
    assert draw_lesions([], [], []) == {}
    assert draw_lesions([replace(GRADED, grade_true=None)], [GRADED], ["a"]) == {}


def test_lesions_are_drawn_with_their_figures():
    drawn = draw_lesions(FOUND, [row([], [], 2)] * 2, ["a", "b"])
    assert set(drawn) == {"precision-recall", "calibration", "counts"}
    # Ranges of 0.9, 0.8 and 0.3 are 0.2, 0.8 and 0.7 off, summed over their lesions.
    assert f"active lesions (4): error {(0.2 + 0.8 + 0.7) / 4:.3f}" in drawn["calibration"]
    # Two and one were reported, two marked each: a range holds one count.
    assert "photos (2): error 0.500" in drawn["counts"]
    assert "said 1, true 2, 1 of them" in drawn["counts"]
    assert "red blobs, by centres: AP 0.00" in drawn["precision-recall"]


def test_groups_and_grades_are_drawn_where_they_are_known():
    groups = {g: FOUND[0].centre if g is Group.MARK else NOTHING for g in Group}
    drawn = draw_lesions([replace(FOUND[0], by_group=groups), GRADED], [FOUND[0], GRADED], ["a", "b"])
    assert {"precision-recall-groups", "grades"} <= set(drawn)
    assert ">mark: AP 0.8" in drawn["precision-recall-groups"]
    assert ">inflammatory<" in drawn["precision-recall-groups"]  # none there: no average precision
    assert ">very severe<" in drawn["grades"]


@pytest.mark.parametrize("counts", [(3, 2), (0, 0)], ids=["acne on all", "acne on none"])
def test_one_kind_of_photos_says_nothing_of_acne(counts):
    rows = [row([], [], n, prob_affected=0.5) for n in counts]
    assert "calibration-affected" not in draw_lesions(rows, rows, ["a", "b"])


def test_acne_is_drawn_where_some_have_it_and_some_have_none():
    rows = [row([], [], n, prob_affected=p) for n, p in ((3, 0.9), (0, 0.3), (0, None))]
    drawn = draw_lesions(rows, rows, ["a", "b", "c"])
    assert "photos (2): error 0.200" in drawn["calibration-affected"]
    assert "photos: AP 1.00, by chance 0.50" in drawn["precision-recall-affected"]
