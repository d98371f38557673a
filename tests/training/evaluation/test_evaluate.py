import io
import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
from rich.console import Console

from comedo.errors import UnusableInput
from comedo.training.evaluation.evaluate import Plan, evaluate, predict_all
from comedo.training.evaluation.predictors import Prediction
from comedo.training.evaluation.report import print_tables, to_json, to_markdown
from comedo.training.evaluation.truth import read_coco, read_folder
from comedo.training.evaluation.worst import draw_worst
from comedo.training.figures import Rounds
from comedo.types import Group, Part

SPOTS = [(20, 20, 3), (60, 40, 3)]
PLAN = Plan(rounds=Rounds(20), quiet=True)


class FakePredictor:
    """Finds what it was told, photo by photo."""

    name = "fake"

    def __init__(self, *answers):
        self.answers = list(answers)

    def predict(self, image):
        assert image.shape[2] == 3
        return self.answers.pop(0)


def found(*rows, **more):
    circles = np.asarray(rows, np.float32).reshape(-1, 3)
    return Prediction(circles, np.full(len(rows), 0.8), (Group.INFLAMMATORY,) * len(rows), **more)


@pytest.fixture
def coco(tmp_path):
    """Two photos of two people in each of two folders, two lesions each; the last is for training."""
    images, annotations = [], []
    for number, name in enumerate(["crops/a.png", "crops/b.png", "frames/a.png", "frames/c.png"], 1):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        cv2.imwrite(str(path), np.full((80, 100, 3), 150, np.uint8))
        split = "train" if name == "frames/c.png" else "val"
        images.append({"id": number, "file_name": name, "split": split, "group": name[-5], "grade": number % 2})
        for x, y, r in SPOTS:
            box = [x - r, y - r, 2 * r, 2 * r]
            annotations.append({"image_id": number, "category_id": 1, "bbox": box, "circle": [x, y, r]})
    path = tmp_path / "annotations.json"
    path.write_text(
        json.dumps({"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "acne"}]})
    )
    return path


def run(truth, *answers, plan=PLAN):
    predictions = predict_all(FakePredictor(*answers), truth.photos, quiet=True)
    measured = evaluate(truth, predictions, plan, data="drawn", split="val", predictor="fake")
    return measured.evaluation, predictions


def figure(evaluation, section, name):
    return next(f for s in evaluation.sections if s.name == section for f in s.figures if f.name == name)


def test_each_scale_of_input_has_its_section(coco):
    truth = read_coco(coco, coco.parent, split="val")
    result, _ = run(truth, found(*SPOTS, grade=1), None, found(SPOTS[0], (90, 70, 2), grade=1))
    assert [(s.name, s.photos, s.people) for s in result.sections] == [("crops", 2, 2), ("frames", 1, 1)]
    assert figure(result, "crops", "recall").value == 0.5
    assert figure(result, "crops", "recall").interval_90 == (0, 1)
    assert figure(result, "crops", "faces found").value == 0.5
    assert figure(result, "frames", "F1").value == 0.5
    assert figure(result, "frames", "F1").interval_90 is None  # one person
    assert figure(result, "crops", "F1").baseline == 0  # a grey wall has no redness
    assert figure(result, "crops", "count error").baseline == 0  # two, as in the photo for training
    assert figure(result, "crops", "grade error").value == 0
    assert any("outside the split" in note for note in result.notes)


def test_each_scale_of_input_has_its_pictures(coco):
    truth = read_coco(coco, coco.parent, split="val")
    places = {"crops": "eyes, 1 m", "frames": "eyes (1 m)"}  # names of files would be the same
    photos = tuple(replace(p, scale=places[p.scale]) for p in truth.photos)
    measured = evaluate(replace(truth, photos=photos), [found(*SPOTS)] * 3, PLAN, data="", split="", predictor="")
    kinds = ("precision-recall", "calibration", "counts")
    assert set(measured.pictures) == {f"{kind}-eyes-1-m-{n}" for kind in kinds for n in (1, 2)}
    assert "photos (2)" in measured.pictures["counts-eyes-1-m-2"]
    assert "photos (1)" in measured.pictures["counts-eyes-1-m-1"]


def test_a_threshold_does_not_touch_the_baseline(coco):
    truth = read_coco(coco, coco.parent, split="val", only="crops")
    result, _ = run(truth, found(*SPOTS), None, plan=Plan(threshold=0.99, rounds=Rounds(0), quiet=True))
    assert figure(result, "crops", "recall").value == 0
    assert figure(result, "crops", "count error").value == 2
    assert figure(result, "crops", "count error").baseline == 0  # the mean count still stands


def test_the_report_is_json_markdown_and_a_table(coco):
    truth = read_coco(coco, coco.parent, split="val", only="crops")
    result, _ = run(truth, found(*SPOTS), None)
    document = json.loads(to_json(result))
    assert document["schema"] == "comedo.evaluation/1"
    assert document["sections"][0]["figures"][2]["name"] == "recall"
    assert document["sections"][0]["figures"][2]["value"] == 0.5
    assert "| recall | 0.500 | 0.000 to 1.000 | 0.000 |" in to_markdown(result)
    console = Console(record=True, width=200, file=io.StringIO())
    print_tables(result, console)
    assert "crops: 2 photos of 2 people" in console.export_text()


def test_the_worst_photos_are_drawn_first(coco, tmp_path):
    truth = read_coco(coco, coco.parent, split="val")
    _, predictions = run(truth, found(*SPOTS), None, found(SPOTS[0]))
    written = draw_worst(truth.photos, predictions, tmp_path / "worst", number=2)
    assert [p.name for p in written] == ["01_crops_b.jpg", "02_frames_a.jpg"]
    picture = cv2.imread(str(written[0]), cv2.IMREAD_COLOR_RGB)
    red = (picture[..., 0] > 200) & (picture[..., 1] < 110)
    assert picture.shape[1] == 1024
    assert red[170:260, 160:260].any()  # the missed one at (20, 20), enlarged


def masked(folder, values):
    for part, picture in (("images", np.full((16, 16, 3), 150, np.uint8)), ("masks", values)):
        (folder / part).mkdir()
        for name in "ab":
            cv2.imwrite(str(folder / part / f"{name}.png"), picture)
    return folder


def test_lesion_masks(tmp_path):
    true = np.zeros((16, 16), np.uint8)
    true[:4] = 255
    truth = read_folder(masked(tmp_path, true))
    result, _ = run(truth, found(mask=true > 0), found(mask=true > 300))
    assert figure(result, tmp_path.name, "mask Dice").value == 0.5
    assert figure(result, tmp_path.name, "mask Dice").baseline == 0


def test_face_maps(tmp_path):
    true = np.full((16, 16), Part.NOSE, np.uint8)
    truth = read_folder(masked(tmp_path, true))
    plan = Plan(labels="comedo", rounds=Rounds(0), quiet=True)
    result, _ = run(truth, found(parts=true), None, plan=plan)
    assert figure(result, tmp_path.name, "IoU nose").value == 0.5
    assert figure(result, tmp_path.name, "faces found").value == 0.5


def test_predictions_without_masks_are_refused(tmp_path):
    truth = read_folder(masked(tmp_path, np.zeros((16, 16), np.uint8)))
    with pytest.raises(UnusableInput, match=r"no lesion-mask for a\.png"):
        run(truth, found(), found())


def test_photos_alone(tmp_path):
    masked(tmp_path, np.zeros((16, 16), np.uint8))
    result, _ = run(read_folder(tmp_path / "images"), found(*SPOTS, affected=True), None)
    assert figure(result, "images", "faces found").value == 0.5
    assert figure(result, "images", "lesions, median").value == 2
    assert figure(result, "images", "acne affected").value == 1
