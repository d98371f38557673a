import numpy as np
import pytest

from comedo.training.metrics.curves import Scored, average_precision, best_threshold, pool
from comedo.training.metrics.matching import match_boxes
from comedo.training.metrics.tally import Tally


def scored(pairs, true):
    return Scored(np.array([s for s, _ in pairs], float), np.array([h for _, h in pairs], bool), true)


def test_a_threshold_keeps_scores_that_reach_it():
    some = scored([(0.9, True), (0.5, False), (0.4, True)], true=3)
    assert some.at(0.5) == Tally(hits=1, false=1, missed=2)
    assert some.at(-np.inf) == Tally(hits=2, false=1, missed=1)


@pytest.mark.parametrize(
    ("some", "threshold"),
    [
        pytest.param(scored([], 4), None, id="nothing found"),
        pytest.param(scored([(0.9, False)], 0), None, id="nothing true"),
        pytest.param(scored([(0.9, True), (0.8, True), (0.3, False)], 2), 0.8, id="before the first false one"),
        pytest.param(scored([(0.9, False), (0.8, True), (0.7, True)], 2), 0.7, id="false ones may be worth it"),
        pytest.param(scored([(0.8, True), (0.8, False), (0.8, False)], 1), 0.8, id="equal scores pass together"),
    ],
)
def test_best_threshold(some, threshold):
    best = best_threshold(some)
    assert (None if best is None else best.threshold) == threshold


@pytest.mark.parametrize("seed", range(4))
def test_best_threshold_beats_every_other(seed):
    rng = np.random.default_rng(seed)
    some = Scored(rng.integers(0, 20, 80) / 20, rng.random(80) < 0.4, 50)
    best = best_threshold(some)
    assert best.tally.f1 == max(some.at(t).f1 for t in np.unique(some.scores))
    assert best.tally == some.at(best.threshold)


@pytest.mark.parametrize(
    ("some", "wanted"),
    [
        pytest.param(scored([(0.9, False)], 0), None, id="nothing to find"),
        pytest.param(scored([], 3), 0.0, id="nothing found"),
        pytest.param(scored([(0.9, True), (0.8, True)], 2), 1.0, id="perfect"),
        pytest.param(scored([(0.9, True)], 2), 51 / 101, id="half found: recalls 0 to 0.5 of 101 points"),
        pytest.param(scored([(0.9, False), (0.8, True)], 1), 0.5, id="a false one first"),
    ],
)
def test_average_precision(some, wanted):
    assert average_precision(some) == (None if wanted is None else pytest.approx(wanted))


def test_many_photos_pool_into_one():
    both = pool([scored([(0.9, True)], 1), scored([(0.5, False)], 2)])
    assert (both.scores.tolist(), both.hits.tolist(), both.true) == ([0.9, 0.5], [True, False], 3)
    assert pool([]).true == 0


@pytest.mark.parametrize("least_iou", [0.3, 0.5])
@pytest.mark.parametrize("seed", range(3))
def test_average_precision_agrees_with_faster_coco_eval(seed, least_iou, capsys):
    pytest.importorskip("faster_coco_eval", reason="needs comedo[train]")
    from faster_coco_eval import COCO, COCOeval_faster

    rng = np.random.default_rng(seed)
    images, annotations, results, parts = [], [], [], []
    for image_id in range(1, 7):
        true = _boxes(rng, rng.integers(0, 12))
        found = np.concatenate([true[rng.random(len(true)) < 0.7] + rng.normal(0, 2, 4), _boxes(rng, 5)])
        scores = rng.permutation(1000)[: len(found)] / 1000
        images.append({"id": image_id, "width": 300, "height": 300})
        for row in true:
            box = _xywh(row)
            annotations.append(
                {"id": len(annotations) + 1, "image_id": image_id, "category_id": 1, "bbox": box, "iscrowd": 0}
                | {"area": box[2] * box[3]}
            )
        results += [
            {"image_id": image_id, "category_id": 1, "bbox": _xywh(row), "score": float(s)}
            for row, s in zip(found, scores, strict=True)
        ]
        parts.append(Scored(scores, match_boxes(found, scores, true, least_iou) >= 0, len(true)))
    truth = COCO({"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "acne"}]})
    judge = COCOeval_faster(truth, truth.loadRes(results), "bbox")
    judge.params.iouThrs = np.array([least_iou])
    judge.evaluate()
    judge.accumulate()
    theirs = judge.eval["precision"][0, :, 0, 0, -1].mean()
    assert 0.1 < theirs < 0.99
    assert average_precision(pool(parts)) == pytest.approx(theirs, abs=1e-9)


def _boxes(rng, number):
    low = rng.uniform(0, 260, (number, 2))
    return np.concatenate([low, low + rng.uniform(8, 40, (number, 2))], 1)


def _xywh(row):
    x0, y0, x1, y1 = (float(v) for v in row)
    return [x0, y0, x1 - x0, y1 - y0]
