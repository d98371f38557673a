"""The commands from outside: what they write, what they say, how they end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from builders import make_analysis, make_image
from comedo.errors import DamagedPhoto, NoFaceFound
from comedo.training.cli import app as training
from comedo.training.data.cli import FormatName, app
from comedo.training.data.convert import FORMATS, read_dataset, write_dataset
from comedo.training.data.dataset import Circle
from comedo.training.data.prelabel import PrelabelShape, prelabel
from drawn import save


def run(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


@pytest.mark.parametrize("command", ["convert", "prelabel", "audit", "split", "doubts", "preview"])
def test_help_shows_an_example(command):
    shown = CliRunner().invoke(training, ["data", command, "--help"])
    assert shown.exit_code == 0
    assert "comedo data" in shown.output


def test_the_command_line_knows_every_format():
    assert [name.value for name in FormatName] == list(FORMATS)


def test_convert_there_and_back(people):
    path = people.folder / "all.json"
    write_dataset(people, path, FORMATS["coco"])
    for kind in ("yolo", "voc", "cvat", "label-studio"):
        middle = people.folder / (f"{kind}.xml" if kind == "cvat" else f"{kind}.json" if "-" in kind else kind)
        there = run("convert", path, middle, "--to", kind)
        assert there.exit_code == 0, there.output
        assert "6 photos, 6 labels" in there.stderr
        back = people.folder / "back.json"
        done = run("convert", middle, back, "--to", "coco", "--photos", people.folder)
        assert done.exit_code == 0, done.output
        assert read_dataset(back) == people


def test_what_cannot_be_carried_is_said(people):
    write_dataset(people, people.folder / "all.json", FORMATS["coco"])
    done = run("convert", people.folder / "all.json", people.folder / "m", "--to", "masks")
    assert done.exit_code == 2
    assert "--shapes mask" in done.stderr
    assert run("convert", people.folder / "none", "x", "--to", "coco").exit_code == 2


class FakeAnalyzer:
    """Finds the drawn lesions on some photos, and nothing on others."""

    def analyze(self, source, *, allow_poor=False):
        assert allow_poor
        if source.stem == "empty":
            raise NoFaceFound("no face")
        if source.stem == "broken":
            raise DamagedPhoto("broken")
        return make_analysis()


@pytest.mark.parametrize("kind", ["cvat", "label-studio", "coco"])
def test_prelabelling_says_what_was_found_and_how_sure(tmp_path, kind):
    for name in ("face", "empty", "broken"):
        save(tmp_path / "photos" / f"{name}.jpg", make_image())
    said: list[str] = []
    found = prelabel(tmp_path / "photos", FakeAnalyzer(), tell=said.append)
    empty, face = found.samples
    assert empty.labels is None
    assert len(face.marks) == 5
    first = next(label for label in face.marks if label.score == 0.41)
    assert (first.category, first.rater) == ("inflammatory", "comedo")
    assert first.shape == Circle((120.5, 262.5), 4.0)
    assert [line.split(":")[0] for line in said] == ["broken.jpg", "empty.jpg"]
    path = tmp_path / ("a.xml" if kind == "cvat" else "a.json")
    write_dataset(found, path, FORMATS[kind])
    assert read_dataset(path, photos=tmp_path / "photos").samples == found.samples
    if kind == "label-studio":
        tasks = json.loads(path.read_text())
        assert tasks[1]["predictions"][0]["model_version"] == "comedo"
        assert "<EllipseLabels" in (tmp_path / "a.config.xml").read_text()


def test_prelabelling_can_draw_boxes(tmp_path):
    save(tmp_path / "face.jpg", make_image())
    labels = prelabel(tmp_path, FakeAnalyzer(), shape=PrelabelShape.BOX).samples[0].marks
    assert (66.0, 176.0, 74.0, 184.0) in [label.bounds_xyxy for label in labels]


@pytest.mark.parametrize("arguments", [["--changes", "sparkle"], ["--changes", ""]])
def test_an_unknown_change_is_refused(people, arguments):
    write_dataset(people, people.folder / "all.json", FORMATS["coco"])
    done = run("preview", people.folder / "all.json", *arguments)
    assert done.exit_code == 2
    assert "--changes knows roll, paste" in done.stderr


@pytest.mark.weights
def test_preview_writes_a_picture_without_metadata(people, tmp_path):
    from PIL import Image

    write_dataset(people, people.folder / "all.json", FORMATS["coco"])
    out = tmp_path / "sheet.png"
    done = run("preview", people.folder / "all.json", "--out", out, "--changes", "mirror,light", "--number", 2)
    assert done.exit_code == 0, done.output
    with Image.open(out) as sheet:
        assert sheet.size == (3 * 230, 22 + 2 * 230)
        assert not sheet.getexif()
    assert Path(out).stat().st_size > 1000
