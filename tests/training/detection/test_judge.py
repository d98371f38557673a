"""Figures of detectors: by hand, and against faster-coco-eval."""

from __future__ import annotations

import contextlib
import io

import numpy as np
import pytest

from comedo.training.detection.charts import draw_boxes
from comedo.training.detection.judge import Seen, confuse, cut_off, judge, measures_of, score_photo
from comedo.training.detection.serve import Found
from comedo.training.detection.ways import Way
from comedo.training.metrics.curves import Scored

WHOLE = Way.WHOLE


def seen(name, found=(), true=(), kinds=2) -> Seen:
    """Rows of found: x0, y0, x1, y1, score, type; of true: x0, y0, x1, y1, type."""
    f, t = np.array(found, np.float64).reshape(-1, 6), np.array(true, np.float64).reshape(-1, 5)
    boxes = Found(f[:, :4], f[:, 4], f[:, 5].astype(np.int64))
    return Seen(name, name, {WHOLE: boxes}, t[:, :4], t[:, 4].astype(np.int64), kinds)


def figures(rows) -> dict[str, float | None]:
    return {m.name: m.of(judge(rows, WHOLE)) for m in measures_of(["a", "b"])}


A, B = (0, 0, 10, 10), (20, 20, 30, 30)
PERFECT = [seen(str(n), [(*A, 0.9, 0), (*B, 0.8, 1)], [(*A, 0), (*B, 1)]) for n in range(6)]


def test_without_photos_or_boxes_nothing_is_known():
    empty = figures([seen("x"), seen("y")])
    assert empty["mAP50"] is None
    assert empty["mean F1"] is None


def test_perfect_detections_score_one_everywhere():
    got = figures(PERFECT)
    assert all(got[name] == 1 for name in ("mAP50", "mean F1", "F1, any type", "AP50 a", "AP50 b", "F1 a", "F1 b"))
    assert (got["cut-off a"], got["cut-off b"]) == (0.9, 0.8)


def test_wrong_types_are_confused_and_not_found():
    rows = [seen(str(n), [(*A, 0.9, 1)], [(*A, 0)]) for n in range(6)]
    table = confuse(rows[0], WHOLE, (0.5, 0.5))
    assert table.tolist() == [[0, 1, 0], [0, 0, 0], [0, 0, 0]]
    assert figures(rows)["AP50 a"] == 0


def test_confusion_counts_missed_false_and_low_scores():
    row = seen("x", [(*A, 0.9, 0), (1, 1, 10, 10, 0.7, 1), (40, 40, 50, 50, 0.6, 1), (*B, 0.2, 1)], [(*A, 0), (*B, 1)])
    # A is right, its double of the other type goes; one false b; B scored below the cut-off and is missed.
    assert confuse(row, WHOLE, (0.5, 0.5)).tolist() == [[1, 0, 0], [0, 0, 1], [0, 1, 0]]


def test_cut_offs_come_from_the_other_half_of_the_people():
    # Scores of each half differ: a cut-off from one half is used on the other.
    rows = [seen(str(n), [(*A, 0.9, 0), (*B, 0.4, 0)], [(*A, 0)]) for n in range(8)]
    assert [j.tallies[0].f1 for j in judge(rows, WHOLE)] == [1.0] * 8
    alone = judge(rows[:1], WHOLE)[0]  # the other half is empty: half a score is asked for
    assert alone.tallies[0].hits == 1
    assert cut_off([Scored(np.zeros(0), np.zeros(0, np.bool_), 0)]) == 0.5


def test_scores_are_compared_with_the_share_of_boxes_that_hit():
    # Of each photo one box of 0.9 hits and one of 0.5 does not: ranges are 0.1 and 0.5 off, with as many boxes each.
    rows = [seen(str(n), [(*A, 0.9, 0), (*B, 0.5, 0)], [(*A, 0)]) for n in range(4)]
    assert figures(rows)["calibration error"] == pytest.approx((0.1 + 0.5) / 2)
    assert figures([seen("x"), seen("y")])["calibration error"] is None


@pytest.mark.parametrize("types", [("a", "b"), tuple("abcdef")], ids=["two types", "more than can be told apart"])
def test_what_was_found_is_drawn(types):
    rows = [seen(str(n), [(*A, 0.9, 0), (*B, 0.5, 0)], [(*A, 0)], kinds=len(types)) for n in range(4)]
    drawn = draw_boxes(judge(rows, WHOLE), types, WHOLE)
    assert set(drawn) == {"curves-whole", "confusion-whole", "calibration-whole"}
    assert "a: AP 1.00" in drawn["curves-whole"]
    one = "a" if len(types) == 2 else "all types"
    assert f"{one} (8): error 0.300" in drawn["calibration-whole"]


def random_rows(seed: int, photos: int = 12, kinds: int = 3) -> list[Seen]:
    rng = np.random.default_rng(seed)
    rows = []
    for n in range(photos):
        low = rng.uniform(0, 80, (int(rng.integers(0, 7)), 2))
        true = np.hstack([low, low + rng.uniform(6, 20, (len(low), 2)), rng.integers(0, kinds, (len(low), 1))])
        near = true[rng.random(len(true)) < 0.8]
        moved = near[:, :4] + rng.normal(0, 1.2, (len(near), 4))
        lost = rng.uniform(0, 80, (int(rng.integers(0, 4)), 2))
        false = np.hstack([lost, lost + rng.uniform(6, 20, (len(lost), 2))])
        types = np.concatenate([near[:, 4], rng.integers(0, kinds, len(false))])[:, None]
        boxes = np.vstack([moved, false])
        found = np.hstack([boxes, rng.uniform(0.05, 1, (len(boxes), 1)), types])
        rows.append(seen(f"p{n}", found, true, kinds))
    return rows


def coco_precisions(rows: list[Seen], kinds: int) -> tuple[float, list[float]]:
    """mAP50 and AP50 of each type by faster-coco-eval."""
    from faster_coco_eval import COCO, COCOeval_faster

    truth, found = [], []
    for image, row in enumerate(rows, 1):
        for box, kind in zip(row.boxes.tolist(), row.types.tolist(), strict=True):
            x0, y0, x1, y1 = box
            truth.append(
                {
                    "id": len(truth) + 1,
                    "image_id": image,
                    "category_id": kind + 1,
                    "bbox": [x0, y0, x1 - x0, y1 - y0],
                    "area": (x1 - x0) * (y1 - y0),
                    "iscrowd": 0,
                }
            )
        said = row.found[WHOLE]
        for (x0, y0, x1, y1), score, kind in zip(said.boxes.tolist(), said.scores, said.classes, strict=True):
            found.append(
                {
                    "image_id": image,
                    "category_id": int(kind) + 1,
                    "bbox": [x0, y0, x1 - x0, y1 - y0],
                    "score": float(score),
                }
            )
    images = [{"id": n, "width": 100, "height": 100, "file_name": str(n)} for n in range(1, len(rows) + 1)]
    categories = [{"id": n + 1, "name": str(n)} for n in range(kinds)]
    with contextlib.redirect_stdout(io.StringIO()):
        known = COCO({"images": images, "annotations": truth, "categories": categories})
        evaluation = COCOeval_faster(known, known.loadRes(found), "bbox")
        evaluation.params.iouThrs = np.array([0.5])
        evaluation.evaluate()
        evaluation.accumulate()
    table = evaluation.eval["precision"][0, :, :, 0, -1]
    return float(table.mean()), table.mean(0).tolist()


@pytest.mark.parametrize("seed", range(4))
def test_average_precision_agrees_with_faster_coco_eval(seed):
    rows = random_rows(seed)
    judged = judge(rows, WHOLE)
    got = {m.name: m.of(judged) for m in measures_of(["0", "1", "2"])}
    wanted, each = coco_precisions(rows, 3)
    assert got["mAP50"] == pytest.approx(wanted, abs=1e-6)
    assert [got[f"AP50 {n}"] for n in range(3)] == pytest.approx(each, abs=1e-6)


def test_verdicts_do_not_depend_on_the_order_of_findings():
    for row in random_rows(9):
        said = row.found[WHOLE]
        turned = said.choose(np.arange(len(said))[::-1])
        again = Seen(row.name, row.person, {WHOLE: turned}, row.boxes, row.types, row.kinds)
        for a, b in zip(score_photo(row, WHOLE), score_photo(again, WHOLE), strict=True):
            assert a.true == b.true
            assert sorted(a.scores[a.hits]) == sorted(b.scores[b.hits])
