"""Who learns what on toy grids, small enough to be followed by hand."""

from __future__ import annotations

import pytest
import torch

from comedo.training.detection.assign import Assignment, assign_adaptive, assign_aligned, inside
from comedo.training.detection.boxes import iou
from comedo.training.detection.points import Points, cell_centres, points_of


def grid(side: int = 4, stride: int = 8) -> Points:
    return points_of([torch.zeros(1, 1, side, side)], [stride])


def boxes(*rows: tuple[float, float, float, float]) -> torch.Tensor:
    return torch.tensor(rows, dtype=torch.float32).reshape(-1, 4)


def aligned(points, truth, classes, prob, found, **more) -> Assignment:
    return assign_aligned(points, truth, torch.tensor(classes, dtype=torch.long), prob, found, **more)


def test_points_are_centres_of_cells_row_by_row():
    points = points_of([torch.zeros(1, 2, 2, 3), torch.zeros(1, 2, 1, 2)], [4, 8])
    assert points.xy.tolist() == [[2, 2], [6, 2], [10, 2], [2, 6], [6, 6], [10, 6], [4, 4], [12, 4]]
    assert points.stride.tolist() == [4] * 6 + [8] * 2
    assert points.per_level == (6, 2)
    assert points.anchors(2.0)[0].tolist() == [-2, -2, 6, 6]
    assert cell_centres(torch.zeros(1, 1, 1, 2)).tolist() == [[[0.5, 0.5], [1.5, 0.5]]]


def test_inside_leaves_edges_out():
    found = inside(torch.tensor([[5.0, 5.0], [0.0, 5.0], [11.0, 5.0]]), boxes((0, 0, 10, 10)))
    assert found.tolist() == [[True, False, False]]


def test_without_boxes_everything_is_background():
    points = grid()
    for found in (
        assign_adaptive(points, boxes(), scale=2.0),
        aligned(points, boxes(), [], torch.full((16, 1), 0.5), points.anchors(2.0)),
    ):
        assert not found.positive.any()
        assert found.quality.sum() == 0


def test_adaptive_takes_the_anchors_that_stand_out():
    # The box is the anchor of point 5. The nine candidates are the block of three by three around it, with
    # overlaps 1, four of 1/3 and four of 1/7; mean 0.323, deviation 0.269: only the first reaches 0.592.
    found = assign_adaptive(grid(), boxes((4, 4, 20, 20)), scale=2.0)
    assert found.positive.nonzero().flatten().tolist() == [5]
    assert found.quality[5] == 1


def test_adaptive_gives_a_contested_anchor_to_the_box_it_overlaps_most():
    truth = boxes((4, 4, 20, 20), (5, 5, 19, 19))
    assert assign_adaptive(grid(), truth, scale=2.0).box[5] == 0


def test_adaptive_never_takes_a_point_outside():
    truth = boxes((1, 1, 15, 15), (17, 9, 31, 30))
    points = grid(8, 4)
    found = assign_adaptive(points, truth, scale=4.0)
    for number in range(2):
        assert inside(points.xy[found.box == number], truth[number : number + 1]).all()
        assert (found.box == number).any()


def test_aligned_takes_the_best_of_score_and_overlap():
    points, truth = grid(), boxes((2, 2, 30, 30))
    found = points.anchors(2.0)
    prob = torch.full((16, 2), 0.1)
    found[5], found[6] = truth[0], torch.tensor([2.0, 2.0, 30.0, 23.0])  # overlaps 1 and 0.75
    prob[5, 1], prob[6, 1] = 0.5, 0.9
    got = aligned(points, truth, [1], prob, found, number=2)
    assert got.positive.nonzero().flatten().tolist() == [5, 6]
    # alignments 0.5 and 0.9 * 0.75^6; scaled so that the best has the best overlap, 1
    assert got.quality[[5, 6]].tolist() == pytest.approx([1, 0.9 * 0.75**6 / 0.5], rel=1e-4)


def test_aligned_minds_the_class():
    points, truth = grid(), boxes((0, 0, 32, 32))
    prob = torch.zeros(16, 2)
    prob[3, 0], prob[9, 1] = 0.9, 0.9
    for row, point in ((0, 3), (1, 9)):
        got = aligned(points, truth, [row], prob, points.anchors(3.0), number=1)
        assert got.positive.nonzero().flatten().tolist() == [point]


def test_aligned_points_of_two_boxes_go_to_the_nearer_in_overlap_and_each_has_its_own_scale():
    points = grid()
    truth = boxes((0, 0, 16, 16), (8, 8, 32, 32))
    found = points.anchors(2.0)
    prob = torch.full((16, 1), 0.3)
    got = aligned(points, truth, [0, 0], prob, found)
    contested = 5  # at (12, 12), inside both
    wanted = int(iou(found[contested], truth).argmax())
    assert got.box[contested] == wanted
    for number in range(2):
        mine = got.box == number
        best = iou(found[mine], truth[number]).max()
        assert got.quality[mine].max() == pytest.approx(best.item(), rel=1e-5)
