import struct
from datetime import date, datetime

import numpy as np
import pytest

import comedo
from change_builders import skin_photo
from comedo.errors import NoFaceFound, UnusableInput
from comedo.photo.exif import taken
from comedo.progress.values import Answer
from comedo.tracking import date_photos, order_by_date, read_when, track
from comedo.types import Photo
from drawn_analyzer import DrawnAnalyzer

FIRST, LAST = (datetime.fromisoformat(text) for text in ("2026-01-05", "2026-03-30T08:15"))


def photo(name, person=1, image=None):
    return Photo(skin_photo(person) if image is None else image, name, f"{hash(name) % 2**32:064x}", "array")


def exif(text, order="<"):
    """A TIFF block with DateTimeOriginal in its Exif folder."""
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    folder = struct.pack(order + "HHHII", 1, 0x8769, 4, 1, 26) + b"\0\0\0\0"
    inner = struct.pack(order + "HHHII", 1, 0x9003, 2, len(text) + 1, 44) + b"\0\0\0\0"
    return head + folder + inner + text.encode() + b"\0"


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(
    "wrap", [b"\xff\xd8Exif\0\0%s", b"\x89PNG eXIf%s", b"RIFF EXIF\x10\0\0\0%s"], ids=["jpeg", "png", "webp"]
)
def test_the_shutters_time_is_read(wrap, order):
    assert taken(wrap % exif("2026:03:30 08:15:00", order)) == LAST


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"Exif\0\0",
        b"Exif\0\0II*\0\xff\xff\xff\xff",
        b"Exif\0\0" + exif("0000:00:00 00:00:00"),
        b"Exif\0\0" + exif("2026:03:30 08:15:00")[:-8],
    ],
    ids=["empty", "no block", "far folder", "zero date", "cut date"],
)
def test_no_time_rather_than_a_wrong_one(data):
    assert taken(data) is None


def test_an_exif_folder_that_leads_to_itself_ends():
    block = b"II*\0" + struct.pack("<I", 8) + struct.pack("<HHHII", 1, 0x8769, 4, 1, 8) + b"\0" * 8
    assert taken(b"Exif\0\0" + block) is None


@pytest.mark.parametrize(
    ("name", "when"),
    [
        pytest.param("2026-01-05.jpg", FIRST, id="day"),
        pytest.param("IMG_20260330_081500.jpg", LAST, id="phone"),
        pytest.param("skin 2026.03.30 08-15.png", LAST, id="to the minute"),
        pytest.param("2026-02-30.jpg", None, id="no such day"),
        pytest.param("120260105.jpg", None, id="a number"),
        pytest.param("selfie.jpg", None, id="none"),
    ],
)
def test_dates_in_names(name, when):
    assert date_photos([photo(name)])[0].when == when


def test_dates_from_a_file_a_mapping_and_a_list(tmp_path):
    photos = [photo("a"), photo("b")]
    (tmp_path / "dates.csv").write_text("photo,date\nb,2026-03-30T08:15\na,2026-01-05\n")
    for dates in (tmp_path / "dates.csv", {"a": "2026-01-05", "b": LAST}, [date(2026, 1, 5), LAST]):
        assert [d.when for d in date_photos(photos, dates)] == [FIRST, LAST]


WRONG = {
    "no EXIF": ("exif", "no date in the exif of a"),
    "no such file": ("missing.csv", "cannot be read"),
    "too few": ([FIRST], "one for each of the 2"),
    "a name missing": ({"a": FIRST}, "no date for b"),
    "no date": (["soon", "later"], "2026-03-31"),
}


@pytest.mark.parametrize(("dates", "message"), WRONG.values(), ids=WRONG)
def test_wrong_dates_are_explained(dates, message):
    with pytest.raises(UnusableInput, match=message):
        date_photos([photo("a"), photo("b")], dates)


@pytest.mark.parametrize("text", ["photo\na\n", "", "photo,date\na,\n"], ids=["one column", "empty", "no date"])
def test_a_file_of_dates_wants_both_columns(tmp_path, text):
    (tmp_path / "d.csv").write_text(text)
    with pytest.raises(UnusableInput, match="columns photo and date"):
        date_photos([photo("a")], tmp_path / "d.csv")


def test_photos_are_put_in_order_and_it_is_said():
    dated, notices = order_by_date(date_photos([photo("b"), photo("a")], [LAST, FIRST]))
    assert [d.name for d in dated] == ["a", "b"]
    assert "order" in notices[0]
    assert order_by_date(dated)[1] == []


def test_dates_of_some_photos_are_dates_of_none():
    dated, notices = order_by_date(date_photos([photo("b"), photo("a")], [LAST, None]))
    assert [(d.name, d.when) for d in dated] == [("b", None), ("a", None)]
    assert "not every photo has a date" in notices[0]


def test_time_zones_are_dropped():
    assert read_when("2026-03-30T08:15+02:00") == LAST


def test_track_compares_photos():
    change = track([photo("20-a"), photo("0-b")], dates=[FIRST, LAST], analyzer=DrawnAnalyzer(), workers=1)
    assert isinstance(change, comedo.Change)
    assert change.whole.answer is Answer.BETTER
    assert [v.name for v in change.visits] == ["20-a", "0-b"]
    assert len(change.ledger) == 20


def test_shuffled_photos_are_sorted_by_their_dates():
    change = track([photo("0-b"), photo("20-a")], dates=[LAST, FIRST], analyzer=DrawnAnalyzer(), workers=1)
    assert change.whole.answer is Answer.BETTER
    undated = track([photo("0-b"), photo("20-a")], analyzer=DrawnAnalyzer(), workers=1)
    assert undated.whole.answer is Answer.CANNOT_TELL


def test_a_mirrored_photo_is_flipped_on_its_owners_word():
    flipped = photo("0-b", image=np.ascontiguousarray(skin_photo(1)[:, ::-1]))
    photos, dates = [photo("20-a"), flipped], [FIRST, LAST]
    asked = track(photos, dates=dates, analyzer=DrawnAnalyzer(), workers=1)
    assert len(asked.questions) == 1
    told = track(photos, dates=dates, mirrored=["0-b"], analyzer=DrawnAnalyzer(), workers=1)
    assert told.questions == ()
    assert told.whole.answer is Answer.BETTER
    with pytest.raises(UnusableInput, match="mirrored must name"):
        track(photos, dates=dates, mirrored=["c"], analyzer=DrawnAnalyzer(), workers=1)


def test_photos_without_a_face_are_left_out_by_name():
    black = photo("0-c", image=np.zeros((640, 480, 3), np.uint8))
    change = track([photo("3-a"), black], dates=[FIRST, LAST], analyzer=DrawnAnalyzer(), workers=1)
    assert [(item.name, "no face" in item.reason) for item in change.left_out] == [("0-c", True)]
    assert change.whole.answer is Answer.CANNOT_TELL
    with pytest.raises(NoFaceFound, match="0-c"):
        track([black], analyzer=DrawnAnalyzer(), workers=1)
    with pytest.raises(UnusableInput, match="at least two"):
        track([], analyzer=DrawnAnalyzer())
