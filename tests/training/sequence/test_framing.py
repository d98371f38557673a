"""What the sequence network sees of a photo."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from comedo.build import build_analyzer
from comedo.errors import NoFaceFound
from comedo.photo import read_photo
from comedo.synthetic import random_spec, render, scatter_lesions
from comedo.training.sequence.draw import noise_frame, photograph
from comedo.training.sequence.framing import Framing, draw_lesions, face_box
from comedo.training.sequence.plan import DrawPlan
from comedo.types import Kind

BOX = (100.0, 200.0, 228.0, 328.0)  # one photo pixel a pixel
ONE = 2 * np.pi * (0.012 * 128) ** 2 * 120  # sum of a sure lesion's dot


@pytest.mark.parametrize(
    ("found", "sum_of_dots"),
    [
        pytest.param([], 0.0, id="none"),
        pytest.param([((164.0, 264.0), 1.0)], 1.0, id="a sure one"),
        pytest.param([((164.0, 264.0), 0.5)], 0.5, id="an even chance"),
        pytest.param([((164.0, 264.0), 1.0), ((120.0, 220.0), 1.0)], 2.0, id="two"),
        pytest.param([((99.0, 264.0), 1.0), ((164.0, 328.0), 1.0)], 0.0, id="beside the picture"),
    ],
)
def test_dots_add_up_to_the_lesions_expected(found, sum_of_dots):
    drawn = draw_lesions(found, BOX, 128)
    assert drawn.shape == (128, 128)
    assert drawn.sum() / ONE == pytest.approx(sum_of_dots, abs=0.05)


def test_a_dot_lies_where_its_lesion_does():
    drawn = draw_lesions([((110.0, 290.0), 1.0)], BOX, 128)
    assert np.unravel_index(drawn.argmax(), drawn.shape) == (90, 10)
    assert drawn.max() == pytest.approx(120, abs=1)


def test_the_square_around_a_face_grows_with_it():
    x0, y0, x1, y1 = face_box((0.0, 0.0, 100.0, 140.0), 50.0)
    assert ((x0 + x1) / 2, (y0 + y1) / 2) == (50, 70)
    assert x1 - x0 == pytest.approx(y1 - y0)
    wider = face_box((0.0, 0.0, 100.0, 140.0), 100.0)
    assert wider[2] - wider[0] == pytest.approx(2 * (x1 - x0))


@pytest.fixture(scope="module")
def framing():
    return Framing(64, lesions=True, load=cache(build_analyzer))


def test_lesions_of_a_rendered_face_are_found_and_drawn(framing):
    base = random_spec(100, n_lesions=0, max_yaw_deg=10, size_wh=(160, 200), tone=0.3)
    base = replace(base, camera=replace(base.camera, face_share=0.85), glasses=False)
    lesions = scatter_lesions(base.person, {Kind.NODULE: 10}, seed=3, strength=(2.3, 2.8))
    sums = []
    for skin in ((), tuple(replace(lesion, diameter_mm=6.0) for lesion in lesions)):
        photo = read_photo(render(replace(base, lesions=skin)).image)
        picture = framing.cut(photo, framing.find_face(photo))
        assert picture.shape == (64, 64, 4)
        sums.append(picture[..., 3].sum() / (2 * np.pi * (0.012 * 64) ** 2 * 120))
    assert sums[0] < 1
    assert 5 < sums[1] < 15


def test_what_is_kept_is_named_by_the_networks_that_saw_it(framing):
    assert framing.mark.startswith("64-")
    assert Framing(64, lesions=False, load=framing.load).mark == "64"


def test_no_face_is_said(framing):
    with pytest.raises(NoFaceFound):
        framing.find_face(read_photo(np.full((64, 64, 3), 90, np.uint8)))


def test_light_changes_no_drawn_lesion():
    frame = np.full((32, 32, 4), 100, np.uint8)
    still = DrawPlan(shift=0, zoom=0, light=1.0)
    found = photograph(frame, still, np.random.default_rng(2))
    assert (found[..., 3] == 100).all()
    assert abs(found[..., :3].mean() - 100) > 5


@pytest.mark.parametrize("seed", range(6))
def test_noise_has_the_channels_of_the_series(seed):
    assert noise_frame(32, np.random.default_rng(seed), channels=4).shape == (32, 32, 4)
    assert noise_frame(32, np.random.default_rng(seed)).shape == (32, 32, 3)
