"""Photos through a network that is known by heart: whole, sliced, merged, back in the photo's pixels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from comedo.training.detection.serve import Found, ServePlan, detect, make_canvas, merge
from comedo.training.detection.ways import Way

PLAN = ServePlan(longest=160, tile=96, overlap=0.4, nms=0.5)


def spots(arrays):
    """A network that boxes every red rectangle as type 0 and every blue one as type 1, each twice."""
    import cv2

    image = arrays["image"][0]
    boxes, scores = [np.zeros((0, 4))], [np.zeros((0, 2))]
    for number, channel in enumerate((0, 2)):
        alone = (image[..., channel] > 150) & (image[..., 1] < 60)
        count, _, stats, _ = cv2.connectedComponentsWithStats(alone.astype(np.uint8))
        for x, y, w, h, _ in stats[1:count]:
            boxes.append(np.array([[x, y, x + w, y + h], [x, y, x + w, y + h - 1]], np.float64))
            scores.append(np.eye(2)[[number, number]] * np.array([[0.9], [0.6]]))
    return {"boxes": np.concatenate(boxes)[None], "scores": np.concatenate(scores)[None]}


def photo(*rectangles: tuple[int, int, int, int, int], size_hw: tuple[int, int] = (130, 160)):
    """Grey with rectangles: channel, x0, y0, x1, y1."""
    image = np.full((*size_hw, 3), 90, np.uint8)
    for channel, x0, y0, x1, y1 in rectangles:
        image[y0:y1, x0:x1] = 0
        image[y0:y1, x0:x1, channel] = 250
    return image


RECTANGLES = ((0, 10, 10, 22, 20), (2, 60, 30, 72, 44), (0, 84, 84, 97, 96), (2, 130, 100, 150, 120))


@pytest.mark.parametrize("way", list(Way))
def test_each_lesion_is_found_once_in_the_photos_pixels(way):
    found = detect(spots, photo(*RECTANGLES), PLAN, way)
    got = sorted((int(c), *map(round, b)) for c, b in zip(found.classes, found.boxes.tolist(), strict=True))
    assert got == sorted(((0 if r[0] == 0 else 1), *r[1:]) for r in RECTANGLES)
    assert (np.diff(found.scores) <= 0).all()


@pytest.mark.parametrize("way", list(Way))
@pytest.mark.parametrize("size_hw", [(130, 160), (97, 320), (400, 90)])
def test_other_sizes_come_back_in_their_own_pixels(way, size_hw):
    h, w = size_hw
    rectangle = (w // 3, h // 3, w // 3 + w // 6, h // 3 + h // 6)
    found = detect(spots, photo((0, *rectangle), size_hw=size_hw), PLAN, way)
    assert len(found) == 1
    assert found.boxes[0] == pytest.approx(rectangle, abs=2 * max(size_hw) / PLAN.longest)


@pytest.mark.parametrize("way", list(Way))
def test_nothing_is_found_where_nothing_is(way):
    found = detect(spots, photo(), PLAN, way)
    assert len(found) == 0
    assert found.boxes.shape == (0, 4)


def test_at_most_so_many_are_kept_the_surest_first():
    found = detect(spots, photo(*RECTANGLES), replace(PLAN, most=2))
    assert found.scores.tolist() == [0.9, 0.9]


def test_a_lesion_longer_than_the_overlap_is_kept_cut():
    rectangle = (0, 5, 60, 155, 66)
    found = detect(spots, photo(rectangle), replace(PLAN, merge=1.0), Way.SLICES)
    assert len(found) > 1
    assert found.boxes[:, 0].min() == 5
    assert found.boxes[:, 2].max() == 155


def test_merging_takes_the_piece_of_a_lesion_and_leaves_the_other_type():
    whole = Found(np.array([[0.0, 0, 20, 10]]), np.array([0.8]), np.array([0]))
    piece = Found(np.array([[10.0, 0, 20, 10], [0, 0, 20, 10]]), np.array([0.7, 0.6]), np.array([0, 1]))
    got = merge([whole, piece], PLAN)
    assert got.scores.tolist() == [0.8, 0.6]
    assert got.classes.tolist() == [0, 1]


def test_the_canvas_is_black_beyond_the_photo_and_whole_in_32():
    canvas = make_canvas(np.full((100, 50, 3), 200, np.uint8), 80)
    assert canvas.image.shape == (96, 64, 3)
    assert canvas.size_wh == (40, 80)
    assert not canvas.image[80:].any()
    assert not canvas.image[:, 40:].any()
    assert (canvas.image[:80, :40] == 200).all()
