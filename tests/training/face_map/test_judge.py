"""What is counted of a face map: parts on faces laid into a picture."""

from dataclasses import replace

import numpy as np
import pytest

from comedo.training.face_map.data import IGNORE, NOT_FACE, FacePhoto, box_of
from comedo.training.face_map.judge import MEASURES, PartsRow, tallies_of, usual_parts, view
from comedo.types import Part


def face():
    labels = np.zeros((120, 120), np.uint8)
    labels[20:100, 20:60], labels[20:100, 60:100] = Part.RIGHT_CHEEK, Part.LEFT_CHEEK
    return FacePhoto("f", "typed", "anna", "val", np.repeat(labels[..., None] * 20, 3, axis=2), labels, box_of(labels))


class Known:
    def __init__(self, photo):
        self.photo = photo

    def labelled(self):
        return self.photo


def figures(said, true):
    row = PartsRow("anna", {"near": tallies_of(said, true)})
    return {m.name: m.of([row]) for m in MEASURES}


@pytest.mark.parametrize("share", [0.75, 0.3])
def test_a_face_lies_upright_in_the_middle_at_its_size(share):
    picture, labels = view(face(), share, 128)
    assert (picture.shape, labels.shape) == ((128, 128, 3), (64, 64))
    ys, xs = np.nonzero(labels)
    assert np.ptp(xs) + 1 == pytest.approx(share * 64, abs=2)
    assert (ys.mean(), xs.mean()) == pytest.approx((31.5, 31.5), abs=1)


def test_the_truth_has_every_overlap():
    _, labels = view(face(), 0.75, 128)
    found = figures(labels, labels)
    assert found["mean IoU"] == found["IoU skin"] == found["IoU left_cheek"] == 1
    assert found["IoU nose"] is None  # there is none


def test_half_of_a_cheek_called_nose():
    _, labels = view(face(), 0.75, 128)
    said = labels.copy()
    left = np.argwhere(labels == Part.LEFT_CHEEK)
    said[tuple(left[: len(left) // 2].T)] = Part.NOSE
    found = figures(said, labels)
    assert found["IoU left_cheek"] == pytest.approx(0.5, abs=0.01)
    assert found["IoU nose"] == 0
    assert found["IoU skin"] == 1


def test_what_nobody_knows_is_left_out():
    said = np.full((4, 4), Part.NOSE, np.uint8)
    assert set(figures(said, np.full((4, 4), IGNORE, np.uint8)).values()) == {None}
    beyond = figures(np.full((4, 4), Part.OTHER, np.uint8), np.full((4, 4), NOT_FACE, np.uint8))
    assert beyond["IoU other"] is None  # background or other: either may be right
    assert figures(said, np.full((4, 4), NOT_FACE, np.uint8))["IoU nose"] == 0


def test_the_commonest_part_of_each_place():
    other = face()
    swapped = replace(other, labels=np.where(other.labels > 0, np.uint8(Part.CHIN), np.uint8(0)))
    usual = usual_parts([Known(face()), Known(face()), Known(swapped)], 128)
    assert (usual["near"] == view(face(), 0.75, 128)[1]).all()
    assert usual["far"].shape == (64, 64)
