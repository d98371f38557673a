from __future__ import annotations

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from comedo.errors import UnusableInput
from comedo.training.data.cli import app
from comedo.training.data.convert import FORMATS, write_dataset
from comedo.training.data.dataset import Dataset
from comedo.training.data.doubts import find_doubts, out_of_fold
from comedo.training.data.doubts_report import doubt_grades
from drawn import sample, save


def test_a_confident_contradiction_is_a_doubt_and_an_unsure_one_is_not():
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.05, 0.95], [0.2, 0.8], [0.3, 0.7], [0.45, 0.55]])
    (worst,) = find_doubts(probabilities, [0, 0, 0, 1, 1, 0])
    assert (worst.row, worst.given, worst.suggested) == (2, 0, 1)
    assert worst.margin == pytest.approx(0.9)


def test_classes_that_no_photo_has_are_never_suggested():
    assert find_doubts(np.array([[0.1, 0.0, 0.9], [0.3, 0.7, 0.0]]), [0, 1]) == []
    assert find_doubts(np.zeros((0, 3)), []) == []
    with pytest.raises(ValueError, match="one row"):
        find_doubts(np.zeros((2, 3)), [0])


def test_planted_mistakes_are_found_by_models_that_have_not_seen_them():
    rng = np.random.default_rng(0)
    true = np.arange(120) % 3
    given = true.copy()
    wrong = [5, 40, 77, 101]
    given[wrong] = (given[wrong] + 1) % 3
    features = rng.normal(0, 0.3, (120, 4)) + 3 * np.eye(3, 4)[true]
    probabilities = out_of_fold(features, given.tolist(), [str(n) for n in range(120)])
    assert set(wrong) <= {d.row for d in find_doubts(probabilities, given.tolist())[:6]}
    assert out_of_fold(features[:8], given[:8].tolist(), list("abcdefgh")) is None


@pytest.fixture
def graded(tmp_path):
    """Plain skin with no spots (grade 0) or many (grade 2); one of each is graded wrongly."""
    samples = []
    for n in range(28):
        rng = np.random.default_rng(n)
        image = np.full((96, 96, 3), (205, 160, 135), np.uint8)
        many = n % 2 == 1
        for _ in range(25 if many else 1):
            x, y = (int(v) for v in rng.integers(8, 88, 2))
            cv2.circle(image, (x, y), 3, (190, 70, 70), -1)
        save(tmp_path / f"{n}.jpg", np.clip(image + rng.normal(0, 4, image.shape), 0, 255).astype(np.uint8))
        grade = 2 * int(many)
        samples.append(sample(f"{n}.jpg", labels=None, width=96, height=96, grade=2 - grade if n in (6, 9) else grade))
    return Dataset(tuple(samples), ("acne",), tmp_path)


def test_the_command_lists_wrong_grades_with_pictures(graded, tmp_path):
    write_dataset(graded, tmp_path / "all.json", FORMATS["coco"])
    done = CliRunner().invoke(app, ["doubts", str(tmp_path / "all.json"), "--out", str(tmp_path / "doubts")])
    assert done.exit_code == 0, done.output
    rows = json.loads((tmp_path / "doubts" / "doubts.json").read_text())["doubts"]
    assert {r["photo"] for r in rows[:2]} == {"6.jpg", "9.jpg"}
    html = (tmp_path / "doubts" / "doubts.html").read_text()
    assert html.count("data:image/jpeg") == len(rows)


def test_too_few_grades_are_said(graded):
    few = replace(graded, samples=graded.samples[:4])
    with pytest.raises(UnusableInput, match="two grades with photos of 10 people"):
        doubt_grades(few)
