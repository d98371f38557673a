"""The values that pass between the stages say the same to everyone who asks."""

from __future__ import annotations

import numpy as np
import pytest

from builders import make_face
from comedo.calibration import Calibration
from comedo.lesions import count_lesions
from comedo.photo.quality import assess
from comedo.types import VISIBLE_SHARE, Part, Photo, Region


def with_nose(cells: int):
    """A face of 1,000 cells of forehead and so many of nose, a pixel each."""
    parts = np.zeros((50, 40), np.uint8)
    parts.reshape(-1)[:1000] = Part.FOREHEAD
    parts.reshape(-1)[1000 : 1000 + cells] = Part.NOSE
    return make_face(parts=parts, to_photo=np.array([[1.0, 0, 0], [0, 1.0, 0]]))


@pytest.mark.parametrize(
    ("cells", "seen"),
    [
        pytest.param(0, False, id="none"),
        pytest.param(15, False, id="0.0148 of the skin"),
        pytest.param(16, True, id="0.0157 of the skin"),
    ],
)
def test_counts_and_quality_gate_agree_on_what_is_visible(cells: int, seen: bool) -> None:
    face = with_nose(cells)
    assert (cells / (1000 + cells) >= VISIBLE_SHARE) is seen
    assert (Region.NOSE in face.visible_regions) is seen
    assert (count_lesions((), face, Calibration()).by_region[Region.NOSE] is not None) is seen
    photo = Photo(np.full((50, 40, 3), 150, np.uint8), "drawn", "0", "array")
    (regions,) = (c for c in assess(photo, face).checks if c.name == "regions")
    assert regions.value == 1 + seen


def test_without_skin_nothing_is_visible() -> None:
    assert make_face(parts=np.zeros((4, 4), np.uint8)).visible_regions == frozenset()
