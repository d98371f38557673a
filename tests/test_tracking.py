from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest

import comedo
from change_builders import skin_photo
from comedo.errors import NoFaceFound, UnusableInput
from comedo.progress.values import Answer
from comedo.tracking import track
from comedo.types import Photo
from drawn_analyzer import DrawnAnalyzer

FIRST, LAST = (datetime.fromisoformat(text) for text in ("2026-01-05", "2026-03-30T08:15"))


def photo(name, person=1, image=None):
    return Photo(skin_photo(person) if image is None else image, name, f"{hash(name) % 2**32:064x}", "array")


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
    (left,) = change.left_out
    assert (left.name, left.when, left.code) == ("0-c", LAST, "no_face")
    assert "no face" in left.reason
    assert change.whole.answer is Answer.CANNOT_TELL
    with pytest.raises(NoFaceFound, match="0-c"):
        track([black], analyzer=DrawnAnalyzer(), workers=1)
    with pytest.raises(UnusableInput, match="at least two"):
        track([], analyzer=DrawnAnalyzer())


def test_a_copy_is_left_out_with_a_notice():
    first, last = photo("20-a"), photo("0-b")
    copy = replace(first, name="20-c")
    change = track([first, copy, last], dates=[FIRST, FIRST, LAST], analyzer=DrawnAnalyzer(), workers=1)
    assert [v.name for v in change.visits] == ["20-a", "0-b"]
    assert change.notices == ("20-c was left out: it is a copy of 20-a",)
    assert change.personal_factor is None
    with pytest.raises(UnusableInput, match="20-a and its copy 20-c have"):
        track([first, copy], dates=[FIRST, LAST], analyzer=DrawnAnalyzer(), workers=1)


class NeverAsked:
    """An analyzer that fails the test."""

    def analyze(self, photo, **_):
        raise AssertionError(f"{photo.name} was analysed")


def test_a_wrong_treatment_start_ends_before_anything_is_analysed():
    with pytest.raises(UnusableInput, match="2026-03-31"):
        track([photo("20-a")], treatment_start="2026-1-5", analyzer=NeverAsked(), workers=1)


def test_a_first_photo_of_someone_else_is_doubted():
    photos = [photo("5-a", person=2), photo("20-b"), photo("0-c")]
    dates = ["2026-01-01", FIRST, LAST]
    change = track(photos, dates=dates, analyzer=DrawnAnalyzer(), workers=1)
    assert change.whole.answer is Answer.CANNOT_TELL
    assert "the first, 5-a" in change.notices[0]
