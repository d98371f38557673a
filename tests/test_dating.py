import struct
from datetime import date, datetime

import pytest

from change_builders import skin_photo
from comedo.dating import Dated, date_photos, leave_out_copies, order_by_date, read_when
from comedo.errors import UnusableInput
from comedo.photo.exif import taken
from comedo.types import Photo

FIRST, LAST = (datetime.fromisoformat(text) for text in ("2026-01-05", "2026-03-30T08:15"))


def photo(name):
    return Photo(skin_photo(1), name, f"{hash(name) % 2**32:064x}", "array")


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
    "numbers": ([1, 2], "a date must look like 2026-03-31 or 2026-03-31T08:15, got 1"),
    "a number": (2026, "one for each of the 2 photos, got 2026"),
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


@pytest.mark.parametrize("dates", [{"a": FIRST}, "file"], ids=["mapping", "file"])
def test_a_name_that_stands_for_two_photos_is_refused(dates, tmp_path):
    if dates == "file":
        dates = tmp_path / "d.csv"
        dates.write_text("photo,date\na,2026-01-05\n")
    with pytest.raises(UnusableInput, match="called differently, got more than one a; rename"):
        date_photos([photo("a"), photo("a")], dates)


def test_a_file_of_dates_holds_one_for_each_photo(tmp_path):
    file = tmp_path / "d.csv"
    file.write_text("photo,date\na,2026-01-05\na,2026-01-05\n")
    assert [d.when for d in date_photos([photo("a")], file)] == [FIRST]
    file.write_text("photo,date\na,2026-01-05\na,2026-03-30\n")
    with pytest.raises(UnusableInput, match="one date for each photo, got two for a"):
        date_photos([photo("a")], file)


def test_the_source_that_dates_more_photos_is_taken_alone():
    names = ["2026-01-05.jpg", "2026-03-30_0815.jpg", "selfie.jpg"]
    assert [d.when for d in date_photos([photo(name) for name in names])] == [FIRST, LAST, None]


def test_copies_are_left_out_by_name(tmp_path):
    one, two = b"one", tmp_path / "two.jpg"
    two.write_bytes(one)
    dated = [Dated(one, "one.jpg", FIRST), Dated(b"three", "three.jpg", LAST), Dated(two, "two.jpg", FIRST)]
    kept, notices = leave_out_copies(dated)
    assert [d.name for d in kept] == ["one.jpg", "three.jpg"]
    assert notices == ["two.jpg was left out: it is a copy of one.jpg"]
    assert leave_out_copies([]) == ([], [])


def test_files_that_cannot_be_read_are_no_copies(tmp_path):
    dated = [Dated(tmp_path / name, name, None) for name in ("a.jpg", "b.jpg")]
    assert leave_out_copies(dated) == (dated, [])


@pytest.mark.parametrize(("when", "said"), [(LAST, "2026-03-30 08:15"), (None, "none")], ids=["another", "none"])
def test_a_copy_with_another_date_is_refused(when, said):
    with pytest.raises(UnusableInput, match=f"a.jpg and its copy b.jpg have 2026-01-05 00:00 and {said}"):
        leave_out_copies([Dated(b"one", "a.jpg", FIRST), Dated(b"one", "b.jpg", when)])


def test_photos_are_put_in_order_and_it_is_said():
    dated, notices = order_by_date(date_photos([photo("b"), photo("a")], [LAST, FIRST]))
    assert [d.name for d in dated] == ["a", "b"]
    assert "order" in notices[0]
    assert order_by_date(dated)[1] == []


def test_dates_of_some_photos_are_dates_of_none():
    dated, notices = order_by_date(date_photos([photo("b"), photo("a")], [LAST, None]))
    assert [(d.name, d.when) for d in dated] == [("b", None), ("a", None)]
    assert notices == [
        "not every photo has a date (none for a): the order given is kept, and no direction is concluded from it"
    ]


def test_photos_without_a_date_are_named_but_not_all_of_many():
    names = [f"{n}.jpg" for n in range(8)]
    dated = date_photos([photo(name) for name in names], [LAST, *[None] * 7])
    assert "(none for 1.jpg, 2.jpg, 3.jpg, 4.jpg, 5.jpg, …)" in order_by_date(dated)[1][0]
    assert order_by_date(dated[1:])[1][0].startswith("no photo has a date:")


def test_time_zones_are_dropped():
    assert read_when("2026-03-30T08:15+02:00") == LAST
