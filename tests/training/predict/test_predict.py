"""`comedo predict` on rendered faces: what is written, what is refused, and that no photo ends a batch."""

from __future__ import annotations

import json
import shlex
import shutil
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs comedo[train]")
pytest.importorskip("lightning", reason="needs comedo[train]")

from PIL import Image as PillowImage
from typer.testing import CliRunner

from comedo.errors import UnusableInput
from comedo.inference import WEIGHTS
from comedo.photo import read_photo
from comedo.training.cli import app
from comedo.training.predict import trained
from comedo.training.predict.document import json_schema
from comedo.training.predict.trained import open_trained
from comedo.training.runner.answer import Use
from comedo.training.runner.fit import Fitted
from comedo.training.runner.plan import Schedule
from comedo.training.runner.run import export_run
from comedo.training.runner.ship import open_model
from comedo.training.segmentation.task import lesion_probs
from comedo.training.sequence.plan import NetPlan, SequenceRecipe
from comedo.training.sequence.task import SequenceChange
from recipe_trials import look_and_answer, predict, shipped_recipe, small_recipe
from toy_task import Toy, toy_recipe

_ORIENTATION, _GPS, _MAKER = 0x0112, 0x8825, 0x010F


@pytest.fixture(scope="module")
def run(lesion_run):
    return lesion_run[0]


@pytest.fixture
def photos(rendered, tmp_path):
    """Two faces."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("5-0.png", "5-3.png"):
        shutil.copy(rendered / "photos" / name, folder / name)
    return folder


def pixels(path):
    with PillowImage.open(path) as picture:
        return np.asarray(picture)


def test_new_photos_get_the_mask_that_held_back_ones_got(run, rendered):
    for row, answer in look_and_answer(run, rendered, 3):
        assert answer["lesion_count"] == row.found == len(answer["lesions"])
        assert answer["coverage_percent_of_photo"] == pytest.approx(100 * row.covered, abs=1e-4)
        assert answer["lesion_px"] == row.tally.hits + row.tally.false


def test_every_photo_gets_its_files_and_all_one_table(run, photos, tmp_path):
    done, (clear, covered), rows = predict(run, photos, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    names = {f"{stem}{ending}" for stem in ("5-0", "5-3") for ending in (".json", ".overlay.png", ".mask.png")}
    assert {path.name for path in (tmp_path / "out").iterdir()} == names | {"predictions.csv"}
    assert clear["answer"]["lesion_count"] < covered["answer"]["lesion_count"]
    assert done.stdout.splitlines()[1] == f"5-3.png: {covered['sentence']}"
    assert [row["photo"] for row in rows] == ["5-0.png", "5-3.png"]
    assert [int(row["lesion_count"]) for row in rows] == [d["answer"]["lesion_count"] for d in (clear, covered)]
    assert "lesions" not in rows[0]
    opened, photo = open_trained(run), read_photo(photos / "5-3.png")
    probs = lesion_probs(opened.run, photo.image, opened.recipe.crops.photo_side)
    mask = pixels(tmp_path / "out/5-3.mask.png")
    assert (mask == 255 * (probs >= 0.5)).all()
    assert clear["answer"]["lesion_px"] == (pixels(tmp_path / "out/5-0.mask.png") > 0).sum()


def test_shipped_schema_is_the_one_of_the_code():
    shipped = files("comedo.report").joinpath("schema", "prediction-1.schema.json").read_text("utf-8")
    assert json.loads(shipped) == json.loads(json.dumps(json_schema())), "run: make schema"


def test_every_document_says_what_it_is_and_where_it_comes_from(run, photos, tmp_path):
    _, documents, rows = predict(run, photos, "--out", tmp_path / "out")
    entry = json.loads((run / "manifest.json").read_text())["models"][0]
    for document, row in zip(documents, rows, strict=True):
        assert document["schema"] == "comedo.prediction/1"
        assert document["task"] == row["task"] == "lesion-segmentation"
        assert document["model"] == row["model"] == f"lesion-segmentation@sha256:{entry['sha256']}"
        assert "not a medical device" in document["claim"]
        assert document["claim"] == row["claim"]
        assert any("touch are one patch" in sentence for sentence in document["limits"])
        assert document["error"] is None
        (photo,) = document["photos"]
        assert (photo["width"], photo["height"], photo["taken"]) == (216, 288, None)
        assert photo["sha256"] == row["sha256"]
    with PillowImage.open(tmp_path / "out/5-0.mask.png") as picture:
        assert "lesion-segmentation@sha256:" in picture.info["Software"]


def test_a_bad_photo_gets_an_error_and_the_others_go_on(run, photos, tmp_path):
    (photos / "5-1.jpg").write_bytes(b"GIF89a")
    done, documents, rows = predict(run, photos, photos / "absent.png", "--out", tmp_path / "out")
    assert done.exit_code == 2
    assert "5-1.jpg: a photo must be JPEG, PNG, WebP or HEIC, this one is a GIF" in done.stderr
    assert "absent.png: there is no file" in done.stderr
    assert [d["answer"] is None for d in documents] == [False, True, False, True]
    assert documents[1]["error"]["code"] == "unsupported_format"
    assert documents[1]["photos"] == [{"name": "5-1.jpg", "sha256": None, "width": None, "height": None, "taken": None}]
    assert [(r["photo"], r["lesion_count"] == "", r["error_code"]) for r in rows] == [
        ("5-0.png", False, ""),
        ("5-1.jpg", True, "unsupported_format"),
        ("5-3.png", False, ""),
        ("absent.png", True, "unusable_input"),
    ]


def test_a_fault_that_nobody_foresaw_ends_one_photo_alone(run, photos, tmp_path, monkeypatch):
    from comedo.training.segmentation import task

    def fail_once(*arguments, **options):
        monkeypatch.undo()
        raise RuntimeError("strange")

    monkeypatch.setattr(task, "lesion_probs", fail_once)
    done, (strange, good), _ = predict(run, photos, "--out", tmp_path / "out")
    assert done.exit_code == 1
    assert strange["error"]["message"].startswith("unexpected RuntimeError: strange")
    assert good["answer"]["lesion_count"] > 0


def test_nothing_of_the_files_metadata_is_written(run, photos, tmp_path):
    picture = PillowImage.fromarray(pixels(photos / "5-3.png")).transpose(PillowImage.Transpose.ROTATE_90)
    exif = PillowImage.Exif()
    exif[_ORIENTATION], exif[_MAKER] = 6, "Kamerawerk"
    exif.get_ifd(_GPS)[1] = "N"
    picture.save(tmp_path / "turned.jpg", exif=exif, quality=95)
    _, (document,), _ = predict(run, tmp_path / "turned.jpg", "--out", tmp_path / "out")
    assert (document["photos"][0]["width"], document["photos"][0]["height"]) == (216, 288)
    for path in (tmp_path / "out").iterdir():
        assert b"Kamerawerk" not in path.read_bytes()
        if path.suffix == ".png":
            with PillowImage.open(path) as written:
                assert not written.getexif()
                assert set(written.info) <= {"Software", "Comment"}
    assert pixels(tmp_path / "out/turned.mask.png").shape == (288, 216)


def test_files_are_replaced_only_by_those_about_the_same_photo_and_network(run, photos, tmp_path):
    out = tmp_path / "out"
    predict(run, photos / "5-0.png", "--out", out)
    first = (out / "5-0.json").read_bytes()
    predict(run, photos / "5-0.png", "--out", out)
    assert (out / "5-0.json").read_bytes() == first
    assert not (out / "predictions-2.csv").exists()
    shutil.copy(photos / "5-3.png", photos / "5-0.png")
    predict(run, photos / "5-0.png", "--out", out)
    assert (out / "5-0.json").read_bytes() == first
    assert json.loads((out / "5-0-2.json").read_text())["answer"]["lesion_count"] > 0
    assert (out / "predictions-2.csv").exists()
    (out / "6.json").write_text("{}")
    shutil.copy(photos / "5-3.png", photos / "6.png")
    predict(run, photos / "6.png", "--out", out)
    assert (out / "6.json").read_text() == "{}"


def test_an_error_gives_way_to_the_answer_once_the_photo_is_mended(run, photos, tmp_path):
    (photos / "7.png").write_bytes(b"")
    _, (before,), _ = predict(run, photos / "7.png", "--out", tmp_path / "out")
    shutil.copy(photos / "5-3.png", photos / "7.png")
    _, (after,), _ = predict(run, photos / "7.png", "--out", tmp_path / "out")
    assert before["error"]["code"] == "unusable_input"
    assert after["error"] is None


def test_masks_become_labels_patch_by_patch(run, photos, tmp_path):
    done, documents, _ = predict(run, photos, "--out", tmp_path / "out", "--labels", tmp_path / "coco.json")
    assert done.exit_code == 0, done.output
    found = json.loads((tmp_path / "coco.json").read_text())
    assert [c["name"] for c in found["categories"]] == ["lesion"]
    assert len(found["annotations"]) == sum(d["answer"]["lesion_count"] for d in documents)
    assert sorted(a["area"] for a in found["annotations"]) == sorted(
        x["area_px"] for d in documents for x in d["answer"]["lesions"]
    )


def test_another_cut_off_marks_less(run, photos, tmp_path):
    marked = []
    for cut in (0.2, 0.95):
        _, (said,), _ = predict(run, photos / "5-3.png", "--out", tmp_path / str(cut), "--cut-off", cut)
        assert said["answer"]["threshold"] == cut
        marked.append(said["answer"]["lesion_px"])
    assert marked[0] > marked[1]


def test_a_network_that_was_altered_is_refused(run, photos, tmp_path):
    shutil.copytree(run, tmp_path / "run")
    weights = tmp_path / "run/lesion-segmentation.onnx"
    weights.write_bytes(weights.read_bytes()[:-1] + b"!")
    done, *_ = predict(tmp_path / "run", photos, "--out", tmp_path / "out")
    assert done.exit_code == 1
    assert "was altered" in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_network_that_answers_no_numbers_has_no_answer(run, photos, tmp_path, monkeypatch):
    def broken(folder, name):
        ask, traced = open_model(folder, name)
        return lambda arrays: {k: v * np.float32("nan") for k, v in ask(arrays).items()}, traced

    monkeypatch.setattr(trained, "open_model", broken)
    done, documents, _ = predict(run, photos, "--out", tmp_path / "out")
    assert done.exit_code == 1
    assert [(d["answer"], d["error"]["code"]) for d in documents] == [(None, "model_error")] * 2


def test_what_is_no_run_is_told(photos, tmp_path):
    done, *_ = predict(tmp_path / "nowhere", photos, "--out", tmp_path / "out")
    assert done.exit_code == 2
    assert "nowhere holds no run of `comedo train`: there is no manifest.json" in done.stderr


@pytest.mark.weights
def test_face_and_lesion_maps_are_sent_to_analyze(photos, tmp_path):
    done, *_ = predict(WEIGHTS, photos, "--out", tmp_path / "out")
    assert done.exit_code == 2
    assert "used by `comedo analyze PHOTO --models FOLDER`" in done.stderr


def test_a_task_that_answers_nothing_by_itself_says_so():
    with pytest.raises(UnusableInput, match="`comedo predict` does not apply toy"):
        Toy().answers(toy_recipe(), lambda arrays: arrays, Use({}, ""))


def test_a_twin_is_asked_on_demand(run, photos, tmp_path, monkeypatch):
    shutil.copytree(run, tmp_path / "run")
    manifest = tmp_path / "run/manifest.json"
    (tmp_path / "run/lesion-segmentation-int8.onnx").write_bytes((run / "lesion-segmentation.onnx").read_bytes())
    (entry,) = json.loads(manifest.read_text())["models"]
    twin = entry | {"name": "lesion-segmentation-int8", "file": "lesion-segmentation-int8.onnx", "recipe": {}}
    for twin_of, code in ((entry["sha256"], 0), ("of another", 2)):
        manifest.write_text(json.dumps({"models": [entry, twin | {"data": {"twin_of": twin_of}}]}))
        done, documents, _ = predict(tmp_path / "run", photos, "--out", tmp_path / str(code), "--twin")
        assert done.exit_code == code, done.output
        assert all(d["model"].startswith("lesion-segmentation-int8@sha256:") for d in documents)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(["-"], "save what comes on standard input first", id="standard input"),
        pytest.param(["empty"], "holds no photo that comedo reads", id="an empty folder"),
    ],
)
def test_what_is_no_photo_is_told(run, arguments, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    done = CliRunner().invoke(app, ["predict", str(run), *arguments, "--out", "out"], input=b"")
    assert done.exit_code == 2
    assert words in done.stderr


SERIES = SequenceRecipe(
    description="a rehearsal", schedule=Schedule(epochs=1, per_step=1), net=NetPlan(side_px=64, most_photos=4)
)


@pytest.fixture(scope="module")
def untrained(rendered, tmp_path_factory):
    """Runs by the names of the help's examples, exported before they learnt anything."""
    folder = tmp_path_factory.mktemp("untrained")
    small = ("detector.backbone=resnext-tiny", "detector.strides=[4, 8]", "detector.width=16", "pretrained=null")
    known = {
        "severity": small_recipe("severity", "grades=[clear, mild, moderate, severe]", "net.hidden=[4]"),
        "tood": shipped_recipe("detect-tood", "types=[acne, pimple]", *small),
        "sequence-change": (SequenceChange(), SERIES),
    }
    for name, (task, recipe) in known.items():
        out = folder / name
        out.mkdir()
        export_run(task, recipe, Fitted(task.build(recipe, rendered, []).eval(), 0, 0, True), out, about={})
    return folder


def examples() -> list[str]:
    text = " ".join(CliRunner().invoke(app, ["predict", "--help"], env={"COLUMNS": "200"}).output.split())
    return [f"comedo predict {line.split('•')[0].split('╭')[0].strip()}" for line in text.split("comedo predict ")[1:]]


def test_the_examples_of_the_help_run(untrained, photos, rendered, monkeypatch):
    lines = examples()
    assert len(lines) == 3
    for name in ("selfie.jpg", "anna/2026-01-01.jpg", "anna/2026-03-01.jpg"):
        path = photos.parent / name
        path.parent.mkdir(exist_ok=True)
        PillowImage.fromarray(pixels(photos / "5-3.png")).rotate(0 if "03" in name else 2).save(path)
    shutil.copytree(untrained, photos.parent / "runs")
    manifest = photos.parent / "runs/tood/manifest.json"
    known = json.loads(manifest.read_text())
    known["models"][0]["metrics"]["slices"] = {"cut-off acne": 0.0, "cut-off pimple": 0.5}
    manifest.write_text(json.dumps(known))
    monkeypatch.chdir(photos.parent)
    for line in lines:
        words = shlex.split(line)[1:]
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 0, (line, done.output)
        assert (Path(words[words.index("--out") + 1]) / "predictions.csv").exists()
    assert Path("tasks.json").exists()
