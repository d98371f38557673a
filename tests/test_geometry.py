from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from comedo.geometry import (
    apply,
    clip_box,
    compose,
    crop_affine,
    invert,
    sample_crop,
    scale_of,
    square_around,
    tile_canvas,
)
from comedo.types import Image


def test_inverse_undoes_an_affine() -> None:
    affine = np.array([[0.8, -0.3, 5.0], [0.2, 1.1, -7.0]])
    points = np.array([[0.0, 0.0], [10.0, 3.0], [-4.0, 8.0]])
    assert np.allclose(apply(invert(affine), apply(affine, points)), points)


def test_compose_applies_the_second_argument_first() -> None:
    double = np.array([[2.0, 0, 0], [0, 2.0, 0]])
    shift = np.array([[1.0, 0, 3.0], [0, 1.0, 0]])
    assert np.allclose(apply(compose(double, shift), np.array([[1.0, 1.0]])), [[8.0, 2.0]])


def test_scale_of_is_the_mean_stretch() -> None:
    assert scale_of(np.array([[4.0, 0, 0], [0, 1.0, 0]])) == pytest.approx(2.0)


def blob_centroid(crop: Image) -> NDArray[np.float64]:
    light = crop[..., 0].astype(float)
    y, x = np.mgrid[: crop.shape[0], : crop.shape[1]]
    return np.array([(x * light).sum(), (y * light).sum()]) / light.sum()


@pytest.mark.parametrize("size_hw", [(24, 24), (48, 48), (47, 96), (96, 50), (192, 192)])
def test_crop_affine_agrees_with_a_resize(size_hw: tuple[int, int]) -> None:
    # A blob's centroid moves as the affine says when the crop is resized by area.
    image = np.zeros((128, 128, 3), np.uint8)
    cv2.circle(image, (70, 52), 9, (255, 255, 255), -1)
    box = (16.0, 8.0, 112.0, 104.0)
    expected = apply(crop_affine(box, size_hw), np.array([[70.0, 52.0]]))[0]
    assert np.abs(blob_centroid(sample_crop(image, box, size_hw)) - expected).max() < 0.2


def test_crop_affine_brings_corners_to_corners() -> None:
    affine = crop_affine((3.0, 5.0, 104.0, 206.0), (101, 34))
    corners = apply(affine, np.array([[2.5, 4.5], [103.5, 205.5]]))  # pixel centres are whole numbers
    assert np.allclose(corners, [[-0.5, -0.5], [33.5, 100.5]])


@pytest.mark.parametrize("place_xy", [(60, 60), (2940, 60), (2940, 3950), (1500, 2000)])
@pytest.mark.parametrize("size_hw", [(4011, 3003), (4032, 3024)], ids=["odd", "even"])
def test_a_large_photo_is_shrunk_without_drift(size_hw: tuple[int, int], place_xy: tuple[int, int]) -> None:
    image = np.zeros((*size_hw, 3), np.uint8)
    cv2.circle(image, place_xy, 40, (255, 255, 255), -1)
    box = (0.0, 0.0, float(size_hw[1]), float(size_hw[0]))
    expected = apply(crop_affine(box, (256, 256)), np.array([place_xy], float))[0]
    assert np.abs(blob_centroid(sample_crop(image, box, (256, 256))) - expected).max() < 0.04


@pytest.mark.parametrize("side", [300, 450, 620, 750, 1100, 2000])
def test_shrinking_is_near_to_the_mean_of_areas(side: int) -> None:
    noise = np.random.default_rng(side).integers(0, 256, (side // 10, side // 10, 3), np.uint8)
    image = np.asarray(cv2.resize(noise, (side, side), interpolation=cv2.INTER_CUBIC), np.uint8)
    exact = cv2.resize(image, (100, 100), interpolation=cv2.INTER_AREA).astype(float)
    crop = sample_crop(image, (0.0, 0.0, float(side), float(side)), (100, 100))
    assert np.abs(crop - exact).mean() < 2.5
    assert np.abs((crop - exact).mean()) < 0.5


@pytest.mark.parametrize("x0", [-60.0, -33.0, -1.0, 13.0])
def test_a_box_that_reaches_out_stays_in_its_place(x0: float) -> None:
    image = np.zeros((100, 100, 3), np.uint8)
    cv2.circle(image, (35, 40), 12, (255, 255, 255), -1)
    box = (x0, -20.0, x0 + 160.0, 140.0)
    expected = apply(crop_affine(box, (64, 64)), np.array([[35.0, 40.0]]))[0]
    assert np.abs(blob_centroid(sample_crop(image, box, (64, 64))) - expected).max() < 0.5


def test_what_lies_outside_the_picture_is_black() -> None:
    image = np.full((20, 20, 3), 200, np.uint8)
    crop = sample_crop(image, (-10, -10, 30, 30), (40, 40))
    assert crop[:10].max() == 0
    assert crop[10:30, 10:30].min() == 200
    assert crop[30:].max() == 0


def test_a_box_beside_the_picture_is_black() -> None:
    assert sample_crop(np.full((20, 20, 3), 9, np.uint8), (50, 50, 60, 60), (8, 8)).max() == 0


def test_square_keeps_the_centre() -> None:
    assert square_around((10, 20, 30, 60), 1.5) == (-10, 10, 50, 70)


def test_clip_box() -> None:
    assert clip_box((-5, 2, 50, 60), 40, 30) == (0, 2, 40, 30)


@pytest.mark.parametrize("height", [32, 200, 608, 610, 1000, 1400])
@pytest.mark.parametrize("width", [32, 608, 802, 2000])
def test_tiles_cover_the_canvas_with_overlap(height: int, width: int) -> None:
    covered = np.zeros((height, width), int)
    tiles = tile_canvas(height, width)
    for t in tiles:
        assert t.height % 32 == 0
        assert t.width % 32 == 0
        assert max(t.height, t.width) <= 640
        assert t.y0 % 2 == 0
        covered[t.y0 : t.y0 + t.height, t.x0 : t.x0 + t.width] += 1
    assert covered.min() == 1
    if height > 640:
        assert (covered > 1).any(axis=1).sum() >= 32


def test_a_small_canvas_is_one_tile() -> None:
    assert len(tile_canvas(608, 500)) == 1


def test_tiles_may_be_wider_than_high() -> None:
    tiles = tile_canvas(900, 800, longest=704, widest=864, overlap=48)
    assert [(t.x0, t.width) for t in tiles] == [(0, 800), (0, 800)]
    assert all(t.height == 480 for t in tiles)
