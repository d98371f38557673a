"""Which found lesion is which true one: greedy by score, one to one.

Found lesions choose in falling order of score, each the nearest (or best overlapping) true lesion
that is still free. Greedy rather than an optimal assignment, as in COCO: what a lesion gets does
not depend on those of lower score, so that one pass gives every point of the precision-recall
curve, and the figure at a threshold is that of the list cut at the threshold.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Circles = NDArray[np.float32]  # (N, 3) x, y, radius in pixels
FRAME_SHARE = 0.008  # of the frame's width: the least distance at which centres agree


def by_score(scores: NDArray[np.floating]) -> NDArray[np.intp]:
    """Indices from the highest score to the lowest; equal scores keep their order."""
    return np.argsort(-np.asarray(scores, np.float64), kind="stable")


def greedy(cost: Floats, allowed: NDArray[np.bool_], order: NDArray[np.intp]) -> NDArray[np.intp]:
    """Give each row the free column of least cost.

    Args:
        cost: (N, M), row: found, column: true.
        allowed: (N, M), which pairs may match at all.
        order: Rows in the order in which they choose.

    Returns:
        (N,) the column of each row, -1 for none.
    """
    found = np.full(len(cost), -1, np.intp)
    if cost.shape[1] == 0:
        return found
    left = np.where(allowed, cost, np.inf)
    for row in order:
        column = int(np.argmin(left[row]))
        if np.isfinite(left[row, column]):
            found[row] = column
            left[:, column] = np.inf
    return found


def match_centres(found: Circles, scores: NDArray[np.floating], true: Circles, frame_width: float) -> NDArray[np.intp]:
    """Match by centre distance <= max(true lesion's radius, 0.8 % of the frame's width).

    Args:
        found: (N, 3) x, y, radius.
        scores: (N,) of the found.
        true: (M, 3) x, y, radius, in the same pixels.
        frame_width: Width of the picture in pixels.

    Returns:
        (N,) index of the true lesion of each found one, -1 for a false one.
    """
    far = found[:, None, :2].astype(np.float64) - true[None, :, :2]
    distance = np.hypot(far[..., 0], far[..., 1])
    reach = np.maximum(true[:, 2].astype(np.float64), FRAME_SHARE * frame_width)
    return greedy(distance, distance <= reach[None], by_score(scores))


def boxes_of(circles: Circles) -> Floats:
    """Square boxes (N, 4) x0, y0, x1, y1 around circles, in the circles' own frame.

    Found and true circles are compared in the frame of the annotations, in which the networks
    learnt; a half pixel added to one side only (`Lesion.box_xyxy` lies on edges) would lower the
    overlap of small lesions.
    """
    c = circles.astype(np.float64)
    return np.stack([c[:, 0] - c[:, 2], c[:, 1] - c[:, 2], c[:, 0] + c[:, 2], c[:, 1] + c[:, 2]], 1)


def box_iou(a: Floats, b: Floats) -> Floats:
    """Overlap of every box of `a` (N, 4) with every box of `b` (M, 4): (N, M), 0 for empty pairs."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    both = np.prod(np.clip(high - low, 0, None), axis=2)
    area_a, area_b = np.prod(a[:, 2:] - a[:, :2], axis=1), np.prod(b[:, 2:] - b[:, :2], axis=1)
    either = area_a[:, None] + area_b[None] - both
    overlap: Floats = np.divide(both, either, out=np.zeros_like(both), where=either > 0)
    return overlap


def match_boxes(found: Floats, scores: NDArray[np.floating], true: Floats, least_iou: float) -> NDArray[np.intp]:
    """Match boxes of overlap >= `least_iou` as COCO does; (N,) index of the true box, -1 for none."""
    overlap = box_iou(found, true)
    return greedy(-overlap, overlap >= least_iou, by_score(scores))
