from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from comedo.training.change.repeats import clear_jobs
from comedo.training.lesion_map.crops import CropPlan, LesionCrops, make_target
from comedo.training.lesion_map.data import IGNORE, LesionPhoto, load_clear

IDENTITY = np.array([[1.0, 0, 0], [0, 1.0, 0]])


def circles(*rows: tuple[float, float, float]):
    return np.asarray(rows, np.float32).reshape(-1, 3)


def photo(path: Path = Path("p.png"), **known) -> LesionPhoto:
    return LesionPhoto("p", known.pop("source", "crops1024"), "train", "g", path, (1.0, 1.0), **known)


def test_nobody_looked_means_no_weight() -> None:
    target = make_target(photo(), IDENTITY, 64, None)
    assert target.heat_weight.max() == 0
    assert target.mask_weight.max() == 0
    assert (target.log_radius == IGNORE).all()


def test_clear_skin_teaches_that_there_is_nothing() -> None:
    target = make_target(photo(active=circles(), marks=circles(), sparse=circles()), IDENTITY, 64, None)
    assert target.heat.max() == 0
    assert target.heat_weight.min() == 1
    assert target.mask_weight.min() == 1


def test_a_lesion_peaks_at_its_centre() -> None:
    known = photo(active=circles((20.5, 40.5, 6)), inflamed=np.array([1.0], np.float32))
    target = make_target(known, IDENTITY, 64, None)
    assert np.unravel_index(target.heat[0].argmax(), (32, 32)) == (20, 10)
    assert target.heat[0].max() == 1
    assert target.inflamed[20, 10] == 1
    assert np.exp(target.log_radius[20, 10]) == pytest.approx(6)
    assert target.mask.sum() == pytest.approx(np.pi * 3**2, rel=0.3)
    assert target.heat_weight[1, 20, 10] == pytest.approx(0.5), "an active lesion is no mark"
    assert target.heat_weight[1, 2, 2] == 0, "elsewhere nobody looked for marks"


def test_a_mark_is_a_hard_negative_of_the_active_heat() -> None:
    known = photo(source="typed", active=circles(), marks=circles((30, 30, 5)), inflamed=np.zeros(0, np.float32))
    target = make_target(known, IDENTITY, 64, None)
    assert target.heat[0].max() == 0
    assert target.heat[1].max() == 1
    assert target.heat_weight[0].max() == pytest.approx(2.0)
    assert target.heat_weight[0, 0, 0] == pytest.approx(0.4)


def test_the_affine_moves_and_grows_the_lesion() -> None:
    known = photo(active=circles((10, 10, 4)), inflamed=np.array([IGNORE], np.float32))
    target = make_target(known, np.array([[2.0, 0, 5], [0, 2.0, 9]]), 64, None)
    y, x = np.unravel_index(target.heat[0].argmax(), (32, 32))
    assert (x, y) == (12, 14)
    assert np.exp(target.log_radius[y, x]) == pytest.approx(8)


def test_the_same_seed_draws_the_same_crop(tmp_path: Path) -> None:
    path = tmp_path / "p.png"
    rng = np.random.default_rng(0)
    cv2.imwrite(str(path), rng.integers(0, 255, (200, 200, 3), np.uint8))
    known = photo(path, active=circles((90, 90, 6), (40, 150, 3)), inflamed=np.array([1.0, 0.0], np.float32))
    crops = LesionCrops([known], CropPlan(size=64))
    a, b = (crops.draw(np.random.default_rng(5)) for _ in range(2))
    assert (a[0] == b[0]).all()
    assert (a[1].heat == b[1].heat).all()
    c = crops.draw(np.random.default_rng(6))
    assert (a[0] != c[0]).any()
    assert a[0].shape == (64, 64, 3)
    assert a[1].heat.shape == (3, 32, 32)


@pytest.mark.parametrize("seed", range(8))
def test_target_and_picture_stay_together(tmp_path: Path, seed: int) -> None:
    # A white disc on black: the peak of the target must lie on white, whatever the augmentation.
    path = tmp_path / "p.png"
    image = np.zeros((300, 300, 3), np.uint8)
    cv2.circle(image, (140, 160), 14, (255, 255, 255), -1)
    cv2.imwrite(str(path), image)
    known = photo(path, active=circles((140, 160, 14)), inflamed=np.array([IGNORE], np.float32))
    crop, target = LesionCrops([known], CropPlan(size=128, on_lesion=1.0)).draw(np.random.default_rng(seed))
    if target.heat[0].max() < 1:
        pytest.skip("the lesion lies outside this crop")
    y, x = np.unravel_index(target.heat[0].argmax(), target.heat[0].shape)
    inside = crop[2 * y : 2 * y + 2, 2 * x : 2 * x + 2].mean()
    assert inside > crop.mean() + 40


def test_trainings_and_changes_hold_the_same_clear_faces_back(tmp_path: Path) -> None:
    for number in range(16):
        name = f"{number:02}.{('png', 'jpg', 'webp')[number % 3]}"
        (tmp_path / name).write_bytes(b"")
    held_back = {photo.name for photo in load_clear(tmp_path) if photo.split == "val"}
    assert held_back == {"00", "07", "14"}
    assert {job.pair.a for job in clear_jobs(tmp_path, "val", 99)} == held_back
