"""What is counted of a lesion map alone: where its candidates lie on the photo, which are right, and its mask."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from comedo.lesions.network import ACTIVE, MARK, MASK, RADIUS
from comedo.training.lesion_map.data import LesionPhoto, circles_of
from comedo.training.lesion_map.judge import MEASURES, read_maps, row_of
from comedo.types import Group

NAMES = [m.name for m in MEASURES]


def network(*peaks, mask=None):
    """Says a lesion of radius 8 at each (channel, row, column) of its cells; remembers the picture's size."""

    def run(arrays):
        _, h, w, _ = arrays["image"].shape
        maps = np.zeros((6, h // 2, w // 2), np.float32)
        maps[RADIUS] = 8.0
        for channel, y, x in peaks:
            maps[channel, y, x] = 0.9
        if mask is not None:
            y0, y1, x0, x1 = mask
            maps[MASK, y0:y1, x0:x1] = 1.0
        return {"maps": maps[None]}

    return run


def photo(**known):
    return LesionPhoto("p", "crops1024", "val", "anna", Path("p.png"), (2.0, 2.0), **known)


def figures(*rows):
    return dict(zip(NAMES, (m.of(rows) for m in MEASURES), strict=True))


IMAGE = np.full((100, 150, 3), 180, np.uint8)


def test_candidates_lie_in_the_photos_pixels():
    """Cell 60 is the canvas's pixels 120 and 121, with a zoom of 2 the photo's 60.25."""
    said = read_maps(network((ACTIVE, 40, 60), (MARK, 80, 20)), IMAGE, (2.0, 2.0))
    np.testing.assert_allclose(said.circles, [[60.25, 40.25, 4.0], [20.25, 80.25, 4.0]], atol=0.3)
    assert said.groups == (Group.NON_INFLAMMATORY, Group.MARK)


def test_what_lies_beyond_the_photo_is_no_candidate():
    """300 x 200 pixels are padded to 320 x 224."""
    assert len(read_maps(network((ACTIVE, 105, 60), (ACTIVE, 40, 155)), IMAGE, (2.0, 2.0)).circles) == 0


def test_the_mask_lies_where_the_network_saw_it():
    said = read_maps(network(mask=(20, 60, 40, 80)), IMAGE, (2.0, 2.0)).mask
    assert said.shape == (100, 150)
    ys, xs = np.nonzero(said)
    assert (ys.min(), ys.max(), xs.min(), xs.max()) == pytest.approx((20, 59, 40, 79), abs=1)


def test_figures_of_photos_by_hand(tmp_path):
    """Two of three lesions found and one false candidate: precision and recall 2/3. Half of the mask is seen."""
    mask = np.zeros((100, 150), np.uint8)
    mask[20:60, 40:120] = 255
    cv2.imwrite(str(tmp_path / "mask.png"), mask)
    true = photo(active=circles_of([(60, 40, 4), (20, 80, 4), (100, 20, 4)]), mask_path=tmp_path / "mask.png")
    run = network((ACTIVE, 40, 60), (ACTIVE, 80, 20), (ACTIVE, 80, 120), mask=(20, 60, 40, 80))
    found = figures(row_of(true, 150, read_maps(run, IMAGE, (2.0, 2.0))))
    assert found["F1 at best threshold"] == pytest.approx(2 / 3)
    assert found["mask Dice"] == pytest.approx(2 / 3, abs=0.02)
    assert (found["AP of marks"], found["found on clear photos"]) == (None, None)


def test_false_candidates_on_clear_photos_are_counted():
    clear = photo(active=circles_of([]))
    rows = [row_of(clear, 150, read_maps(network(*peaks), IMAGE, (2.0, 2.0))) for peaks in ([], [(ACTIVE, 40, 60)])]
    found = figures(*rows)
    assert found["found on clear photos"] == 0.5
    assert found["AP"] is None


def test_what_nobody_looked_for_is_not_judged():
    row = row_of(photo(), 150, read_maps(network((ACTIVE, 40, 60)), IMAGE, (2.0, 2.0)))
    assert (row.active, row.marks, row.mask) == (None, None, None)
    assert set(figures(row).values()) == {None}
