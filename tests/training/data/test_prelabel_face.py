"""A rendered face through `comedo data prelabel` with the shipped networks, to the annotation tools and back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from cases import rendered_sample
from comedo.build import default_analyzer
from comedo.training.data.cli import app
from comedo.training.data.convert import FORMATS, read_dataset, write_dataset
from comedo.training.data.dataset import Circle
from comedo.training.data.prelabel import RATER, prelabel
from comedo.types import FaceAnalysis, Group, Kind

pytestmark = pytest.mark.weights

FILES = {"cvat": "found.xml", "label-studio": "found.json", "coco": "coco.json"}
COMMANDED = "label-studio"


def run(*arguments):
    done = CliRunner().invoke(app, [str(a) for a in arguments])
    assert done.exit_code == 0, done.output
    return done


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> Path:
    """A folder with the rendered face."""
    folder = tmp_path_factory.mktemp("prelabel") / "photos"
    (folder / "visit").mkdir(parents=True)
    cv2.imwrite(str(folder / "visit/face.png"), cv2.cvtColor(rendered_sample().image, cv2.COLOR_RGB2BGR))
    return folder


@pytest.fixture(scope="module")
def analysis(photos):
    return default_analyzer().analyze(photos / "visit/face.png", allow_poor=True)


@dataclass
class Known:
    """Has looked at the photo already."""

    analysis: FaceAnalysis

    def analyze(self, source: Path, *, allow_poor: bool = False) -> FaceAnalysis:
        assert allow_poor
        return self.analysis


@pytest.fixture(scope="module")
def found(photos, analysis):
    """The labels as each tool's file gives them back; one file is the command's, whose networks look themselves."""
    files = {kind: photos.parent / name for kind, name in FILES.items()}
    said = run("prelabel", photos, "--format", COMMANDED, "--out", files[COMMANDED])
    assert "1 photos, " in said.stderr
    labels = prelabel(photos, Known(analysis))
    for kind in FILES.keys() - {COMMANDED}:
        write_dataset(labels, files[kind], FORMATS[kind])
    return {kind: read_dataset(path, FORMATS[kind], photos=photos) for kind, path in files.items()}


@pytest.mark.parametrize("kind", FILES)
def test_every_finding_comes_back_as_it_was(kind, found, analysis):
    (sample,) = found[kind].samples
    assert (sample.photo, sample.width, sample.height) == ("visit/face.png", analysis.width, analysis.height)
    assert len(sample.marks) == len(analysis.lesions) > 10
    for label, lesion in zip(sample.marks, analysis.lesions, strict=True):
        x, y = lesion.center_xy
        assert label.shape == Circle((x + 0.5, y + 0.5), lesion.diameter_px / 2)
        assert (label.category, label.rater) == (str(lesion.group), RATER)
        assert label.score == pytest.approx(lesion.score, abs=5e-5)


@pytest.mark.parametrize("kind", ["cvat", "label-studio"])
def test_the_way_on_to_coco_loses_nothing(kind, found, photos):
    back = photos.parent / f"back-{kind}.json"
    run("convert", photos.parent / FILES[kind], back, "--from", kind, "--to", "coco", "--photos", photos)
    assert read_dataset(back, FORMATS["coco"], photos=photos).samples == found["coco"].samples


def test_what_is_found_lies_on_the_lesions_that_were_drawn(found):
    true = [lesion for lesion in rendered_sample().lesions if lesion.visible]
    middles = np.array([lesion.center_xy for lesion in true]) + 0.5
    reach = np.array([lesion.diameter_px for lesion in true])
    active = [label for label in found["coco"].samples[0].marks if label.category != Group.MARK]
    places = np.array([label.shape.center_xy for label in active])
    near = np.linalg.norm(places[:, None] - middles, axis=2) < reach
    assert near.any(1).mean() >= 0.5, "findings that lie on a lesion"
    large = [x.kind in (Kind.PAPULE, Kind.PUSTULE, Kind.NODULE) and x.diameter_mm >= 2.5 for x in true]
    assert near.any(0)[large].mean() >= 0.4, "large inflamed lesions that are found"
