"""A planted leak stops the training by every recipe: one person in two splits, or a mirrored copy of one photo."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("torch", reason="needs comedo[train]")
pytest.importorskip("lightning", reason="needs comedo[train]")

from comedo.training.augmentation.mirror import mirror_parts
from comedo.training.leaks import LeakyData
from comedo.training.runner.faces import kept_name
from comedo.training.runner.fit import LAST
from comedo.training.runner.plan import Schedule
from comedo.training.runner.run import open_items, train_run
from comedo.training.sequence.plan import SequenceRecipe
from comedo.training.sequence.series import Course, Series, save_frames
from comedo.training.sequence.task import SequenceChange
from recipe_trials import shipped_recipe

TASKS = {
    "detect-tood": ("types=[acne, pimple]",),
    "detect-atss": ("types=[acne, pimple]", "parts=[forehead, left_cheek]"),
    "lesion-segmentation": (),
    "severity": ("grades=[clear, mild, moderate, severe]",),
    "severity-ordinal": ("grades=[clear, mild, moderate, severe]",),
    "affected": ("least=6",),
}
TRAIN, VAL = "photos/0-3.png", "photos/5-2.png"
MIRRORED = "photos/mirrored.png"
MIRRORED_IN = {"mirrored": "val", "mirrored, tested": "test"}  # leak: split of the copy


@pytest.fixture(scope="module")
def folder(rendered, tmp_path_factory):
    """Three photos of two people, and the first one mirrored; the true face maps are in cache/faces."""
    made = tmp_path_factory.mktemp("leaky")
    (made / "photos").mkdir()
    shutil.copytree(rendered / "cache", made / "cache")
    for name in (TRAIN, "photos/0-2.png", VAL):
        shutil.copyfile(rendered / name, made / name)
    cv2.imwrite(str(made / MIRRORED), cv2.imread(str(made / TRAIN))[:, ::-1])
    faces = made / "cache/faces"
    parts = cv2.imread(str(faces / kept_name(made / TRAIN)), cv2.IMREAD_GRAYSCALE)
    cv2.imwrite(str(faces / kept_name(made / MIRRORED)), mirror_parts(parts))
    return made


def write_labels(rendered: Path, folder: Path, leak: str | None) -> None:
    """The labels of the folder's photos; person 5 is held back."""
    content = json.loads((rendered / "annotations.json").read_text())
    images = {image["file_name"]: image for image in content["images"]}
    kept = [images[name] for name in (TRAIN, "photos/0-2.png", VAL)]
    if leak == "person":
        kept[-1]["group"] = kept[0]["group"]
    if leak == "tested":
        kept[1]["split"] = "test"
    if leak in MIRRORED_IN:
        other = {"id": 999, "file_name": MIRRORED, "group": "somebody else", "split": MIRRORED_IN[leak]}
        kept.append({**images[VAL], **other})
    ids = {image["id"] for image in kept}
    annotations = [a for a in content["annotations"] if a["image_id"] in ids]
    text = json.dumps({**content, "images": kept, "annotations": annotations})
    (folder / "annotations.json").write_text(text)


@pytest.mark.parametrize(
    ("leak", "words"),
    [
        pytest.param("person", "people have photos in more than one split", id="one person on both sides"),
        pytest.param("tested", "more than one split .*in test and train", id="one person in train and test"),
        pytest.param("mirrored", f"{MIRRORED} .val. is a mirrored copy of {TRAIN}", id="a mirrored copy"),
        pytest.param("mirrored, tested", f"{MIRRORED} .test. is a mirrored copy of {TRAIN}", id="a copy in test"),
    ],
)
@pytest.mark.parametrize("name", TASKS)
def test_a_planted_leak_stops_the_training(name, leak, words, folder, rendered, tmp_path):
    write_labels(rendered, folder, leak)
    task, recipe = shipped_recipe(name, *TASKS[name])
    with pytest.raises(LeakyData, match=words):
        train_run(task, recipe, data=folder, out=tmp_path / "run", cache=folder / "cache", quiet=True)
    assert not (tmp_path / "run" / LAST).exists()


@pytest.mark.parametrize("name", TASKS)
def test_without_the_leak_there_is_nothing_to_say(name, folder, rendered):
    write_labels(rendered, folder, None)
    task, recipe = shipped_recipe(name, *TASKS[name], "watch.share=0")
    opened = open_items(task, recipe, folder, folder / "cache")
    assert {item.person for item in opened.learnt}.isdisjoint(item.person for item in opened.held_back)
    assert opened.learnt
    assert opened.held_back
    assert "leaks_allowed" not in opened.about


class Filmed(SequenceChange):
    """The task on series that are there."""

    def __init__(self, series: list[Series]) -> None:
        self.series = series

    def items(self, recipe, root, cache):
        return self.series


@pytest.mark.parametrize("leak", ["person", "mirrored"])
def test_a_planted_leak_stops_the_training_on_series(leak, folder, tmp_path):
    photos = [cv2.resize(cv2.imread(str(folder / name))[60:240, 20:200], (64, 64)) for name in (TRAIN, VAL)]
    held_back = photos[1] if leak == "person" else photos[0][:, ::-1]
    series = [
        Series(f"own/{split}", person, split, "own", Course.SAME, save_frames(tmp_path / f"{split}.npy", [photo] * 2))
        for split, person, photo in (
            ("train", "anna", photos[0]),
            ("val", "anna" if leak == "person" else "ben", np.ascontiguousarray(held_back)),
        )
    ]
    recipe = SequenceRecipe(description="", schedule=Schedule(epochs=1, per_step=1))
    with pytest.raises(LeakyData, match="1 of 1 people" if leak == "person" else "is a mirrored copy of"):
        train_run(Filmed(series), recipe, data=tmp_path, out=tmp_path / "run", quiet=True)
    assert not (tmp_path / "run" / LAST).exists()
