"""Pictures of single parts of the face: what a detector learns from and is asked about."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

pytest.importorskip("torch", reason="needs comedo[train]")
pytest.importorskip("lightning", reason="needs comedo[train]")

from comedo.errors import NoFaceFound, UnusableInput
from comedo.training.data.dataset import Circle, Label, Rectangle, Sample
from comedo.training.detection.judge import Seen
from comedo.training.detection.parts import cut_sample, join_parts, move_part, part_boxes
from comedo.training.detection.photos import boxes_of, crops_of, open_boxes
from comedo.training.detection.serve import Found, ServePlan, detect
from comedo.training.detection.task import DetectLesions
from comedo.training.detection.ways import Way
from comedo.training.runner.answer import Use
from comedo.training.runner.labelled import LabelledPhoto, open_sets
from comedo.types import Part, Region
from drawn import save
from recipe_trials import shipped_recipe

PARTS = (Region.FOREHEAD, Region.LEFT_CHEEK)


@pytest.mark.parametrize(
    ("shape", "box"),
    [
        pytest.param(Rectangle((30, 40, 40, 60)), (10, 0, 20, 20), id="inside: moved"),
        pytest.param(Circle((40, 60), 5), (15, 15, 25, 25), id="a circle: the box around it"),
        pytest.param(Rectangle((16, 50, 26, 60)), (0, 10, 6, 20), id="six tenths seen: cut at the edge"),
        pytest.param(Rectangle((14, 50, 24, 60)), None, id="four tenths seen: left out"),
        pytest.param(Rectangle((70, 50, 80, 60)), None, id="outside: left out"),
    ],
)
def test_lesions_of_a_part(shape, box):
    cut = cut_sample(Sample("a.png", (Label("acne", shape),), 100, 100), (20, 40, 60, 90))
    assert (cut.width, cut.height) == (40, 50)
    assert [label.bounds_xyxy for label in cut.marks] == ([] if box is None else [box])


def test_where_nobody_looked_nobody_looked_at_a_part_either():
    assert cut_sample(Sample("a.png", None, 100, 100), (0, 0, 9, 9)).labels is None


def test_only_parts_that_are_seen_and_wanted_have_a_box():
    parts = np.zeros((100, 100), np.uint8)
    parts[10:50, 20:60] = Part.FOREHEAD
    parts[60:99, 20:60] = Part.CHIN
    assert part_boxes(parts, PARTS) == {Region.FOREHEAD: (20, 10, 60, 50)}
    assert part_boxes(None, PARTS) == {}


@pytest.fixture(scope="module")
def cheeks(rendered):
    """Task, recipe and the pictures of two parts."""
    task, recipe = shipped_recipe(
        "detect-tood", "types=[acne, pimple]", f"parts=[{', '.join(PARTS)}]", "crops.size=96", "serve.longest=128"
    )
    return task, recipe, task.items(recipe, rendered, rendered / "cache")


def test_every_photo_gives_a_picture_of_each_part(cheeks, rendered):
    _, recipe, items = cheeks
    photos = open_sets(recipe.sets, rendered)
    assert len(photos) < len(items) <= 2 * len(photos)
    assert {item.part for item in items} == set(PARTS)
    assert len({item.name for item in items}) == len(items)
    whole = {item.name: len(item.truth()[0]) for item in open_boxes(photos, recipe.types, ())}
    for item in items[:8]:
        picture, (boxes, _) = item.picture(), item.truth()
        height, width = picture.image.shape[:2]
        assert picture.parts.shape == item.read().shape[:2] == (height, width)
        assert (picture.parts == item.part.part).mean() > 0.2
        assert len(boxes) <= whole[item.photo.name]
        assert (boxes >= 0).all()
        assert (boxes[:, 2:] <= [width, height]).all()
    assert any(len(item.truth()[0]) for item in items)


def test_whole_photos_are_looked_at_for_leaks_each_once(cheeks):
    task, _, items = cheeks
    members = task.members(items)
    assert len(members) == len({item.photo.name for item in items}) < len(items)


def test_crops_are_of_the_part(cheeks):
    _, recipe, items = cheeks
    marked = [item for item in items if len(item.truth()[0])][:2]
    crops = crops_of(recipe, marked, learning=True)
    for index in range(2):
        drawn = crops.draw(index, np.random.default_rng(index))
        assert drawn["image"].shape == (96, 96, 3)
        assert ((drawn["boxes"] >= 0) & (drawn["boxes"] <= 96)).all()


@pytest.mark.parametrize("seed", range(6))
def test_edges_of_a_part_move_within_the_photo(seed):
    box, size_wh = (0, 40, 100, 120), (110, 125)
    x0, y0, x1, y1 = moved = move_part(np.random.default_rng(seed), box, 0.1, size_wh)
    assert moved == move_part(np.random.default_rng(seed), box, 0.1, size_wh)
    assert 0 <= x0 <= 10
    assert 32 <= y0 <= 48
    assert 90 <= x1 <= 110
    assert 112 <= y1 <= 125


def test_without_jitter_the_box_stays_and_nothing_is_drawn():
    rng = np.random.default_rng(3)
    assert move_part(rng, (3, 4, 50, 60), 0.0, (100, 100)) == (3, 4, 50, 60)
    assert rng.random() == np.random.default_rng(3).random()


def painted(photo, types):
    """The photo in grey, with the boxes of its lesions in one red; blue says the type."""
    image = np.full((photo.sample.height, photo.sample.width, 3), 90, np.uint8)
    boxes, kinds = boxes_of(photo.sample, types)
    for (x0, y0, x1, y1), kind in zip(boxes.round().astype(int), kinds, strict=True):
        image[y0:y1, x0:x1] = (200, 0, 100 * kind)
    return image


def test_labels_stay_on_their_lesions_when_a_part_moves(cheeks, monkeypatch):
    _, recipe, items = cheeks
    plain = replace(recipe.augment, mirror=False, light=0, white_balance=0)
    crops = replace(recipe.crops, part_jitter=0.2, zoom=(1.0, 1.0), size=256, on_lesion=0)
    recipe = replace(recipe, augment=plain, crops=crops, serve=replace(recipe.serve, longest=256))
    monkeypatch.setattr(LabelledPhoto, "read", lambda photo: painted(photo, recipe.types))
    most = sorted(items, key=lambda item: -len(item.truth()[0]))[:3]
    learnt, shown = crops_of(recipe, most, learning=True), []
    for index, seed in np.ndindex(3, 8):
        picture = learnt.draw(index, np.random.default_rng(seed))
        shown.append(len(picture["boxes"]))
        for (x0, y0, x1, y1), kind in zip(picture["boxes"].astype(int), picture["types"], strict=True):
            inside = picture["image"][y0 + 1 : y1, x0 + 1 : x1].astype(float)
            assert inside[..., 1].mean() < 30, "a box holds its lesion alone"
            assert inside[..., 2].mean() == pytest.approx(100 * kind, abs=40)
    assert max(shown) >= 5


def test_what_is_held_back_is_cut_where_the_face_map_says(cheeks):
    _, recipe, items = cheeks
    moving = replace(recipe, crops=replace(recipe.crops, part_jitter=0.2))
    draws = [
        crops_of(r, items[:1], learning=False).draw(0, np.random.default_rng(1))["image"] for r in (recipe, moving)
    ]
    assert (draws[0] == draws[1]).all()


def test_too_much_jitter_is_refused():
    with pytest.raises(UnusableInput, match=r"crops\.part_jitter must lie in 0 to 0\.3, got 0\.5"):
        shipped_recipe("detect-tood", "crops.part_jitter=0.5")


def seen(name: str, part: Region, *, right: bool) -> Seen:
    """One lesion, found or missed."""
    box = np.array([[2.0, 2, 12, 12]])
    found = Found(box if right else box + 40, np.array([0.9]), np.array([0]))
    return Seen(name, name, {Way.WHOLE: found}, box, np.array([0]), 1, part)


def test_each_part_is_measured_by_itself_too(cheeks):
    task, recipe, _ = cheeks
    rows = [seen(str(n), part, right=part is Region.FOREHEAD) for n in range(4) for part in PARTS]
    sections = task.gather(rows)
    assert list(sections) == ["whole", "whole, forehead", "whole, left_cheek"]
    precision = next(m for m in task.measures(recipe) if m.name == "AP50 acne")
    found = {name: precision.of(judged) for name, judged in sections.items()}
    assert found["whole, forehead"] == pytest.approx(1.0)
    assert found["whole, left_cheek"] == 0
    assert 0 < found["whole"] < 1


def reds(arrays):
    """A network that boxes every red rectangle."""
    image = arrays["image"][0]
    count, _, stats, _ = cv2.connectedComponentsWithStats((image[..., 0] > 200).astype(np.uint8))
    boxes = [[x, y, x + w, y + h] for x, y, w, h, _ in stats[1:count]]
    return {"boxes": np.array(boxes, np.float64).reshape(1, -1, 4), "scores": np.full((1, len(boxes), 1), 0.9)}


def test_findings_of_parts_come_back_in_the_photos_pixels():
    image = np.full((128, 128, 3), 90, np.uint8)
    image[40:50, 30:42] = image[100:112, 90:100] = (250, 0, 0)
    plan = ServePlan(longest=64, tile=64)
    boxes = [(0, 0, 64, 64), (16, 16, 80, 80), (64, 64, 128, 128)]  # the first two see the same spot
    looks = [(box, detect(reds, image[box[1] : box[3], box[0] : box[2]], plan)) for box in boxes]
    assert sorted(join_parts(looks, plan).boxes.tolist()) == [[30, 40, 42, 50], [90, 100, 100, 112]]


def ask(rendered, photo, *changes):
    """What a network that boxes reds says of one photo of the set."""
    task, recipe = shipped_recipe("detect-tood", "types=[red]", "serve.longest=288", *changes)
    answering = task.answers(recipe, reds, Use({}, "", cut_off=0.5))
    name = f"photos/{photo.name}"
    return answering.ask([LabelledPhoto(Sample(name, None), photo, name, rendered / "cache/faces")])


def test_a_new_photo_is_asked_about_part_by_part(rendered, tmp_path, monkeypatch):
    photo = rendered / "photos/5-0.png"
    forehead = open_boxes([LabelledPhoto(Sample("a"), photo, "a", rendered / "cache/faces")], ("red",), PARTS)[0]
    x0, y0, *_ = forehead.box
    image = np.full((288, 216, 3), 90, np.uint8)
    image[y0 + 10 : y0 + 20, x0 + 10 : x0 + 22] = image[280:286, 4:10] = (250, 0, 0)  # the second on no part
    monkeypatch.setattr(LabelledPhoto, "read", lambda photo: image)
    found = ask(rendered, photo, f"parts=[{', '.join(PARTS)}]")
    assert found.values["count_by_type"] == {"red": 1}
    assert found.labels[0].bounds_xyxy == pytest.approx((x0 + 10, y0 + 10, x0 + 22, y0 + 20), abs=2)
    assert ask(rendered, photo).values["lesion_count"] == 2


def test_without_a_face_parts_cannot_be_asked_about_and_a_background_stays(tmp_path):
    save(tmp_path / "noise.png", np.random.default_rng(0).integers(0, 190, (200, 160, 3), dtype=np.uint8))
    (tmp_path / "cache/faces").mkdir(parents=True)
    with pytest.raises(NoFaceFound, match="no face was found that shows forehead"):
        ask(tmp_path, tmp_path / "noise.png", "parts=[forehead]")
    found = ask(tmp_path, tmp_path / "noise.png", "augment.background=true")
    assert found.notices == ("no face was found: the background was left as it is",)


def test_the_task_knows_parts_by_name():
    task, recipe = shipped_recipe("detect-atss", "parts=[chin]")
    assert isinstance(task, DetectLesions)
    assert recipe.parts == (Region.CHIN,)
    assert recipe.wants_faces
