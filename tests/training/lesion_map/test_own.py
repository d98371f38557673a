"""Photos of one's own for the lesion map: who is learnt from, who is measured on, and who is kept out of both."""

import json

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs comedo[train]")

from comedo.errors import UnusableInput
from comedo.training.calibration.weights_folder import choose_photos
from comedo.training.leaks import LeakyData
from comedo.training.lesion_map.crops import CropPlan
from comedo.training.lesion_map.own import load_own
from comedo.training.lesion_map.recipe import LesionData, LesionRecipe, OwnPhotos
from comedo.training.lesion_map.task import LesionMap
from comedo.training.runner.plan import Schedule
from comedo.training.runner.run import open_items
from drawn import drawn_face, save

RECIPE = LesionRecipe(
    description="a rehearsal",
    pretrained=None,
    schedule=Schedule(epochs=1, per_step=1),
    data=LesionData(own=OwnPhotos("own.json", ".", 4.7)),
    crops=CropPlan(size=64, shares={"own": 1.0}),
)


def own_set(folder, splits, **groups):
    """One photo for each name, with its split, one lesion and a grade; a person each unless `groups` says otherwise."""
    images, annotations = [], []
    for number, (name, split) in enumerate(splits.items()):
        image = {"id": number, "file_name": f"{name}.png", "group": groups.get(name, name), "grade": 1}
        images.append(image if split is None else image | {"split": split})
        annotations.append({"id": number, "image_id": number, "category_id": 1, "bbox": [20, 20, 9, 9]})
        save(folder / f"{name}.png", drawn_face(number))
    content = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "acne"}]}
    (folder / "own.json").write_text(json.dumps(content))
    return folder


def load(folder):
    return load_own(folder / "own.json", folder, pixels_per_mm=4.7)


def test_photos_to_test_on_are_neither_learnt_from_nor_calibrated_on(tmp_path):
    own_set(tmp_path, {"anna": "train", "ben": "val", "cleo": "test"})
    photos = load(tmp_path)
    assert {p.name: p.split for p in photos} == {"anna.png": "train", "ben.png": "val", "cleo.png": "test"}
    train, val = choose_photos(photos, number=9)
    assert [[p.name for p in side] for side in (train, val)] == [["anna.png"], ["ben.png"]]
    about = open_items(LesionMap(), RECIPE, tmp_path, tmp_path / "cache").about
    assert about["items"] == {"train": 1, "val": 1}
    assert about["people"] == 2


@pytest.mark.parametrize("copied", [False, True], ids=["one person on both sides", "a mirrored copy"])
def test_a_leak_into_the_test_photos_stops_the_lesion_map(tmp_path, copied):
    own_set(tmp_path, {"anna": "train", "cleo": "test"}, cleo="cleo" if copied else "anna")
    if copied:
        save(tmp_path / "cleo.png", np.ascontiguousarray(drawn_face(0)[:, ::-1]))
    with pytest.raises(LeakyData, match=r"cleo.png \(test\) is a mirrored copy" if copied else "in test and train"):
        open_items(LesionMap(), RECIPE, tmp_path, tmp_path / "cache")


def test_an_image_of_which_nobody_says_the_split_is_refused(tmp_path):
    own_set(tmp_path, {"anna": "train", "ben": None})
    with pytest.raises(UnusableInput, match=r"1 of 2 labelled images name no split \(first: ben.png\).*data split"):
        load(tmp_path)
