import numpy as np
import pytest

from comedo.training.metrics.matching import box_iou, boxes_of, match_boxes, match_centres


def circles(*rows):
    return np.asarray(rows, np.float32).reshape(-1, 3)


@pytest.mark.parametrize(
    ("found", "scores", "true", "matched"),
    [
        pytest.param([], [], [], [], id="nothing"),
        pytest.param([(50, 50, 5)], [0.9], [], [-1], id="nothing is true"),
        pytest.param([], [], [(50, 50, 5)], [], id="nothing is found"),
        pytest.param([(58, 50, 1)], [0.9], [(50, 50, 5)], [0], id="0.8 % of a 1000 px frame is 8 px, inclusive"),
        pytest.param([(58.1, 50, 99)], [0.9], [(50, 50, 5)], [-1], id="beyond 8 px, whatever the found radius"),
        pytest.param([(65, 50, 1)], [0.9], [(50, 50, 15)], [0], id="a large lesion reaches as far as its radius"),
        pytest.param([(52, 50, 5), (50, 50, 5)], [0.9, 0.8], [(50, 50, 5)], [0, -1], id="the higher score takes it"),
        pytest.param([(52, 50, 5), (50, 50, 5)], [0.8, 0.9], [(50, 50, 5)], [-1, 0], id="whatever the order"),
        pytest.param([(53, 50, 5)], [0.9], [(50, 50, 5), (55, 50, 5)], [1], id="the nearer one"),
        pytest.param(
            [(51, 50, 5), (52, 50, 5)], [0.9, 0.8], [(50, 50, 5), (57, 50, 5)], [0, 1], id="then the next free one"
        ),
    ],
)
def test_match_centres(found, scores, true, matched):
    assert match_centres(circles(*found), np.array(scores), circles(*true), 1000).tolist() == matched


@pytest.mark.parametrize("seed", range(5))
def test_what_a_lesion_gets_does_not_depend_on_lower_scores(seed):
    rng = np.random.default_rng(seed)
    found = circles(*np.column_stack([rng.uniform(0, 200, (60, 2)), np.full(60, 5)]))
    true = circles(*np.column_stack([rng.uniform(0, 200, (40, 2)), rng.uniform(3, 20, 40)]))
    scores = rng.uniform(size=60)
    whole = match_centres(found, scores, true, 512)
    kept = scores >= 0.5
    assert match_centres(found[kept], scores[kept], true, 512).tolist() == whole[kept].tolist()
    used = whole[whole >= 0]
    assert len(set(used.tolist())) == len(used) > 0


def test_boxes_overlap_as_computed_by_hand():
    a = np.array([[0.0, 0, 2, 2], [5, 5, 5, 5]])
    b = np.array([[1.0, 0, 3, 2], [0, 0, 2, 2], [9, 9, 10, 10]])
    assert box_iou(a, b) == pytest.approx(np.array([[1 / 3, 1, 0], [0, 0, 0]]))
    assert pytest.approx(box_iou(b, a)) == box_iou(a, b).T


def test_boxes_choose_the_best_overlap():
    found, true = np.array([[0.0, 0, 10, 10]]), np.array([[0.0, 0, 10, 6], [0, 0, 10, 9]])
    assert match_boxes(found, np.ones(1), true, 0.5).tolist() == [1]
    assert match_boxes(found, np.ones(1), true, 0.95).tolist() == [-1]


def test_boxes_of_circles():
    assert boxes_of(circles((10, 20, 3))).tolist() == [[7, 17, 13, 23]]
