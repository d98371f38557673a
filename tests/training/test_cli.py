import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

import comedo
from comedo.errors import UnusableInput
from comedo.training.cli import RECIPES, app, find_recipe, recipe_names


def run(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


@pytest.mark.parametrize("command", ["train", "quantize", "calibrate", "evaluate"])
def test_help_shows_examples(command):
    shown = run(command, "--help")
    assert shown.exit_code == 0
    assert f"comedo {command}" in shown.output
    assert 'pip install ".[train]"' in shown.output


def test_recipes_are_found_by_name_and_by_path(tmp_path):
    assert find_recipe("lesion-map") == RECIPES / "lesion-map.yaml"
    mine = tmp_path / "mine.yaml"
    mine.write_text("")
    assert find_recipe(str(mine)) == mine
    with pytest.raises(UnusableInput, match=r"no recipe 'sky'.* face-map, .*lesion-map"):
        find_recipe("sky")


def test_recipes_are_part_of_the_package():
    assert {"face-map", "lesion-map", "lesion-map-fine"} <= set(recipe_names())
    package = Path(comedo.__file__).parent
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))
    shipped = {p for pattern in project["tool"]["setuptools"]["package-data"]["comedo"] for p in package.glob(pattern)}
    assert set(RECIPES.glob("*")) <= shipped


@pytest.fixture
def marked(tmp_path):
    """One photo with one lesion, and the line that finds it."""
    cv2.imwrite(str(tmp_path / "a.png"), np.full((80, 100, 3), 150, np.uint8))
    lesion = {"image_id": 1, "category_id": 1, "bbox": [17, 17, 6, 6]}
    image = {"id": 1, "file_name": "a.png", "split": "val", "group": 1}
    path = tmp_path / "coco.json"
    path.write_text(json.dumps({"images": [image], "annotations": [lesion], "categories": [{"id": 1, "name": "acne"}]}))
    found = {"center_xy": [20, 20], "diameter_px": 6, "score": 0.9, "group": "inflammatory"}
    line = {"schema": "comedo.analysis/1", "photo": {"name": "a.png"}, "lesions": [found], "counts": {"total": 1}}
    (tmp_path / "lines.jsonl").write_text(json.dumps(line) + "\n")
    return path


def test_evaluate_writes_curves_into_a_folder(marked):
    folder = marked.parent
    done = run("evaluate", marked, "--predictions", folder / "lines.jsonl", "--rounds", 0, "--out", folder / "new/out")
    assert done.exit_code == 0, done.output
    out = folder / "new/out"
    names = {"precision-recall-photos", "calibration-photos", "counts-photos"}
    assert {p.name for p in out.iterdir()} == {"evaluation.json", "evaluation.md", *(f"{n}.svg" for n in names)}
    assert (out / "evaluation.json").read_text() == done.stdout.removesuffix("\n")
    assert all(f"![{name}]({name}.svg)" in (out / "evaluation.md").read_text() for name in names)
    assert "3 pictures" in done.stderr


def test_a_file_is_no_folder_for_curves(marked):
    done = run("evaluate", marked, "--predictions", marked.parent / "lines.jsonl", "--out", marked)
    assert done.exit_code == 2
    assert "a file where a folder is wanted; name a folder with --out" in done.stderr
    assert done.stdout == ""


def test_evaluate_writes_json_tables_markdown_and_pictures(marked):
    folder = marked.parent
    done = run(
        "evaluate", marked, "--predictions", folder / "lines.jsonl", "--rounds", 10,
        "--markdown", folder / "card.md", "--pictures", folder / "worst",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    figures = {f["name"]: f["value"] for f in json.loads(done.stdout)["sections"][0]["figures"]}
    assert (figures["F1"], figures["count error"]) == (1, 0)
    assert "photos: 1 photos" in done.stderr
    assert "| F1 | 1.000 |" in (folder / "card.md").read_text()
    assert [p.name for p in (folder / "worst").iterdir()] == ["01_a.jpg"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["--split", "test"], "no images of split 'test'", id="an absent split"),
        pytest.param(["--types", "acne=red"], "--types wants name=group", id="an unknown group"),
    ],
)
def test_mistakes_end_with_one_sentence_and_code_2(marked, arguments, message):
    done = run("evaluate", marked, *arguments)
    assert done.exit_code == 2
    assert message in done.stderr
    assert done.stdout == ""


def test_absent_data_and_recipes_end_with_code_2(tmp_path):
    assert run("evaluate", tmp_path / "none").exit_code == 2
    assert run("train", "sky").exit_code == 2


def test_only_maps_belong_into_a_weights_folder(tmp_path, monkeypatch):
    pytest.importorskip("lightning", reason="needs comedo[train]")
    monkeypatch.chdir(tmp_path)
    done = run("train", "severity", "--weights", "w")
    assert done.exit_code == 2
    assert "severity makes no face or lesion map for a weights folder; leave --weights out" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_measuring_needs_no_torch():
    names = ("cli", "evaluation.evaluate", "evaluation.shipped")
    code = f"import sys, {', '.join(f'comedo.training.{name}' for name in names)}; print(*sys.modules)"
    paths = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=paths)
    assert "torch" not in loaded.stdout.split()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        pytest.param([], 2, "--weights", id="no weights named"),
        pytest.param(["--weights", "w"], 2, "give its folder with --data", id="no data"),
        pytest.param(["--weights", "w", "--recipe", "face-map"], 2, "name a lesion-map", id="the wrong recipe"),
    ],
)
def test_calibration_says_what_it_lacks(tmp_path, monkeypatch, arguments, code, message):
    monkeypatch.chdir(tmp_path)
    done = run("calibrate", *arguments)
    assert done.exit_code == code
    assert message in done.stderr
    assert list(tmp_path.iterdir()) == []
