"""The parts of `comedo predict` by themselves: order, documents, tables, pictures."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs comedo[train]")
pytest.importorskip("lightning", reason="needs comedo[train]")

from PIL import Image as PillowImage

from comedo.errors import NoFaceFound, UnusableInput
from comedo.training.data.bitmap import bitmap_of
from comedo.training.data.dataset import Label, Rectangle
from comedo.training.predict.document import AskedPhoto, plain, rows_about, to_document, to_sheet
from comedo.training.predict.folder import PredictionFolder
from comedo.training.predict.overlay import draw_answer
from comedo.training.predict.questions import Question, common_folder, find_questions, in_order
from comedo.training.predict.trained import Trained
from comedo.training.runner.answer import Answer, Use
from comedo.training.segmentation.answer import mask_answer
from drawn import drawn_face, save
from toy_task import Toy, toy_recipe

_TAKEN, _EXIF = 0x9003, 0x8769


def photo(path: Path, taken: str | None = None, seed: int = 0) -> Path:
    save(path, drawn_face(seed, size=64))
    if taken is not None:
        exif = PillowImage.Exif()
        exif.get_ifd(_EXIF)[_TAKEN] = taken
        with PillowImage.open(path) as picture:
            pixels = picture.copy()
        pixels.save(path, exif=exif)
    return path


@pytest.mark.parametrize(
    ("files", "order", "notice"),
    [
        pytest.param({}, [], None, id="none"),
        pytest.param({"b.jpg": "2026:01:01 08:00:00", "a.jpg": "2026:02:01 08:00:00"}, ["b", "a"], None, id="EXIF"),
        pytest.param({"x 2026-02-01.jpg": None, "y 2026-01-01.jpg": None}, ["y", "x"], None, id="dates in names"),
        pytest.param({"day10.jpg": None, "day9.jpg": None}, ["day9", "day10"], "order of their names", id="names"),
        pytest.param(
            {"2.jpg": "2026:01:01 08:00:00", "1.jpg": None}, ["1", "2"], "order of their names", id="one date"
        ),
    ],
)
def test_the_order_of_a_series(files, order, notice, tmp_path):
    paths = [photo(tmp_path / name, taken, seed) for seed, (name, taken) in enumerate(files.items())]
    shots, said = in_order(paths)
    assert [path.stem.split()[0] for path, _ in shots] == order
    assert all((when is None) == (notice is not None) for _, when in shots)
    assert [notice in line for line in said] == ([True] if notice else [])


def test_folders_are_series_or_stand_for_their_photos(tmp_path):
    paths = [photo(tmp_path / name) for name in ("anna/1.jpg", "anna/2.jpg", "ben/1.jpg")]
    photos = find_questions([tmp_path], series=False)
    assert [(q.name, q.photos) for q in photos] == [(p.name, (p,)) for p in paths]
    assert find_questions([tmp_path], series=True) == [Question("anna", (*paths[:2],)), Question("ben", (paths[2],))]


def test_names_in_labels_start_at_the_folder_that_was_named(tmp_path):
    paths = [photo(tmp_path / name) for name in ("all/anna/1.jpg", "all/anna/2.jpg", "all/ben/1.jpg")]
    assert common_folder([tmp_path]) == tmp_path
    assert common_folder(paths[:1]) == common_folder(paths[:2]) == tmp_path / "all/anna"
    assert common_folder([paths[0], tmp_path / "all/ben"]) == tmp_path / "all"
    assert common_folder([tmp_path / "all/ben/..", paths[0]]) == tmp_path / "all"
    (question,) = find_questions([tmp_path / "all/anna/../ben"], series=True)
    assert question.name == "ben"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        pytest.param(None, None, id="unknown"),
        pytest.param(float("nan"), None, id="no number"),
        pytest.param((0.123456, -0.0), [0.1235, 0.0], id="decimals"),
        pytest.param({"a": [True, 3, "x"]}, {"a": [True, 3, "x"]}, id="plain already"),
    ],
)
def test_values_as_json_has_them(value, written):
    assert plain(value) == written
    assert str(plain(value)) == str(written)  # no -0.0, no 1 for True


TOY = Trained("toy@sha256:0", lambda arrays: arrays, Toy(), toy_recipe(), {}, "", "for tests")


def test_one_row_a_photo_where_an_empty_cell_is_unknown():
    values = {"grade": 2, "probabilities": {"mild": 0.25}, "patches": ["chin", "nose"], "lesions": [], "sure": False}
    documents = [
        to_document(TOY, "=1.png", [AskedPhoto(name="=1.png", sha256="a")], Answer("mild", values, ("dark",))),
        to_document(TOY, "b.png", [AskedPhoto(name="b.png")], NoFaceFound("no face")),
    ]
    sheet = to_sheet(documents)
    header, first, second = sheet.splitlines()
    assert header == (
        "photo,sha256,width,height,sentence,grade,probabilities_mild,patches,sure,"
        "notices,error_code,error_message,task,model,claim"
    )
    assert first.startswith("'=1.png,a,,,mild,2,0.25,chin nose,false,dark,,,toy,toy@sha256:0,")
    assert second.startswith("b.png,,,,,,,,,,no_face,no face,toy,toy@sha256:0,")
    assert rows_about(sheet) == {("'=1.png", "a", "toy@sha256:0"), ("b.png", "", "toy@sha256:0")}
    assert [d.owner for d in documents] == ["toy@sha256:0 a", None]


def test_files_are_named_by_the_photo_or_the_folder(tmp_path):
    folder = PredictionFolder(tmp_path)
    seen = [AskedPhoto(name="a.png", sha256="a")]
    names = [folder.save(to_document(TOY, n, seen, NoFaceFound("no"))).name for n in ("a.b.JPG", "2026.05", "a.b.png")]
    assert names == ["a.b.json", "2026.05.json", "a.b.json"]
    other = to_document(TOY, "A.b.png", [AskedPhoto(name="A.b.png", sha256="other")], Answer("x", {}))
    assert folder.save(other).name == "A.b-2.json"


def test_names_that_are_no_text_are_written_with_question_marks(tmp_path):
    odd = "a\udcff.png"
    document = to_document(TOY, odd, [AskedPhoto(name="a")], UnusableInput(odd), (f"{odd} was left out",))
    assert document.name == "a?.png"
    assert document.notices == ("a?.png was left out",)
    assert b"a?.png" in PredictionFolder(tmp_path).save(document).read_bytes()


def test_a_table_without_an_answer_has_no_columns_of_answers():
    assert to_sheet([]).count(",") == 10


@pytest.mark.parametrize(
    ("use", "words"),
    [
        pytest.param(Use({}, "", way="slices"), "--way is for detectors", id="way"),
        pytest.param(Use({}, "", cut_off=0.0), "--cut-off is for detectors", id="a cut-off of 0 is one"),
        pytest.param(Use({}, "", without_face=True), "--without-face is for severity", id="without a face"),
    ],
)
def test_options_that_a_task_does_not_know_are_refused(use, words):
    with pytest.raises(UnusableInput, match=words):
        use.allow("toy")
    use.allow("toy", "way", "cut_off", "without_face")


def test_a_mask_patch_by_patch():
    probs = np.zeros((20, 30), np.float32)
    probs[2:6, 3:9], probs[2, 3], probs[10, 10] = 0.75, 0.5, 0.5
    said = mask_answer(probs, threshold=0.5, least_area=2, rater="toy")
    assert said.values["lesion_count"] == 1
    assert said.values["lesion_px"] == 25
    assert said.values["coverage_percent_of_photo"] == pytest.approx(100 * 25 / 600)
    (lesion,) = said.values["lesions"]
    assert lesion["box_xyxy"] == (3, 2, 9, 6)
    assert lesion["area_px"] == 24
    assert lesion["mean_probability"] == pytest.approx((23 * 0.75 + 0.5) / 24, abs=1e-4)
    alone = probs.copy()
    alone[10, 10] = 0
    assert said.labels[0].shape == bitmap_of(alone >= 0.5)
    assert said.notices == ("patches in the mask too small to count as lesions: 1",)
    assert mask_answer(probs * 0, threshold=0.5, least_area=2, rater="toy").values["lesion_count"] == 0


GREY = np.full((100, 80, 3), 128, np.uint8)


def test_the_picture_of_a_mask_shows_what_is_inside():
    mask = np.zeros((100, 80), np.bool_)
    mask[40:50, 20:40] = True
    drawn = draw_answer(GREY, Answer("one", {}, mask=mask), ("lesion",), "toy@sha256:0123")
    assert drawn.shape[1] == 4 * 80  # small photos are enlarged
    assert drawn.shape[0] > 4 * 100  # with lines below
    changed = (drawn[:400] != 128).any(2)
    assert not changed[160:200, 80:160].any()
    assert changed[158:202, 78:162].sum() == changed.sum() > 200


@pytest.mark.parametrize(
    "box",
    [(0, 0, 10, 10), (70, 92, 80, 100), (79.5, 0, 80, 0.5), (20, 30, 40, 50)],
    ids=["first corner", "last corner", "smaller than a pixel", "middle"],
)
def test_the_picture_of_boxes(box):
    answer = Answer("one", {}, labels=(Label("acne", Rectangle(box), 0.5),))
    drawn = draw_answer(GREY, answer, ("mark", "acne"), "toy@sha256:0123")
    x, y = (int(4 * v) for v in box[:2])
    assert drawn[y, x].tolist() == [30, 136, 229]
    assert np.array_equal(draw_answer(GREY, Answer("none", {}), (), "toy@sha256:0")[:400], np.full((400, 320, 3), 128))


def test_dates_are_kept_with_photos(tmp_path):
    shots, _ = in_order([photo(tmp_path / "a.jpg", "2026:01:02 08:30:00")])
    assert [when for _, when in shots] == [datetime(2026, 1, 2, 8, 30)]  # noqa: DTZ001 - local time, as cameras write it
