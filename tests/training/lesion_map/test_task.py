"""The lesion map as a task: from photos of one's own to a network that the run time loads."""

import csv
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace

import cv2
import numpy as np
import pytest

pytest.importorskip("torch", reason="needs comedo[train]")
pytest.importorskip("lightning", reason="needs comedo[train]")

import torch

from comedo.errors import UnusableInput
from comedo.inference import load_network
from comedo.training.figures import Rounds
from comedo.training.leaks import LeakyData
from comedo.training.lesion_map.crops import CropPlan
from comedo.training.lesion_map.judge import MEASURES
from comedo.training.lesion_map.made import MadePhotos
from comedo.training.lesion_map.recipe import LesionData, LesionRecipe, OwnPhotos
from comedo.training.lesion_map.task import LesionMap
from comedo.training.lesion_map.teacher import KeepMask
from comedo.training.networks import Encoder
from comedo.training.quantize import training_pictures
from comedo.training.runner.claim import run_values
from comedo.training.runner.plan import Schedule, Ship, Watch
from comedo.training.runner.run import export_last, train_run
from comedo.training.start import read_convolutions
from drawn import drawn_face
from recipe_trials import Killed

RECIPE = LesionRecipe(
    description="a rehearsal",
    pretrained=None,
    schedule=Schedule(epochs=3, steps=1, per_step=2, warmup=1, average=0.9),
    watch=Watch(share=0.0),
    ship=Ship(terms="none"),
    data=LesionData(own=OwnPhotos("own.json", "photos", 4.7)),
    crops=CropPlan(size=64, shares={"own": 1.0}),
)


def train(recipe, data, out, task=None, **more):
    result = train_run(task or LesionMap(), recipe, data=data, out=out, quiet=True, rounds=Rounds(0), **more)
    assert result is not None
    return result.entry


@pytest.fixture
def data(tmp_path):
    """Three drawn photos of three people with a red spot each, the last held back."""
    return drawn(tmp_path)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run from start to end; nobody writes into it."""
    folder = tmp_path_factory.mktemp("whole")
    return train(RECIPE, drawn(folder), folder / "run"), folder / "run"


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


def weights(folder):
    return torch.load(folder / "last.ckpt", map_location="cpu", weights_only=False)["state_dict"]


def test_a_training_ends_with_a_network_that_the_runtime_loads(whole):
    entry, out = whole
    maps = load_network("lesion-map", out).run(np.zeros((64, 96, 3), np.uint8))
    assert maps.shape == (6, 32, 48)
    assert entry.parity <= 1e-3
    assert entry.data["items"] == {"train": 2, "val": 1}
    assert entry.data["photos"] == {"own/train": 2, "own/val": 1}
    assert entry.data["people"] == 3
    assert {m.name for m in MEASURES} == set(entry.metrics["own"])
    assert entry.metrics["own"]["mask Dice"] is None  # nobody drew one
    assert entry.recipe["schedule"]["epochs"] == 3
    assert "train/active" in (out / "log.csv").read_text().splitlines()[0]


class Dying(LesionMap):
    def loss(self, recipe, net, batch, epoch):
        if epoch == 2:
            raise Killed
        return super().loss(recipe, net, batch, epoch)


def test_a_killed_run_goes_on_to_the_same_weights(whole, data, tmp_path):
    with pytest.raises(Killed):
        train(RECIPE, data, tmp_path / "killed", Dying())
    assert weights(tmp_path / "killed").keys() == weights(whole[1]).keys()
    assert not equal(weights(tmp_path / "killed"), weights(whole[1]))
    train(RECIPE, data, tmp_path / "killed")
    assert equal(weights(tmp_path / "killed"), weights(whole[1]))


def folded_encoder(folder):
    """Weights of an encoder whose norms were folded, as ImageNet's come."""
    torch.manual_seed(5)
    convolutions = [m for m in Encoder().modules() if isinstance(m, torch.nn.Conv2d)]
    arrays = {f"{k:02}.conv.weight": m.weight.detach().numpy() for k, m in enumerate(convolutions)}
    arrays |= {f"{k:02}.conv.bias": 0.3 * torch.randn(len(m.weight)).numpy() for k, m in enumerate(convolutions)}
    np.savez(folder / "folded.npz", **arrays)


class Watching(LesionMap):
    """Remembers whether the network was learning."""

    def __init__(self, dies=False):
        self.dies, self.learning = dies, []

    def loss(self, recipe, net, batch, epoch):
        self.learning += [net.training] if torch.is_grad_enabled() else []
        if self.dies and epoch == 1:
            raise Killed
        return super().loss(recipe, net, batch, epoch)


@pytest.mark.parametrize("begins", ["with folded norms", "with a network", "from nothing"])
def test_what_it_starts_from_is_learnt_on_and_a_kill_changes_nothing(begins, whole, data, tmp_path):
    """Batch norms take the statistics of what they see; frozen stages stay as they start."""
    folded_encoder(data)
    starts = {
        "with folded norms": {"pretrained": "folded.npz"},
        "with a network": {"start": str(whole[1] / "lesion-map.onnx"), "frozen_stages": 2},
        "from nothing": {"frozen_stages": 2},
    }
    recipe = replace(RECIPE, schedule=replace(RECIPE.schedule, epochs=2), **starts[begins])
    task = Watching()
    through = train(recipe, data, tmp_path / "through", task)
    assert task.learning == [True, True]
    with pytest.raises(Killed):
        train(recipe, data, tmp_path / "killed", Watching(dies=True))
    begun = weights(tmp_path / "killed")
    resumed = Watching()
    assert train(recipe, data, tmp_path / "killed", resumed).sha256 == through.sha256
    assert resumed.learning == [True]
    after = weights(tmp_path / "through")
    frozen = tuple(f"net.encoder.{part}." for part in ("stem", "stages.0", "stages.1"))
    if recipe.frozen_stages:
        assert all(torch.equal(begun[name], after[name]) for name in begun if name.startswith(frozen))
    moved = [name for name in begun if name.endswith("running_mean") and not name.startswith(frozen)]
    assert moved
    assert not any(torch.equal(begun[name], after[name]) for name in moved)


def test_what_is_exported_can_be_drawn_back_towards_the_start(whole, data, tmp_path):
    start = whole[1] / "lesion-map.onnx"
    alone = replace(RECIPE, start=str(start))
    train(alone, data, tmp_path / "alone")
    train(replace(alone, of_start=0.25), data, tmp_path / "mean")
    files = (tmp_path / "alone/lesion-map.onnx", start, tmp_path / "mean/lesion-map.onnx")
    for own, begun, mean in zip(*map(read_convolutions, files), strict=True):
        assert np.allclose(mean[0], 0.75 * own[0] + 0.25 * begun[0], atol=1e-5)
    assert json.loads((tmp_path / "mean/manifest.json").read_text())["models"][0]["recipe"]["of_start"] == 0.25


@pytest.mark.parametrize(("start", "share"), [(None, 0.5), ("shipped", 1.0), ("shipped", -0.1)])
def test_a_share_of_no_start_or_beyond_the_whole_is_refused(start, share):
    with pytest.raises(UnusableInput, match="of_start"):
        replace(RECIPE, start=start, of_start=share)


def test_others_can_be_watched(data, tmp_path):
    content = json.loads((data / "own.json").read_text())
    for number in range(3, 9):  # enough people to learn from and to watch
        shutil.copyfile(data / "photos" / "0.png", data / "photos" / f"{number}.png")
        content["images"].append({"id": number, "file_name": f"{number}.png", "split": "train", "group": number})
    (data / "own.json").write_text(json.dumps(content))
    train(replace(RECIPE, watch=Watch(share=0.4)), data, tmp_path / "run")
    (first, *_) = csv.DictReader((tmp_path / "run/log.csv").read_text().splitlines())
    assert float(first["watch/loss"]) > 0
    assert (tmp_path / "run/best.ckpt").exists()


def equal(one, other):
    return all(torch.equal(value, other[name]) for name, value in one.items())


def test_another_seed_gives_other_weights(whole, data, tmp_path):
    other = replace(RECIPE, schedule=replace(RECIPE.schedule, seed=18))
    assert train(other, data, tmp_path / "run").sha256 != whole[0].sha256


def test_a_run_is_not_continued_with_another_recipe_or_on_other_photos(whole, data, tmp_path):
    run = shutil.copytree(whole[1], tmp_path / "run")
    with pytest.raises(UnusableInput, match="holds a run with another recipe"):
        train(replace(RECIPE, start="shipped"), data, run)
    content = json.loads((data / "own.json").read_text())
    content["images"][2]["split"] = "train"
    (data / "own.json").write_text(json.dumps(content))
    with pytest.raises(UnusableInput, match=r"holds a run on other photos, people or splits .*choose another --out"):
        train(RECIPE, data, run)
    (run / "last.ckpt").unlink()  # nothing was learnt yet: the folder is free
    assert train(RECIPE, data, run).data["items"] == {"train": 3}


def test_the_last_checkpoint_can_be_exported_as_it_is(whole, data, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    shutil.copy(whole[1] / "last.ckpt", run)
    entry = export_last(LesionMap(), RECIPE, data=data, out=run)
    assert (entry.sha256, entry.data) == (whole[0].sha256, whole[0].data)
    with pytest.raises(UnusableInput, match="holds no checkpoint"):
        export_last(LesionMap(), RECIPE, data=data, out=tmp_path / "elsewhere")


def test_a_person_on_both_sides_stops_the_training(data, tmp_path):
    path = data / "own.json"
    content = json.loads(path.read_text())
    content["images"][0]["group"] = content["images"][2]["group"]
    path.write_text(json.dumps(content))
    with pytest.raises(LeakyData, match="1 of 2 people"):
        train(RECIPE, data, tmp_path / "run")
    assert not (tmp_path / "run" / "last.ckpt").exists()


def test_a_mirrored_copy_stops_the_training_unless_it_is_allowed(data, tmp_path):
    """The planted leak of the audit: one person's photo, mirrored, held back under another name."""
    face = drawn_face(3)
    cv2.imwrite(str(data / "photos" / "0.png"), face)
    cv2.imwrite(str(data / "photos" / "2.png"), face[:, ::-1])
    with pytest.raises(LeakyData, match="mirrored copy"):
        train(RECIPE, data, tmp_path / "run")
    assert not (tmp_path / "run" / "last.ckpt").exists()
    once = replace(RECIPE, schedule=replace(RECIPE.schedule, epochs=1))
    entry = train(once, data, tmp_path / "run", allow_leaks=True)
    assert entry.data["leaks_allowed"] == ["2.png (val) is a mirrored copy of 0.png (train)"]


def drawn_batch(recipe, data, *, learning=True, number=4):
    task = LesionMap()
    items = [p for p in task.items(recipe, data, data) if p.split == "train"]
    examples = task.examples(recipe, items, learning=learning)
    return examples, task.collate([examples.draw(i, np.random.default_rng([1, i])) for i in range(number)])


def test_made_faces_and_kept_masks_join_the_crops_that_are_learnt_from(data):
    crops = CropPlan(size=64, shares={"own": 0.5, "rendered": 0.5})
    recipe = replace(RECIPE, crops=crops, made=MadePhotos(rendered=1), keep_mask=KeepMask(crops=1))
    examples, batch = drawn_batch(recipe, data, number=12)
    assert examples.number == 3
    assert batch["image"].shape == (12, 64, 64, 3)
    assert batch["kept_mask"].shape == (12, 32, 32)
    assert 0 < float(batch["kept"].sum()) < 12  # one of two on average
    assert float(batch["kept_mask"][batch["kept"] == 0].abs().max()) == 0
    assert drawn_batch(recipe, data, learning=False)[0].number == 2


def test_a_network_whose_masks_are_kept_is_read_before_anything_is_learnt(data, tmp_path):
    with pytest.raises(UnusableInput, match=r"no\.onnx whose masks are to be kept"):
        train(replace(RECIPE, keep_mask=KeepMask(weights="no.onnx")), data, tmp_path / "run")


def test_made_photos_and_their_share_go_together(data, tmp_path):
    with pytest.raises(UnusableInput, match=r"made.rendered is 2 and crops.shares.rendered 0; give"):
        replace(RECIPE, made=MadePhotos(rendered=2))
    with pytest.raises(UnusableInput, match=r"made.pasted is 0 and crops.shares.pasted 0.5"):
        replace(RECIPE, crops=CropPlan(shares={"own": 0.5, "pasted": 0.5}))
    both = replace(RECIPE, made=MadePhotos(pasted=2), crops=CropPlan(size=64, shares={"own": 0.5, "pasted": 0.5}))
    with pytest.raises(UnusableInput, match="wants lesions of crops1024 and faces of clear among the training photos"):
        train(both, data, tmp_path / "run")


def test_pictures_for_an_8_bit_twin_are_those_that_are_learnt_from(data):
    values = run_values(replace(RECIPE, keep_mask=KeepMask(weights="gone.onnx")))  # nobody asks what is kept
    pictures = training_pictures(values, "ours", data, 5)
    assert [p.shape for p in pictures] == [(64, 64, 3)] * 5
    assert not all((p == pictures[0]).all() for p in pictures)


def test_a_photo_that_is_gone_is_named(data, tmp_path):
    (data / "photos" / "1.png").unlink()
    with pytest.raises(UnusableInput, match=r"not complete .*1\.png.*--data"):
        train(RECIPE, data, tmp_path / "run")


def test_missing_data_is_named(data, tmp_path):
    absent = replace(RECIPE, data=LesionData(acne04="acne04"))
    with pytest.raises(UnusableInput, match=r"not complete .*--data"):
        train(absent, data, tmp_path / "a")
    with pytest.raises(UnusableInput, match="nothing to learn from"):
        train(replace(RECIPE, data=LesionData()), data, tmp_path / "b")
    with pytest.raises(UnusableInput, match="no encoder weights"):
        train(replace(RECIPE, pretrained="w.npz"), data, tmp_path / "c")


def test_two_processes_train_it_as_one_does_and_it_joins_a_weights_folder(data, tmp_path, whole):
    """Losses within a half: each process's batch norms see one of the two small crops of a step."""
    (tmp_path / "ours.yaml").write_text(json.dumps(run_values(RECIPE)))
    command = [sys.executable, "-m", "comedo.training.cli", "train", "ours.yaml", "--data", ".", "--out", "two"]
    done = subprocess.run(
        [*command, "--device", "cpu", "--devices", "2", "--weights", "weights"],
        cwd=data,
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    two, one = (
        [float(row["train/loss"]) for row in csv.DictReader((out / "log.csv").read_text().splitlines())]
        for out in (data / "two", whole[1])
    )
    assert two == pytest.approx(one, rel=0.5)
    assert load_network("lesion-map", data / "weights").run(np.zeros((64, 64, 3), np.uint8)).shape == (6, 32, 32)
