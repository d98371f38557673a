"""Each detector from recipe to measured file on rendered skin: trains, is killed, resumes, beats its baseline."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from comedo.errors import UnusableInput
from comedo.training.augmentation.paste import Patch
from comedo.training.command import RECIPES
from comedo.training.detection.answer import choose_cuts
from comedo.training.detection.photos import BoxPhoto, Crops, crops_of, draw_crop, pad
from comedo.training.detection.plan import DetectorKind
from comedo.training.detection.recipe import CropPlan, DetectorRecipe
from comedo.training.detection.serve import without_doubles
from comedo.training.detection.task import DetectLesions
from comedo.training.detection.ways import Way
from comedo.training.figures import Rounds
from comedo.training.predict.trained import open_trained
from comedo.training.runner.answer import Use
from comedo.training.runner.augment import Augment
from comedo.training.runner.registry import read_run
from comedo.training.runner.run import Machine, train_run
from recipe_trials import predict

NAMES = ("detect-tood", "detect-atss", "detect-centernet", "detect-reference")
EPOCHS = 6


def values_of(name: str) -> dict[str, object]:
    return yaml.safe_load((RECIPES / f"{name}.yaml").read_text("utf-8"))


def tiny(name: str) -> DetectorRecipe:
    """A shipped recipe at a size that learns close-ups in seconds."""
    values = values_of(name)
    values |= {"sets": [{"labels": "annotations.json"}], "types": ["red", "brown"], "pretrained": None, "repeats": 8}
    values["detector"] |= {"backbone": "resnext-tiny", "strides": [4, 8], "width": 16, "stacked": 1}
    values["detector"] |= {"anchor_scale": 4.0}  # of photos half as wide as the reference's
    values["crops"] |= {"size": 96}
    values["serve"] |= {"longest": 144, "tile": 96}
    values["schedule"] |= {"epochs": EPOCHS, "per_step": 4, "rate": 6e-3, "encoder_share": 1.0, "warmup": 5}
    task, recipe = read_run(values, name)
    assert isinstance(task, DetectLesions)
    assert isinstance(recipe, DetectorRecipe)
    return recipe


class Killed(Exception):
    pass


class KilledTask(DetectLesions):
    """Dies after a third of its epochs."""

    def loss(self, recipe, net, batch, epoch):
        if epoch == recipe.schedule.epochs // 3:
            raise Killed
        return super().loss(recipe, net, batch, epoch)


@pytest.fixture(scope="module")
def runs(closeups, tmp_path_factory):
    """Runs by name, made when first asked for."""
    made: dict[str, tuple[Path, object]] = {}

    def run(name: str):
        if name not in made:
            out = tmp_path_factory.mktemp(name)
            machine = Machine(device="cpu")
            with pytest.raises(Killed):
                train_run(KilledTask(), tiny(name), data=closeups, out=out, machine=machine, quiet=True)
            result = train_run(
                DetectLesions(), tiny(name), data=closeups, out=out, machine=machine, quiet=True, rounds=Rounds(40)
            )
            made[name] = out, result
        return made[name]

    return run


@pytest.mark.parametrize("name", NAMES)
def test_a_killed_run_goes_on_is_exported_and_beats_its_baseline(name, runs):
    out, result = runs(name)
    assert result.epochs == EPOCHS
    with (out / "log.csv").open() as file:
        assert [int(row["epoch"]) for row in csv.DictReader(file)] == list(range(1, EPOCHS + 1))
    assert result.entry.parity <= 1e-3
    assert [s.name for s in result.evaluation.sections] == ["whole", "slices"]
    for section in result.evaluation.sections:
        figures = {f.name: f for f in section.figures}
        for figure in (figures["mAP50"], figures["mean F1"]):
            assert figure.value > (figure.baseline or 0) + 0.1, (name, section.name, figure)
        low, high = figures["mAP50"].interval_90
        assert low <= figures["mAP50"].value <= high
    assert {"curves-whole.svg", "confusion-slices.svg", "MODEL_CARD.md", "detector.onnx"} <= {
        p.name for p in out.iterdir()
    }


@pytest.mark.parametrize("name", ["detect-tood", "detect-centernet"])
def test_a_killed_run_goes_on_to_the_same_network(name, closeups, tmp_path):
    recipe = tiny(name)
    recipe = replace(recipe, schedule=replace(recipe.schedule, epochs=3, steps=2), ways=(Way.WHOLE,))

    def run(task, out):
        machine = Machine(device="cpu")
        return train_run(task, recipe, data=closeups, out=out, machine=machine, quiet=True, rounds=Rounds(0))

    whole = run(DetectLesions(), tmp_path / "whole")
    with pytest.raises(Killed):
        run(KilledTask(), tmp_path / "killed")
    assert run(DetectLesions(), tmp_path / "killed").entry.sha256 == whole.entry.sha256


@pytest.mark.parametrize("way", Way)
def test_new_photos_get_the_boxes_that_held_back_ones_got_above_the_cut_offs(way, runs, closeups, tmp_path):
    out, _ = runs("detect-atss")
    trained = open_trained(out)
    done, documents, _ = predict(out, closeups / "photos/7.png", "--out", tmp_path / "out", "--way", way)
    assert done.exit_code == 0, done.output
    item = next(i for i in photos_of(closeups, trained.recipe, tmp_path) if i.name == "photos/7.png")
    seen = DetectLesions().look(trained.recipe, trained.run, item).found[way]
    answer = documents[0]["answer"]
    cuts = [trained.metrics[str(way)][f"cut-off {name}"] for name in ("red", "brown")]
    assert list(answer["cut_offs"].values()) == pytest.approx(cuts, abs=1e-4)
    kept = without_doubles(seen.choose(seen.scores >= np.array(cuts)[seen.classes]), 0.5, across_types=True)
    assert len(kept) > 0
    assert np.array([x["box_xyxy"] for x in answer["lesions"]]) == pytest.approx(kept.boxes, abs=1e-2)
    assert [x["score"] for x in answer["lesions"]] == pytest.approx(kept.scores.tolist(), abs=1e-4)
    assert [x["type"] for x in answer["lesions"]] == [("red", "brown")[k] for k in kept.classes]


def test_found_lesions_become_labels_in_the_photos_own_pixels(runs, closeups, tmp_path):
    out, _ = runs("detect-atss")
    options = ("--way", "slices", "--labels", tmp_path / "found.json")
    done, documents, rows = predict(out, closeups / "photos", "--out", tmp_path / "out", *options)
    assert done.exit_code == 0, done.output
    found = json.loads((tmp_path / "found.json").read_text())
    assert [image["file_name"] for image in found["images"]] == [f"{n}.png" for n in range(8)]
    assert {c["name"] for c in found["categories"]} == {"red", "brown"}
    boxes = np.array([a["bbox"] for a in found["annotations"]])
    assert len(boxes) == sum(d["answer"]["lesion_count"] for d in documents) > 0
    assert (boxes[:, :2] >= 0).all()
    assert (boxes[:, :2] + boxes[:, 2:] <= 96).all()
    assert all(0 < a["score"] <= 1 for a in found["annotations"])
    assert [int(row["count_by_type_red"]) for row in rows] == [d["answer"]["count_by_type"]["red"] for d in documents]


def test_labels_that_a_format_cannot_carry_are_refused_before_anything_is_done(runs, closeups, tmp_path):
    out, _ = runs("detect-atss")
    options = ("--labels", tmp_path / "masks", "--format", "masks")
    done, *_ = predict(out, closeups / "photos", "--out", tmp_path / "out", *options)
    assert done.exit_code == 2
    assert "masks cannot carry what a run of detector marks, a box; choose --format coco" in done.stderr
    assert not (tmp_path / "out").exists()


def test_one_cut_off_for_all_types_can_be_asked_for(runs, closeups, tmp_path):
    out, _ = runs("detect-atss")
    counts = []
    for cut in (0.999, 0.05):
        _, (said,), _ = predict(out, closeups / "photos/7.png", "--out", tmp_path / str(cut), "--cut-off", cut)
        assert said["answer"]["cut_offs"] == {"red": cut, "brown": cut}
        counts.append(said["answer"]["lesion_count"])
    assert counts[0] < counts[1]


def test_without_measured_cut_offs_one_must_be_given():
    recipe = tiny("detect-tood")
    measured = {"whole": {"cut-off red": 0.3, "cut-off brown": 0.4}}
    assert choose_cuts(recipe, Use(measured, ""), Way.WHOLE) == (0.3, 0.4)
    with pytest.raises(UnusableInput, match="for the way slices; give one with --cut-off, or choose --way whole"):
        choose_cuts(recipe, Use(measured, ""), Way.SLICES)
    with pytest.raises(UnusableInput, match=r"give one with --cut-off$"):
        choose_cuts(recipe, Use({}, ""), Way.WHOLE)


def photos_of(closeups: Path, recipe: DetectorRecipe, tmp_path: Path) -> list[BoxPhoto]:
    return DetectLesions().items(recipe, closeups, tmp_path)


def test_crops_depend_on_their_random_numbers_alone_and_boxes_follow_the_pixels(closeups, tmp_path):
    recipe = replace(tiny("detect-tood"), augment=Augment(light=0, white_balance=0))
    crops = crops_of(recipe, photos_of(closeups, recipe, tmp_path), learning=True)
    for index in range(6):
        one, same = (crops.draw(index, np.random.default_rng([index, 1])) for _ in range(2))
        assert all(np.array_equal(one[k], same[k]) for k in one)
        reds = [box for box, kind in zip(one["boxes"], one["types"], strict=True) if kind == 0]
        for x0, y0, x1, y1 in np.round(reds).astype(int):
            middle = one["image"][(y0 + y1) // 2, (x0 + x1) // 2].astype(int)
            if min(x0, y0) > 0 and max(x1, y1) < 96:  # a whole one: redder than the crop
                assert middle[0] - middle[1] > np.mean(one["image"][..., 0].astype(int) - one["image"][..., 1]) + 10


def test_a_crop_leaves_boxes_out_that_it_cuts_too_much():
    draw = draw_crop(np.random.default_rng(0), CropPlan(size=64, zoom=(1.0, 1.0)), (64, 64), np.zeros((0, 4)), 64)
    boxes = np.array([[10.0, 10, 20, 20], [-8, 0, 2, 10], [-5, 0, 5, 10], [70, 70, 80, 80]])
    cut, kept = draw.boxes(boxes, 0.5)
    assert kept.tolist() == [True, False, True, False]
    assert cut.tolist() == [[10, 10, 20, 20], [0, 0, 5, 10]]


def test_lesions_of_others_are_pasted_with_their_boxes(closeups, tmp_path):
    recipe = tiny("detect-tood")
    (photo, *_) = photos_of(closeups, recipe, tmp_path)
    weight = np.full((15, 15), 1.0, np.float32)
    patch = Patch(np.full((15, 15, 3), 20, np.uint8), weight, 6.0, 90.0, "brown", "somebody else")
    plan = replace(recipe, augment=Augment(paste=3, paste_share=1.0, light=0, white_balance=0))

    class Everywhere(BoxPhoto):
        def picture(self):
            return replace(super().picture(), parts=np.full((96, 96), 1, np.uint8))

    known = Everywhere(photo.photo, photo.types)
    wide = replace(plan, crops=CropPlan(size=160, zoom=(1.0, 1.0)))
    with_paste = Crops(wide, [known], [patch], True).draw(0, np.random.default_rng(4))
    without = Crops(wide, [known], [], True).draw(0, np.random.default_rng(4))
    assert (with_paste["types"] == 1).sum() > (without["types"] == 1).sum()


def test_the_baseline_calls_red_blobs_the_commonest_type_without_doubles(closeups, tmp_path):
    recipe = tiny("detect-tood")
    strict = replace(recipe, serve=replace(recipe.serve, nms=0.0, most=3))
    photos = photos_of(closeups, recipe, tmp_path)

    class Dotted(BoxPhoto):
        def read(self):
            image = np.full((120, 400, 3), (200, 150, 130), np.uint8)
            for x in range(40, 360, 10):  # so near that their boxes overlap
                image[58:62, x : x + 4] = (220, 40, 40)
            return image

    dotted = Dotted(photos[0].photo, photos[0].types)
    found = DetectLesions().baseline(strict, photos)(dotted).found[Way.WHOLE]
    assert len(found) == 3
    assert len(set(found.classes.tolist())) == 1
    assert (np.diff(found.scores) <= 0).all()


def test_batches_are_padded_with_rows_that_teach_nothing():
    def example(number: int):
        boxes = np.ones((number, 4), np.float32)
        return {"image": np.zeros((2, 2, 3), np.uint8), "boxes": boxes, "types": np.ones(number, np.int64)}

    batch = pad([example(2), example(0)])
    assert batch["types"].tolist() == [[1, 1], [-1, -1]]
    assert batch["boxes"].shape == (2, 2, 4)
    assert pad([example(0)])["boxes"].shape == (1, 0, 4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"types": ["red", "blue"]}, "got red, blue, the photos have brown, red"),
        ({"types": []}, "got none"),
        ({"pretrained": "absent.npz"}, "no encoder weights"),
    ],
)
def test_recipes_that_do_not_fit_the_data_are_refused(change, message, closeups, tmp_path):
    recipe = replace(tiny("detect-tood"), **{k: tuple(v) if isinstance(v, list) else v for k, v in change.items()})
    with pytest.raises(UnusableInput, match=message):
        DetectLesions().build(recipe, closeups, photos_of(closeups, recipe, tmp_path))


@pytest.mark.parametrize("name", NAMES)
def test_shipped_recipes_name_their_detector(name):
    _, recipe = read_run(values_of(name), name)
    wanted = DetectorKind.TOOD if name == "detect-reference" else DetectorKind(name.removeprefix("detect-"))
    assert recipe.detector.kind is wanted
    assert recipe.types == ("acne", "pimple", "spot")
