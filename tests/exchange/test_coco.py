import csv as csv_module
import io
import json

import pytest

from builders import make_lesion
from cases import drawn_case
from comedo.exchange.coco import CATEGORIES, CocoPhoto, coco_document, coco_json
from comedo.exchange.spreadsheet import csv_files
from comedo.review.corrections import Corrections
from comedo.review.run import review, reviewed_case
from comedo.training.evaluation.truth import DEFAULT_TYPES, read_coco
from comedo.training.lesion_map.own import load_own


@pytest.fixture
def files(tmp_path):
    return drawn_case(tmp_path / "face")


def read(case, *, complete=True, lesions=()):
    given = {"schema": "comedo.corrections/1", "reviewer": "Dr A", "complete": complete, "lesions": lesions}
    return reviewed_case(case, review(case, Corrections.model_validate(given)))


def test_categories_are_those_that_the_training_reads():
    assert {name: group for _, name, group in CATEGORIES} == dict(DEFAULT_TYPES)
    assert [number for number, _, _ in CATEGORIES] == [1, 2, 3]


def test_a_complete_review_is_training_data(files):
    case = read(files.load(), lesions=[{"id": 3, "action": "reject"}, {"id": 5, "action": "correct", "kind": "mark"}])
    path = files.photo.with_name("coco.json")
    path.write_bytes(coco_json([CocoPhoto(case, "train", "anna")]))
    [photo] = load_own(path, files.photo.parent, pixels_per_mm=4.7)
    assert photo.path == files.photo
    assert (photo.split, photo.person) == ("train", "own-anna")
    assert photo.active.tolist() == [[110.0, 90.0, 4.0], [121.5, 165.25, 2.5]]
    assert photo.marks.tolist() == [[172.0, 190.0, 4.0], [120.0, 262.0, 4.0]]
    assert photo.inflamed.tolist() == [1.0, 0.0]


@pytest.mark.parametrize("case_of", [lambda c: c, lambda c: read(c, complete=False)], ids=["no review", "in part"])
def test_what_a_network_found_is_not_taken_for_truth(files, case_of):
    path = files.photo.with_name("coco.json")
    path.write_bytes(coco_json([CocoPhoto(case_of(files.load()))]))
    truth = read_coco(path, files.photo.parent, split="train")
    assert truth.photos[0].lesions is None
    assert load_own(path, files.photo.parent, pixels_per_mm=4.7) == []


def test_boxes_stay_in_the_photo_and_polygons_in_the_boxes(tmp_path):
    files = drawn_case(tmp_path, lesions=(make_lesion(1, center_xy=(1.0, 319.0), diameter_px=8.0),))
    document = coco_document([CocoPhoto(files.load())])
    [annotation] = document["annotations"]
    assert annotation["bbox"] == [0.0, 315.0, 5.0, 5.0]
    assert annotation["circle"] == [1.0, 319.0, 4.0]
    points = annotation["segmentation"][0]
    assert all(0 <= x <= 5 for x in points[::2])
    assert all(315 <= y <= 320 for y in points[1::2])


def test_numbers_of_several_photos(files, tmp_path):
    other = drawn_case(tmp_path / "other").load()
    document = coco_document([CocoPhoto(files.load()), CocoPhoto(other)])
    assert [image["id"] for image in document["images"]] == [1, 2]
    assert [a["id"] for a in document["annotations"]] == list(range(1, 11))
    assert {a["image_id"] for a in document["annotations"]} == {1, 2}
    assert json.loads(coco_json([]))["images"] == []


def rows(data):
    return list(csv_module.DictReader(io.StringIO(data.decode())))


def test_csv_has_a_row_a_photo_and_a_row_a_lesion(files):
    tables = csv_files([files.load()])
    [row] = rows(tables["results.csv"])
    assert (row["total"], row["total_low_90"], row["total_high_90"], row["region_chin"]) == ("4", "2", "7", "")
    assert len(rows(tables["lesions.csv"])) == 5


def test_csv_of_a_complete_review_has_no_interval(files):
    case = read(files.load(), lesions=[{"id": 3, "action": "reject"}])
    [row] = rows(csv_files([case])["results.csv"])
    assert (row["total"], row["total_low_90"], row["total_high_90"]) == ("3", "", "")
    assert "reviewed by Dr A" in row["notices"]
