"""Made training photos: what is on them is what they say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("torch", reason="needs comedo[train]")

from comedo.build import default_analyzer
from comedo.lesions.network import face_zoom
from comedo.synthetic import random_spec, render
from comedo.training.change.pasted import Donor
from comedo.training.lesion_map.data import IGNORE, WORK_PX_PER_MM, LesionPhoto, circles_of
from comedo.training.lesion_map.made import MadePhotos, make_photos, paste_some, rendered_photo
from comedo.types import Group, Photo


@pytest.fixture(scope="module")
def face():
    return render(random_spec(3, n_lesions=12, max_yaw_deg=10, size_wh=(480, 600)))


def test_a_plan_of_nothing_makes_nothing() -> None:
    assert make_photos(MadePhotos(), []) == []


def test_a_rendered_face_tells_what_can_be_seen(face) -> None:
    photo = rendered_photo(face, "one")
    seen = [lesion for lesion in face.lesions if lesion.visible]
    assert len(photo.active) + len(photo.marks) == len(seen)
    assert len(photo.marks) == sum(lesion.group is Group.MARK for lesion in seen)
    assert photo.inflamed.sum() == sum(lesion.group is Group.INFLAMMATORY for lesion in seen)
    assert photo.read() is face.image
    assert photo.scale_xy[0] == pytest.approx(WORK_PX_PER_MM * face.mm_per_px)


@pytest.mark.parametrize("seed", [3, 4, 5])
def test_a_face_has_the_size_in_training_that_it_has_in_an_analysis(seed: int) -> None:
    face = render(random_spec(seed, max_yaw_deg=20, size_wh=(480, 600)))
    found = default_analyzer().mapper.find(Photo(face.image, "face", "0", "array"))
    assert rendered_photo(face, "face").scale_xy[0] == pytest.approx(face_zoom(found), rel=0.12)


def test_rendered_faces_are_drawn_by_the_seed() -> None:
    first, again, other = (make_photos(MadePhotos(rendered=1, seed=s), [])[0] for s in (1, 1, 2))
    assert np.array_equal(first.read(), again.read())
    assert np.array_equal(first.active, again.active)
    assert first.read().shape != other.read().shape or not np.array_equal(first.read(), other.read())


def test_without_lesions_to_paste_nothing_is_pasted(face) -> None:
    assert make_photos(MadePhotos(pasted=3), [clear_photo(face.image)]) == []


def test_pasted_lesions_lie_where_the_labels_say(face) -> None:
    plain = render(replace(face.spec, lesions=())).image
    dark = Donor(np.full((31, 31, 3), -0.8, np.float32), 8.0, 0.05)
    made = paste_some(clear_photo(plain), [dark], np.random.default_rng(4), "made")
    assert made is not None
    assert made.source == "pasted"
    assert len(made.active) > 1
    assert (made.inflamed == IGNORE).all()
    changed = np.abs(made.read().astype(int) - plain).sum(-1) > 0
    near = np.zeros(changed.shape, np.uint8)
    for x, y, r in made.active:
        assert changed[round(float(y)), round(float(x))]
        cv2.circle(near, (round(float(x)), round(float(y))), round(4 * float(r)), 1, -1)
    assert not (changed & (near == 0)).any()


def test_no_face_no_pasted_photo() -> None:
    empty = np.full((200, 200, 3), 128, np.uint8)
    donor = Donor(np.zeros((9, 9, 3), np.float32), 3.0, 0.03)
    assert paste_some(clear_photo(empty), [donor], np.random.default_rng(0), "none") is None


def clear_photo(image) -> LesionPhoto:
    nothing = circles_of([])
    return LesionPhoto(
        "clear", "clear", "train", "g", Path("clear"), (2.6, 2.6), active=nothing, marks=nothing, picture=image
    )
