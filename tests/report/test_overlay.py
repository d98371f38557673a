from dataclasses import replace

import numpy as np
import pytest

from builders import CELL, HEIGHT, SKIN_RGB, WIDTH, make_analysis, make_face, make_image, make_lesion, make_quality
from comedo.report.look import GROUPS
from comedo.report.overlay import draw_overlay
from comedo.types import FaceAnalysis, Group, Verdict


def enlarged(width: int, height: int) -> FaceAnalysis:
    """The drawn face at another size."""
    sx, sy = width / WIDTH, height / HEIGHT
    analysis = make_analysis(face=make_face(to_photo=np.array([[CELL * sx, 0, 0], [0, CELL * sy, 0]])))
    x0, y0, x1, y1 = analysis.face.box_xyxy
    face = replace(analysis.face, box_xyxy=(x0 * sx, y0 * sy, x1 * sx, y1 * sy))
    return replace(analysis, width=width, height=height, face=face, lesions=())


@pytest.mark.parametrize(
    ("width", "height"),
    [(300, 300), (240, 320), (1000, 200), (200, 1000), (3000, 4000)],
    ids=["small square", "portrait", "wide", "tall", "12 megapixels"],
)
@pytest.mark.parametrize("max_side", [1600, 800])
def test_fits_the_screen_whatever_the_photo(width, height, max_side):
    overlay = draw_overlay(make_image(width, height), enlarged(width, height), max_side=max_side)
    assert overlay.dtype == np.uint8
    assert overlay.ndim == 3
    assert max_side * 0.5 < max(overlay.shape[:2]) <= max_side


def test_photo_and_analysis_stay_as_they_are():
    image, analysis = make_image(), make_analysis()
    before = image.copy()
    image.flags.writeable = False
    first = draw_overlay(image, analysis)
    np.testing.assert_array_equal(image, before)
    np.testing.assert_array_equal(draw_overlay(image, analysis), first)


def painted(overlay, colour) -> int:
    return int((np.abs(overlay.astype(int) - np.array(colour)).sum(axis=2) < 30).sum())


@pytest.mark.parametrize("group", list(Group))
def test_each_group_is_drawn_in_its_colour(group):
    colour = GROUPS[group].colour
    with_one = draw_overlay(make_image(), make_analysis(lesions=(make_lesion(group=group, diameter_px=30.0),)))
    without = draw_overlay(make_image(), make_analysis(lesions=()))
    assert painted(with_one, colour) > painted(without, colour) + 200


def test_groups_differ_by_shape_and_letter_as_well():
    looks = GROUPS.values()
    assert len({look.shape for look in looks}) == len({look.letter for look in looks}) == len(Group)


def test_skin_colour_shows_through_the_regions():
    overlay = draw_overlay(make_image(), make_analysis(lesions=()))
    height, width = overlay.shape[:2]
    cheek = overlay[int(height * 0.55), int(width * 0.2)].astype(int)
    assert np.abs(cheek - np.array(SKIN_RGB)).max() < 40


def test_a_small_face_is_brought_closer():
    face = make_face(
        to_photo=np.array([[CELL / 2, 0, 400.0], [0, CELL / 2, 400.0]]), box_xyxy=(420.0, 428.0, 500.0, 543.0)
    )
    photo = np.zeros((1200, 1200, 3), np.uint8)
    photo[400:560, 400:520] = make_image(120, 160)
    analysis = replace(make_analysis(face=face, lesions=()), width=1200, height=1200)
    overlay = draw_overlay(photo, analysis)
    picture = overlay[:, : int(overlay.shape[1] * 0.6)]
    assert (picture.sum(axis=2) > 0).mean() > 0.6, "mostly face, not the black around it"


@pytest.mark.parametrize(
    "changes",
    [
        {"grades": {}},
        {"quality": make_quality(Verdict.POOR)},
        {"lesions": tuple(make_lesion(i, center_xy=(60 + i % 20 * 6.0, 80 + i // 20 * 9.0)) for i in range(1, 201))},
        {"lesions": (make_lesion(center_xy=(0.0, 0.0)), make_lesion(2, center_xy=(239.0, 319.0)))},
    ],
    ids=["no grades", "poor photo", "200 lesions", "lesions in the corners"],
)
def test_draws_whatever_was_found(changes):
    assert draw_overlay(make_image(), make_analysis(**changes), max_side=640).size > 0


def test_another_photo_is_refused():
    with pytest.raises(ValueError, match="must be the analysed photo"):
        draw_overlay(make_image(100, 100), make_analysis())


def test_a_thumbnail_is_refused():
    with pytest.raises(ValueError, match="at least 320"):
        draw_overlay(make_image(), make_analysis(), max_side=100)
