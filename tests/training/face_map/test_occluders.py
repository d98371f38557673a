"""Glasses drawn onto training faces."""

import numpy as np
import pytest

from comedo.training.face_map.occluders import wear_glasses
from comedo.types import Part


def plain_face() -> tuple[np.ndarray, np.ndarray]:
    image = np.full((160, 120, 3), 190, np.uint8)
    labels = np.full((160, 120), Part.LEFT_CHEEK, np.uint8)
    labels[50:58, 25:45] = Part.EYES
    labels[50:58, 75:95] = Part.EYES
    return image, labels


def test_a_face_without_two_eyes_stays_as_it_is():
    image, labels = plain_face()
    labels[:, :60] = Part.LEFT_CHEEK
    worn, changed = wear_glasses(image, labels, np.random.default_rng(0))
    assert worn is image
    assert changed is labels


@pytest.mark.parametrize("seed", range(12))
def test_glasses_cover_skin_at_both_eyes_and_leave_the_originals(seed):
    image, labels = plain_face()
    before = image.copy(), labels.copy()
    worn, changed = wear_glasses(image, labels, np.random.default_rng(seed))
    np.testing.assert_array_equal(image, before[0])
    np.testing.assert_array_equal(labels, before[1])
    covered = changed == Part.OTHER
    assert covered[:, :60].any()
    assert covered[:, 60:].any()
    assert not covered[120:].any(), "the chin is not behind glasses"
    assert (worn != image).any(axis=2)[covered].any()
    assert set(np.unique(changed)) <= {Part.LEFT_CHEEK, Part.EYES, Part.OTHER}


def test_dark_lenses_hide_the_eyes_and_clear_ones_do_not():
    image, labels = plain_face()
    seen = []
    for seed in range(40):
        worn, changed = wear_glasses(image, labels, np.random.default_rng(seed))
        lens = worn[54, 35].mean()
        seen.append((lens, bool((changed == Part.EYES).any())))
    assert any(eye for _, eye in seen)
    assert any(not eye for _, eye in seen)
    assert min(light for light, eye in seen if eye) > min(light for light, eye in seen if not eye)


def test_the_same_seed_draws_the_same_glasses():
    image, labels = plain_face()
    one, two = (wear_glasses(image, labels, np.random.default_rng(7)) for _ in range(2))
    np.testing.assert_array_equal(one[0], two[0])
    np.testing.assert_array_equal(one[1], two[1])
