"""Overlaps by hand, their invariants, suppression against a slow reference."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from comedo.training.detection.boxes import (
    Overlap,
    boxes_from,
    ciou,
    diou,
    distances_to,
    giou,
    iou,
    iou_matrix,
    suppress,
)

OVERLAPS = (iou, giou, diou, ciou)


def box(*corners: float) -> torch.Tensor:
    return torch.tensor([corners], dtype=torch.float32)


@pytest.mark.parametrize(
    ("a", "b", "wanted"),
    [
        pytest.param((0, 0, 2, 2), (0, 0, 2, 2), (1, 1, 1, 1), id="equal"),
        # shared 2, union 6; hull 3 x 2 is filled; centres 1 apart, diagonal squared 13
        pytest.param((0, 0, 2, 2), (1, 0, 3, 2), (1 / 3, 1 / 3, 1 / 3 - 1 / 13, 1 / 3 - 1 / 13), id="half"),
        # apart: hull 4 x 1 of which 2 are filled; centres 3 apart, diagonal squared 17
        pytest.param((0, 0, 1, 1), (3, 0, 4, 1), (0, -0.5, -9 / 17, -9 / 17), id="apart"),
        pytest.param((0, 0, 4, 4), (1, 1, 3, 3), (0.25, 0.25, 0.25, 0.25), id="inside, same centre"),
    ],
)
def test_overlaps_of_known_boxes(a, b, wanted):
    assert [f(box(*a), box(*b)).item() for f in OVERLAPS] == pytest.approx(wanted, abs=1e-5)


def test_complete_overlap_minds_proportions_where_boxes_overlap_by_half():
    a, b = box(0, 0, 4, 2), box(0, 0, 3, 2)  # IoU 6 / 8; centres half a pixel apart, diagonal squared 20
    unlike = 4 / math.pi**2 * (math.atan(2) - math.atan(1.5)) ** 2
    alpha = unlike / (1 - 0.75 + unlike)
    assert ciou(a, b).item() == pytest.approx(0.75 - 0.25 / 20 - alpha * unlike, abs=1e-5)


coordinate = st.floats(0, 500, width=32)
corner = st.tuples(coordinate, coordinate, st.floats(0.5, 200, width=32), st.floats(0.5, 200, width=32))
drawn_box = corner.map(lambda c: box(c[0], c[1], c[0] + c[2], c[1] + c[3]))


@settings(deadline=None, max_examples=60)
@given(drawn_box, drawn_box)
def test_overlaps_keep_their_bounds(a, b):
    values = {f: f(a, b).item() for f in OVERLAPS}
    assert 0 <= values[iou] <= 1 + 1e-6
    assert all(-1 - 1e-5 <= v <= values[iou] + 1e-5 for f, v in values.items() if f is not ciou)
    assert values[ciou] <= values[diou] + 1e-6
    for f in (iou, giou, diou):
        assert f(b, a).item() == pytest.approx(values[f], abs=1e-5)
        assert f(a, a).item() == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("overlap", OVERLAPS, ids=lambda f: f.__name__)
def test_gradients_are_finite_even_for_empty_boxes(overlap):
    a = torch.tensor([[1.0, 1, 1, 1], [0, 0, 5, 5], [9, 9, 12, 11]], requires_grad=True)
    overlap(a, torch.tensor([[1.0, 1, 1, 1], [0, 0, 5, 5], [0, 0, 2, 2]])).sum().backward()
    assert torch.isfinite(a.grad).all()


def test_distances_and_boxes_are_each_others_inverse():
    points, boxes = torch.tensor([[5.0, 6.0]]), torch.tensor([[1.0, 2.0, 8.0, 7.0]])
    assert distances_to(points, boxes).tolist() == [[4, 4, 3, 1]]
    assert boxes_from(points, distances_to(points, boxes)).tolist() == boxes.tolist()


def slow_suppress(boxes, scores, groups, limit, measure):
    left = sorted(range(len(scores)), key=lambda i: (-scores[i], i))
    kept = []
    while left:
        best = left.pop(0)
        kept.append(best)
        left = [i for i in left if groups[i] != groups[best] or slow_overlap(boxes[i], boxes[best], measure) <= limit]
    return kept


def slow_overlap(a, b, measure):
    both = max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))
    one, other = ((x[2] - x[0]) * (x[3] - x[1]) for x in (a, b))
    return both / (one + other - both if measure is Overlap.UNION else min(one, other))


@pytest.mark.parametrize("measure", list(Overlap))
@pytest.mark.parametrize("number", [0, 1, 40])
def test_suppression_agrees_with_the_slow_way(measure, number):
    for seed in range(5):
        draw = torch.Generator().manual_seed(seed)
        low = torch.randint(0, 24, (number, 2), generator=draw).float()
        boxes = torch.cat([low, low + torch.randint(2, 12, (number, 2), generator=draw)], 1)
        scores = torch.randint(0, 9, (number,), generator=draw) / 9  # with ties
        groups = torch.randint(0, 2, (number,), generator=draw)
        kept = suppress(boxes, scores, groups, limit=0.4, measure=measure).tolist()
        assert kept == slow_suppress(boxes.tolist(), scores.tolist(), groups.tolist(), 0.4, measure)


def test_matrix_of_overlaps_is_every_pair():
    a, b = torch.tensor([[0.0, 0, 2, 2], [4, 4, 6, 6]]), torch.tensor([[1.0, 0, 3, 2]])
    assert iou_matrix(a, b).flatten().tolist() == pytest.approx([1 / 3, 0])
