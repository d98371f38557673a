import hashlib
import json

import numpy as np
import pytest

from builders import make_analysis, make_face, make_lesion
from comedo.errors import NoFaceFound, UnusableInput
from comedo.training.evaluation.predictors import AnalyzerPredictor, Prediction, acne04_grade, read_predictions
from comedo.types import Group, Part

FACE = make_face(parts=np.array([[Part.NOSE, Part.LIPS]], np.uint8), to_photo=np.array([[20.0, 0, 10], [0, 20, 20]]))
LESIONS = (
    make_lesion(1, center_xy=(10.0, 20.0), diameter_px=4.0, group=Group.MARK),
    make_lesion(2, center_xy=(10.0, 20.0), diameter_px=4.0),
)


def analysis():
    return make_analysis(face=FACE, lesions=LESIONS, width=60, height=40, lesion_mask=np.ones((40, 60), bool))


class FakeAnalyzer:
    def __init__(self, answer):
        self.answer, self.asked = answer, []

    def analyze(self, source, *, allow_poor=False):
        self.asked.append(allow_poor)
        if self.answer is None:
            raise NoFaceFound("no face")
        return self.answer


IMAGE = np.zeros((40, 60, 3), np.uint8)


def test_an_analysis_becomes_a_prediction():
    fake = FakeAnalyzer(analysis())
    found = AnalyzerPredictor(fake, "fake").predict(IMAGE)
    assert fake.asked == [True]  # poor photos count as well
    assert found.circles.tolist() == [[10, 20, 2], [10, 20, 2]]
    assert found.groups == (Group.MARK, Group.INFLAMMATORY)
    assert (found.affected, found.prob_affected) == (True, 0.93)
    assert (found.count, found.grade) == (4, 1)  # severity 2.6 is rounded to level 3
    assert found.parts.shape == found.mask.shape == (40, 60)
    assert (found.parts[20, 10], found.parts[20, 30], found.parts[0, 0]) == (Part.NOSE, Part.LIPS, Part.BACKGROUND)


def test_lowered_cut_offs_leave_only_lesions():
    found = AnalyzerPredictor(FakeAnalyzer(analysis()), "fake", lesions_only=True).predict(IMAGE)
    assert len(found.circles) == 2
    assert (found.mask, found.parts, found.count, found.grade, found.affected) == (None,) * 5


def test_no_face_is_no_prediction():
    assert AnalyzerPredictor(FakeAnalyzer(None), "fake").predict(IMAGE) is None


@pytest.mark.parametrize(
    ("severity", "grade"),
    [
        pytest.param(None, None, id="not assessed"),
        pytest.param(1.0, 0, id="ACNE04 has no clear faces"),
        pytest.param(2.2, 0, id="mild"),
        pytest.param(3.6, 2, id="rounded to severe"),
        pytest.param(2.5, 1, id="on a bound"),
        pytest.param(5.0, 3, id="very severe"),
    ],
)
def test_severity_as_acne04_grade(severity, grade):
    assert acne04_grade(severity) == grade


def test_every_circle_needs_a_score_and_a_group():
    with pytest.raises(ValueError, match="1 circles, 0 scores"):
        Prediction(circles=np.zeros((1, 3), np.float32))


def line(name, sha256, **more):
    return {"schema": "comedo.analysis/1", "photo": {"name": name, "sha256": sha256}, **more}


def written(folder, *lines):
    path = folder / "lines.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in lines))
    return path


def test_lines_are_found_by_hash_even_when_names_repeat(tmp_path):
    photos = [tmp_path / "a" / "1.jpg", tmp_path / "b" / "1.jpg"]
    for number, photo in enumerate(photos):
        photo.parent.mkdir()
        photo.write_bytes(bytes([number]))
    lesion = {"center_xy": [3, 4], "diameter_px": 6, "score": 0.5, "group": "inflammatory", "kind": "papule"}
    grades = {"severity": {"value": 4.0}, "acne": {"affected": False, "probability": 0.25}, "hayashi": None}
    full = line("1.jpg", hashlib.sha256(b"\1").hexdigest(), lesions=[lesion], counts={"total": 1}, grades=grades)
    lines = written(tmp_path, full, line("1.jpg", hashlib.sha256(b"\0").hexdigest()))
    empty, found = read_predictions(lines, photos)
    assert len(empty.circles) == 0
    assert found.circles.tolist() == [[3, 4, 3]]
    assert (found.count, found.grade, found.affected, found.prob_affected) == (1, 2, False, 0.25)
    assert empty.prob_affected is None


def test_an_error_line_is_a_photo_without_a_face(tmp_path):
    (tmp_path / "1.jpg").write_bytes(b"x")
    error = {"schema": "comedo.error/1", "code": "no_face", "message": "no face", "photo": {"name": "1.jpg"}}
    assert read_predictions(written(tmp_path, error), [tmp_path / "1.jpg"]) == [None]


def test_what_does_not_fit_is_refused(tmp_path):
    (tmp_path / "1.jpg").write_bytes(b"x")
    with pytest.raises(UnusableInput, match=r"no line for 1 of the photos \(first: 1.jpg\)"):
        read_predictions(written(tmp_path, line("2.jpg", "0")), [tmp_path / "1.jpg"])
    percent = {"center_xy": [3, 4], "diameter_px": 6, "score": 50, "group": "inflammatory"}
    for wrong in (
        {"a": 1},
        line("1.jpg", "0", lesions=[percent]),
        line("1.jpg", "0", grades={"acne": {"probability": -1}}),
    ):
        with pytest.raises(UnusableInput, match="line 1: not a line"):
            read_predictions(written(tmp_path, wrong), [tmp_path / "1.jpg"])
