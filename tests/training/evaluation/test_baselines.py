import cv2
import numpy as np
import pytest

from comedo.training.evaluation.baselines import (
    RednessBlobs,
    baseline_for,
    centre_ellipse,
    majority,
    mean_count,
    skin_colour,
)
from comedo.types import Group, Part

SKIN, WALL, RED = (205, 160, 135), (90, 120, 160), (190, 90, 85)


def face(*spots, side=512):
    image = np.full((side, side, 3), WALL, np.uint8)
    cv2.ellipse(image, (side // 2, side // 2), (150, 200), 0, 0, 360, SKIN, -1)
    for x, y in spots:
        cv2.circle(image, (x, y), 5, RED, -1)
    return cv2.GaussianBlur(image, (0, 0), 1)


@pytest.mark.parametrize("colour", [(205, 160, 135), (120, 80, 62), (240, 205, 185)], ids=["tan", "dark", "pale"])
def test_skin_colour_knows_every_tone(colour):
    image = np.full((40, 80, 3), WALL, np.uint8)
    image[:, 40:] = colour
    assert skin_colour(image)[:, 44:].all()
    assert not skin_colour(image)[:, :36].any()


def test_red_spots_on_skin_are_found_where_they_are():
    spots = [(200, 200), (300, 260), (256, 350)]
    found = RednessBlobs().predict(face(*spots))
    assert sorted(map(tuple, np.round(found.circles[:, :2]).astype(int).tolist())) == sorted(spots)
    assert set(found.groups) == {Group.INFLAMMATORY}
    assert found.mask[200, 200]
    assert found.parts[260, 256] != Part.BACKGROUND
    assert found.parts[5, 5] == Part.BACKGROUND


def test_clear_skin_and_red_walls_hold_no_lesions():
    assert len(RednessBlobs().predict(face()).circles) == 0
    outside = face()
    cv2.circle(outside, (40, 40), 5, (60, 120, 200), -1)
    assert len(RednessBlobs().predict(outside).circles) == 0


def test_constant_answers_come_from_other_photos():
    found = baseline_for([10, 20], [2, 0, 2]).predict(face((200, 200)))
    assert (found.count, found.grade) == (15, 2)


def test_constants_of_nothing_are_unknown():
    assert mean_count([]) is None
    assert majority([]) is None
    assert majority([3, 1, 1, 3]) == 1


def test_centre_ellipse_has_its_area():
    ellipse = centre_ellipse(400, 300)
    assert ellipse.mean() == pytest.approx(np.pi * 0.3 * 0.4, rel=0.01)
    assert ellipse[200, 150]
    assert (ellipse == ellipse[::-1, ::-1]).all()
