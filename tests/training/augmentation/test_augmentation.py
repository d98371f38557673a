"""Augmentations: drawn numbers apart from applying them, the same seed the same picture, labels move along."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from builders import HEIGHT, WIDTH, make_face, make_image
from comedo.training.augment import WhiteBalance, draw_white_balance
from comedo.training.augmentation.mirror import mirror_image, mirror_parts, mirror_sample
from comedo.training.augmentation.paste import Placement, cut_patches, draw_placements, paste
from comedo.training.augmentation.preview import CELL, CHANGES, Subject, Supplies, contact_sheet
from comedo.training.augmentation.regions import (
    FACE_PARTS,
    Fill,
    draw_crop,
    draw_fill,
    mask_of_parts,
    parts_of_photo,
    region_boxes,
)
from comedo.training.augmentation.rolling import Roll, all_rolls, draw_roll, rolls_per_grade
from comedo.training.augmentation.subjects import choose_subjects
from comedo.training.data.bitmap import bitmap_of
from comedo.training.data.convert import mask_of
from comedo.training.data.dataset import Circle, Dataset, Label, Polygon, Rectangle, Sample
from comedo.types import Part, Region, skin_of
from drawn import save


@pytest.mark.parametrize(
    ("photos", "rolls"),
    [
        pytest.param({}, {}, id="no photos"),
        pytest.param({1: 5}, {1: 2}, id="one grade"),
        pytest.param(
            {"clear": 244, "almost": 1156, "mild": 1822, "moderate": 614, "severe": 160},
            {"clear": 8, "almost": 2, "mild": 2, "moderate": 3, "severe": 12},
            id="the reference system's classes",
        ),
    ],
)
def test_rarer_grades_are_rolled_more_often(photos, rolls):
    assert rolls_per_grade(photos) == rolls


def test_a_grade_without_photos_is_refused():
    with pytest.raises(ValueError, match="at least one photo"):
        rolls_per_grade({0: 3, 1: 0})


def test_rolls_are_evenly_spread_and_wrap_around():
    patch = np.arange(60, dtype=np.uint8).reshape(10, 2, 3)
    assert all_rolls(patch, Region.CHIN, 2) == (Roll(0, 3), Roll(0, 6))
    assert [r.axis for r in all_rolls(patch, Region.FOREHEAD, 1)] == [1]
    assert np.array_equal(Roll(0, 3).apply(patch)[3], patch[0])
    assert sorted(Roll(0, 3).apply(patch).ravel()) == sorted(patch.ravel())
    drawn = {draw_roll(np.random.default_rng(s), patch, Region.CHIN, 2) for s in range(30)}
    assert drawn == {Roll(0, 0), Roll(0, 3), Roll(0, 6)}


SKIN = skin_of(parts_of_photo(make_face(), HEIGHT, WIDTH))
SHAPES = [
    Rectangle((3, 4, 9, 8)),
    Circle((10, 10), 4),
    Polygon(((3.1, 3), (9.2, 4), (5.3, 9))),
    bitmap_of(np.eye(12, 30, 5, dtype=bool)),
]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda s: type(s).__name__)
def test_labels_are_mirrored_with_their_photo(shape):
    sample = Sample("a.jpg", (Label("x", shape),), 30, 20)
    twice = mirror_sample(mirror_sample(sample))
    assert twice == sample
    (label,) = mirror_sample(sample).marks
    there = mask_of(label.shape, sample)
    here = mask_of(shape, sample)[:, ::-1]
    assert here.any()
    assert np.array_equal(there, here)


def test_the_mirrored_face_map_calls_the_other_cheek_left():
    parts = np.array([[Part.LEFT_CHEEK, Part.NOSE, Part.RIGHT_CHEEK, Part.LIPS]], np.uint8)
    assert mirror_parts(parts).tolist() == [[Part.LIPS, Part.LEFT_CHEEK, Part.NOSE, Part.RIGHT_CHEEK]]
    image = np.arange(12, dtype=np.uint8).reshape(1, 4, 3)
    assert np.array_equal(mirror_image(mirror_image(image)), image)


@pytest.fixture
def parts():
    return parts_of_photo(make_face(), HEIGHT, WIDTH)


def test_the_background_goes_and_the_face_stays(parts):
    face = mask_of_parts(parts, FACE_PARTS)
    changed = Fill((1, 2, 3), 0.0).apply(make_image(), face)
    assert (changed[~face] == (1, 2, 3)).all()
    assert np.array_equal(changed[face], make_image()[face])
    assert draw_fill(np.random.default_rng(1)) == draw_fill(np.random.default_rng(1))
    assert draw_fill(np.random.default_rng(1), grey=True).rgb == (128, 128, 128)
    soft = Fill((1, 2, 3), 2.0).apply(make_image(), face)
    assert (soft[~face] == (1, 2, 3)).all()


def test_every_region_has_its_crop(parts):
    boxes = region_boxes(parts)
    assert set(boxes) == set(Region)
    for region, (x0, y0, x1, y1) in boxes.items():
        inside = parts[int(y0) : int(y1), int(x0) : int(x1)]
        assert (inside == region.part).sum() == (parts == region.part).sum()
    crop = draw_crop(np.random.default_rng(0), boxes[Region.CHIN], longest=64)
    assert max(crop.apply(make_image()).shape[:2]) == 64
    assert crop == draw_crop(np.random.default_rng(0), boxes[Region.CHIN], longest=64)
    assert region_boxes(np.zeros((50, 50), np.uint8)) == {}


def spotted(x=70, y=185, radius=6):
    """The drawn face with one red spot, and its label."""
    image = make_image()
    cv2.circle(image, (x, y), radius, (190, 40, 40), -1)
    label = Label("acne", Circle((x + 0.5, y + 0.5), radius))
    return image, Sample("spot.jpg", (label,), WIDTH, HEIGHT, person="spotted")


def redness(image):
    return image[..., 0].astype(int) - image[..., 1]


def test_lesions_land_on_clear_skin_only(parts):
    image, source = spotted()
    patches = cut_patches(image, source, SKIN)
    assert len(patches) == 1
    clear = Sample("clear.jpg", (Label("acne", Circle((170, 180), 10)),), WIDTH, HEIGHT, person="other")
    skin = skin_of(parts)
    places = draw_placements(np.random.default_rng(3), patches, clear, skin, number=12)
    assert places == draw_placements(np.random.default_rng(3), patches, clear, skin, number=12)
    assert len(places) > 3
    changed, sample = paste(make_image(), clear, patches, places)
    added = sample.marks[1:]
    assert len(added) == len(places)
    discs = [mask_of(label.shape, sample) for label in sample.marks]
    assert max(sum(d.astype(int) for d in discs).ravel()) == 1  # nowhere two on one place
    for label, disc in zip(added, discs[1:], strict=True):
        assert skin[disc].all(), label
        x, y = (int(v) for v in label.shape.center_xy)
        assert redness(changed)[y, x] > 100
    far = ~cv2.dilate(sum(discs).astype(np.uint8), np.ones((31, 31))).astype(bool)
    assert np.array_equal(changed[far], make_image()[far])


def test_nobody_gets_their_own_lesions(parts):
    image, source = spotted()
    skin = skin_of(parts)
    own = replace(source, photo="other day.jpg")
    assert draw_placements(np.random.default_rng(0), cut_patches(image, source, SKIN), own, skin, number=5) == ()
    nothing = np.zeros_like(skin)
    other = replace(source, person="x")
    assert draw_placements(np.random.default_rng(0), cut_patches(image, source, SKIN), other, nothing, number=5) == ()


def test_a_lesion_keeps_its_size_on_the_face():
    image, source = spotted()
    half = np.ascontiguousarray(SKIN[::2, ::2])
    small = Sample("small.jpg", (), WIDTH // 2, HEIGHT // 2, person="other")
    (place,) = draw_placements(
        np.random.default_rng(0), cut_patches(image, source, SKIN), small, half, number=1, zoom=(1, 1)
    )
    assert place.radius_px == pytest.approx(3, rel=0.02)


def test_a_pasted_lesion_takes_the_colour_of_the_skin_around_it():
    image, source = spotted()
    dark = np.full((60, 60, 3), (90, 60, 45), np.uint8)
    place = Placement(0, (30, 30), mirrored=False, turn_deg=30.0, zoom=1.0, radius_px=6)
    changed, _ = paste(dark, Sample("d.jpg", (), 60, 60), cut_patches(image, source, SKIN), [place])
    assert abs(changed[30, 21].astype(int) - dark[0, 0]).max() <= 8  # no light rim
    assert changed[30, 30, 1] < dark[0, 0, 1]  # redder, and darker than the lesion on light skin
    assert changed[30, 30, 0] < 150


def test_lesions_cut_by_the_edge_are_no_patches():
    image, _ = spotted()
    edge = Sample("a.jpg", (Label("acne", Circle((3, 3), 6)),), WIDTH, HEIGHT)
    assert cut_patches(image, edge, SKIN) == []
    assert cut_patches(*spotted(), np.zeros_like(SKIN)) == []


def test_white_balance_moves_colours_and_keeps_brightness():
    grey = np.full((4, 4, 3), 128, np.uint8)
    assert np.array_equal(WhiteBalance(0, 0).apply(grey), grey)
    warm = WhiteBalance(0.3, 0).apply(grey)[0, 0].astype(int)
    assert warm[0] > 128 > warm[2]
    linear = ((warm / 255 + 0.055) / 1.055) ** 2.4
    assert linear @ [0.2126, 0.7152, 0.0722] == pytest.approx(0.2159, abs=0.004)
    assert draw_white_balance(np.random.default_rng(5)) == draw_white_balance(np.random.default_rng(5))


def subject(grade=None):
    image, sample = spotted()
    return Subject(image, replace(sample, grade=grade), parts_of_photo(make_face(), HEIGHT, WIDTH))


def test_the_contact_sheet_shows_every_change_and_is_the_same_for_a_seed():
    donor, source = spotted(x=165, y=190)
    supplies = Supplies(cut_patches(donor, replace(source, person="donor"), SKIN), {0: 10, 1: 30})
    subjects = [subject(0), replace(subject(), parts=None)]
    sheet = contact_sheet(subjects, supplies, list(CHANGES), seed=4)
    columns = 1 + len(CHANGES)
    assert sheet.shape[1] == columns * (CELL + 6)
    cells = [
        [sheet[22 + r * 230 : 22 + r * 230 + CELL, c * 230 : c * 230 + CELL] for c in range(columns)] for r in (0, 1)
    ]
    assert all(cell.std() > 5 for cell in cells[0])  # with a face every change shows
    empty = [c for c, cell in enumerate(cells[1]) if (cell == 255).all()]
    needs_face = [1 + list(CHANGES).index(n) for n in ("roll", "paste", "background", "region")]
    assert empty == needs_face
    assert np.array_equal(sheet, contact_sheet(subjects, supplies, list(CHANGES), seed=4))
    assert not np.array_equal(sheet, contact_sheet(subjects, supplies, list(CHANGES), seed=5))


class FakeMapper:
    def find(self, photo):
        return make_face()


def test_held_back_photos_give_no_patches(tmp_path):
    samples = []
    for number, split in enumerate(("train", "val", "train")):
        image, sample = spotted(y=170 + 5 * number)
        save(tmp_path / f"{number}.jpg", image)
        samples.append(replace(sample, photo=f"{number}.jpg", person=str(number), split=split, grade=number))
    dataset = Dataset(tuple(samples), ("acne",), Path(tmp_path))
    subjects, supplies = choose_subjects(dataset, FakeMapper(), number=9, seed=0)
    assert {p.person for p in supplies.patches} == {"0", "2"}
    assert supplies.grades == {0: 1, 2: 1}
    assert [s.sample.photo for s in subjects] == ["0.jpg", "2.jpg"]
