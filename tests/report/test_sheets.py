import csv
import io

import pytest

from builders import make_analysis
from comedo.errors import NoFaceFound
from comedo.report.sheets import LESION_COLUMNS, RESULT_COLUMNS, lesions_csv, results_csv
from comedo.report.tables import to_document, to_error


def read(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_no_photo_gives_the_head_alone():
    assert results_csv([]) == ",".join(RESULT_COLUMNS) + "\n"
    assert lesions_csv([]) == ",".join(LESION_COLUMNS) + "\n"


def test_one_row_a_photo_failed_ones_too():
    rows = read(results_csv([to_document(make_analysis()), to_error(NoFaceFound("none here"), "b.jpg")]))
    good, failed = rows
    assert good["total"] == "4"
    assert (good["total_low_90"], good["total_high_90"]) == ("2", "7")
    assert good["inflammatory"] == "3"
    assert (good["severity"], good["severity_level"]) == ("2.6", "Mild")
    assert (good["acne_affected"], good["acne_probability"]) == ("true", "0.93")
    assert good["error_code"] == ""
    assert (failed["photo"], failed["error_code"], failed["error_message"]) == ("b.jpg", "no_face", "none here")
    assert failed["total"] == ""


def test_unknown_cells_are_empty_and_zero_is_zero():
    row = read(results_csv([to_document(make_analysis())]))[0]
    assert row["region_chin"] == ""
    assert row["region_left_cheek"] == "0"
    assert row["iga_estimate"] == ""


def test_one_row_a_lesion():
    rows = read(lesions_csv([to_document(make_analysis())]))
    assert [row["id"] for row in rows] == ["1", "2", "3", "4", "5"]
    assert (rows[1]["x"], rows[1]["y"], rows[1]["box_x0"]) == ("121.5", "165.25", "119.0")
    assert rows[3]["diameter_mm"] == ""
    assert rows[1]["redness"] == "-1.5", "a negative number is no formula"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", " =", "\t=", "|", "%", "＝"], ids=ascii)
def test_no_name_is_a_formula(start):
    name = f"{start}cmd|' /C calc'!A1"
    row = read(results_csv([to_document(make_analysis(photo_name=name))]))[0]
    assert row["photo"] == "'" + name


@pytest.mark.parametrize("name", ["\r=1+1", "\0=1+1"], ids=ascii)
def test_no_control_character_hides_a_formula(name):
    row = read(results_csv([to_document(make_analysis(photo_name=name))]))[0]
    assert row["photo"] == "' =1+1"


def test_commas_quotes_and_lines_stay_in_their_cell():
    name = 'a,"b"\nc.jpg'
    rows = read(results_csv([to_document(make_analysis(photo_name=name))]))
    assert len(rows) == 1
    assert rows[0]["photo"] == name
