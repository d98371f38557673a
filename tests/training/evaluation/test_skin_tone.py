"""Bands of skin tone for reporting."""

import numpy as np
import pytest

from comedo.training.evaluation.predictors import Prediction
from comedo.training.evaluation.skin_tone import DARKEST, UNKNOWN, by_tone, ita_deg, tone_band
from comedo.training.evaluation.truth import LabelledPhoto
from comedo.types import Part


@pytest.mark.parametrize(
    ("angle", "band"),
    [
        pytest.param(None, UNKNOWN, id="no-skin"),
        pytest.param(60.0, "lighter skin, ITA over 41", id="light"),
        pytest.param(41.0, "intermediate skin, ITA 10 to 41", id="bound-belongs-below"),
        pytest.param(20.0, "intermediate skin, ITA 10 to 41", id="tan"),
        pytest.param(10.0, DARKEST, id="brown-bound"),
        pytest.param(-45.0, DARKEST, id="dark"),
    ],
)
def test_band(angle, band):
    assert tone_band(angle) == band


def test_too_little_skin_is_not_assessed():
    parts = np.full((40, 40), Part.OTHER, np.uint8)
    parts[0, :10] = Part.CHIN
    assert ita_deg(np.full((40, 40, 3), 200, np.uint8), parts) is None


def test_angle_falls_with_lightness_and_ignores_what_is_not_skin():
    parts = np.full((40, 40), Part.LEFT_CHEEK, np.uint8)
    parts[:10] = Part.OTHER
    angles = []
    for colour in ((240, 210, 190), (190, 140, 105), (90, 60, 45)):
        image = np.zeros((40, 40, 3), np.uint8)
        image[10:] = colour
        angles.append(ita_deg(image, parts))
    assert angles[0] > 41 > angles[1] > 10 > angles[2]


def test_each_photo_goes_to_its_band(tmp_path):
    import cv2

    photos, found = [], []
    for name, colour in (("light", (240, 210, 190)), ("dark", (90, 60, 45)), ("none", (0, 0, 0))):
        path = tmp_path / f"{name}.png"
        cv2.imwrite(str(path), np.full((40, 40, 3), colour[::-1], np.uint8))
        photos.append(LabelledPhoto(path=path, name=name, scale="photos", group=name))
        parts = np.full((40, 40), Part.CHIN, np.uint8)
        found.append(None if name == "none" else Prediction(parts=parts))
    scales = [p.scale for p in by_tone(photos, found)]
    assert scales == ["photos, lighter skin, ITA over 41", f"photos, {DARKEST}", f"photos, {UNKNOWN}"]


def test_tone_needs_whole_analyses(tmp_path):
    from typer.testing import CliRunner

    from comedo.training.cli import app

    result = CliRunner().invoke(app, ["evaluate", str(tmp_path), "--by-tone", "--sweep"])
    assert result.exit_code == 2
    assert "--by-tone needs the face maps" in result.stderr
