import json
import shutil
from dataclasses import replace

import cv2
import numpy as np
import pytest

pytest.importorskip("torch", reason="needs comedo[train]")

import torch

from comedo.errors import UnusableInput
from comedo.inference import load_network
from comedo.training.fit import Schedule
from comedo.training.leaks import LeakyData
from comedo.training.lesion_crops import CropPlan
from comedo.training.lesion_made import MadePhotos
from comedo.training.recipe import ExportPlan, LesionData, LesionRecipe, OwnPhotos, Validation
from comedo.training.tasks import KINDS, open_data
from comedo.training.teacher import KeepMask
from comedo.training.train import choose_device, export_last, train
from drawn import drawn_face

RECIPE = LesionRecipe(
    description="a rehearsal",
    pretrained=None,
    per_step=2,
    schedule=Schedule(steps=3, warmup=1, save_every_s=0),
    validation=Validation(every=2, batches=1),
    export=ExportPlan(sizes=((64, 64),), terms="none"),
    data=LesionData(own=OwnPhotos("own.json", "photos", 4.7)),
    crops=CropPlan(size=64, shares={"own": 1.0}),
)
WATCHLESS = replace(RECIPE, validation=Validation(batches=0))


@pytest.fixture
def data(tmp_path):
    """Three drawn photos of three people with a red spot each, the last held back."""
    return drawn(tmp_path)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run from start to end; nobody writes into it."""
    folder = tmp_path_factory.mktemp("whole")
    return train(WATCHLESS, data=drawn(folder), out=folder / "run", device="cpu"), folder / "run"


def drawn(tmp_path):
    (tmp_path / "photos").mkdir()
    images, annotations = [], []
    for number in range(3):
        image = np.full((96, 96, 3), (205, 160, 135), np.uint8)
        x, y = 30 + 14 * number, 48
        cv2.circle(image, (x, y), 6, (190, 90, 85), -1)
        cv2.imwrite(str(tmp_path / "photos" / f"{number}.png"), image[..., ::-1])
        split = "val" if number == 2 else "train"
        images.append({"id": number, "file_name": f"{number}.png", "split": split, "group": number})
        annotations.append({"image_id": number, "category_id": 1 + number % 2, "bbox": [x - 6, y - 6, 12, 12]})
    categories = [{"id": 1, "name": "pimple"}, {"id": 2, "name": "spot"}]
    (tmp_path / "own.json").write_text(
        json.dumps({"images": images, "annotations": annotations, "categories": categories})
    )
    return tmp_path


def averaged(folder):
    return torch.load(folder / "last.pt", weights_only=True)["averaged"]


def test_a_training_ends_with_a_network_that_the_runtime_loads(data, tmp_path):
    out = tmp_path / "run"
    entry = train(RECIPE, data=data, out=out, device="cpu")
    maps = load_network("lesion-map", out).run(np.zeros((64, 96, 3), np.uint8))
    assert maps.shape == (6, 32, 48)
    assert entry.parity <= 1e-3
    assert entry.data["photos"] == {"own/train": 2, "own/val": 1}
    assert entry.data["people"] == 3
    assert {"active", "mark", "mask"} <= set(entry.metrics)
    assert entry.recipe["schedule"]["steps"] == 3
    assert "validation" in (out / "log.csv").read_text()


class Killed(BaseException):
    """Like a signal: nothing catches it."""


def dying_after(steps, loss):
    calls = []

    def dying(output, target):
        calls.append(1)
        if len(calls) > steps:
            raise Killed
        return loss(output, target)

    return dying


def test_a_killed_run_goes_on_to_the_same_weights(whole, data, tmp_path, monkeypatch):
    kind = KINDS["lesion-map"]
    with monkeypatch.context() as patch:
        patch.setitem(KINDS, "lesion-map", replace(kind, loss=dying_after(2, kind.loss)))
        with pytest.raises(Killed):
            train(WATCHLESS, data=data, out=tmp_path / "killed", device="cpu")
    assert torch.load(tmp_path / "killed" / "last.pt", weights_only=True)["step"] == 2
    train(WATCHLESS, data=data, out=tmp_path / "killed", device="cpu")
    through, resumed = averaged(whole[1]), averaged(tmp_path / "killed")
    assert all(torch.equal(through[name], resumed[name]) for name in through)


def test_another_seed_gives_other_weights(whole, data, tmp_path):
    other = replace(WATCHLESS, schedule=replace(WATCHLESS.schedule, seed=18))
    assert train(other, data=data, out=tmp_path / "run", device="cpu").sha256 != whole[0].sha256


def test_a_run_is_not_continued_with_another_recipe(whole, data):
    with pytest.raises(UnusableInput, match="holds a run with another recipe"):
        train(replace(WATCHLESS, per_step=3), data=data, out=whole[1], device="cpu")


def test_a_run_is_not_continued_on_other_photos(whole, data, tmp_path):
    run = shutil.copytree(whole[1], tmp_path / "run")
    content = json.loads((data / "own.json").read_text())
    content["images"][2]["split"] = "train"
    (data / "own.json").write_text(json.dumps(content))
    with pytest.raises(UnusableInput, match=r"holds a run on other photos, people or splits .*choose another --out"):
        train(WATCHLESS, data=data, out=run, device="cpu")
    assert json.loads((run / "data.json").read_text()) == whole[0].data
    (run / "last.pt").unlink()  # nothing was learnt yet: the folder is free
    assert train(WATCHLESS, data=data, out=run, device="cpu").data["photos"] == {"own/train": 3}


def test_the_last_checkpoint_can_be_exported_as_it_is(whole, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    for name in ("last.pt", "data.json"):
        shutil.copy(whole[1] / name, run)
    entry = export_last(WATCHLESS, out=run)
    assert (entry.sha256, entry.data) == (whole[0].sha256, whole[0].data)
    with pytest.raises(UnusableInput, match="holds no checkpoint"):
        export_last(WATCHLESS, out=tmp_path / "elsewhere")


def test_a_person_on_both_sides_stops_the_training(data, tmp_path):
    path = data / "own.json"
    content = json.loads(path.read_text())
    content["images"][0]["group"] = content["images"][2]["group"]
    path.write_text(json.dumps(content))
    with pytest.raises(LeakyData, match="1 of 2 people"):
        train(RECIPE, data=data, out=tmp_path / "run", device="cpu")
    assert not (tmp_path / "run" / "last.pt").exists()


def test_a_mirrored_copy_stops_the_training_unless_it_is_allowed(data, tmp_path):
    """The planted leak of the audit: one person's photo, mirrored, held back under another name."""
    face = drawn_face(3)
    cv2.imwrite(str(data / "photos" / "0.png"), face)
    cv2.imwrite(str(data / "photos" / "2.png"), face[:, ::-1])
    with pytest.raises(LeakyData, match="mirrored copy"):
        train(RECIPE, data=data, out=tmp_path / "run", device="cpu")
    assert not (tmp_path / "run" / "last.pt").exists()
    once = replace(WATCHLESS, schedule=replace(WATCHLESS.schedule, steps=1))
    entry = train(once, data=data, out=tmp_path / "run", device="cpu", allow_leaks=True)
    assert entry.data["leaks_allowed"] == ["2.png (val) is a mirrored copy of 0.png (train)"]


def test_made_faces_and_kept_masks_join_the_batches(data):
    crops = CropPlan(size=64, shares={"rendered": 1.0})
    recipe = replace(RECIPE, crops=crops, made=MadePhotos(rendered=1), keep_mask=KeepMask(crops=1))
    batches = open_data(recipe, data)
    pictures, target = batches.train(0)
    assert pictures.shape == (2, 64, 64, 3)
    assert target["kept_mask"].shape == (1, 32, 32)
    assert batches.about["photos"]["rendered/train"] == 1
    assert batches.about["people"] == 4


def test_missing_data_is_named(data, tmp_path):
    absent = replace(RECIPE, data=LesionData(acne04="acne04"))
    with pytest.raises(UnusableInput, match=r"not complete .*--data"):
        train(absent, data=data, out=tmp_path / "a", device="cpu")
    with pytest.raises(UnusableInput, match="no photos to learn from"):
        train(replace(RECIPE, data=LesionData()), data=data, out=tmp_path / "b", device="cpu")
    with pytest.raises(UnusableInput, match="no encoder weights"):
        train(replace(RECIPE, pretrained="w.npz"), data=data, out=tmp_path / "c", device="cpu")


def test_devices():
    assert choose_device("cpu") == "cpu"
    assert choose_device("auto") in ("cpu", "cuda")
    if not torch.cuda.is_available():
        with pytest.raises(UnusableInput, match="no CUDA device"):
            choose_device("cuda")
