import threading
from dataclasses import replace

import numpy as np
import pytest

from builders import make_analysis, make_image
from comedo.batch import analyze_many, process_many
from comedo.errors import NoFaceFound, UnusableInput
from comedo.report.pictures import to_png


class FakeAnalyzer:
    """Answers with the drawn face; photos whose name says so have none, or break it."""

    def __init__(self) -> None:
        self.asked: list[tuple[bool, str]] = []
        self.at_once = 0
        self.most_at_once = 0
        self._lock = threading.Lock()

    def analyze(self, photo, *, name=None, allow_poor=False, convention="visible"):
        with self._lock:
            self.asked.append((allow_poor, convention))
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if "faceless" in photo.name:
                raise NoFaceFound("there is no face in the photo")
            if "broken" in photo.name:
                raise ZeroDivisionError("division by zero")
            return replace(make_analysis(), photo_name=photo.name, photo_sha256=photo.sha256)
        finally:
            with self._lock:
                self.at_once -= 1


@pytest.fixture
def photos(tmp_path):
    """Makes photo files by name; a name with "torn" is no photo."""

    def make(*names):
        paths = [tmp_path / name for name in names]
        for n, path in enumerate(paths):
            image = make_image()
            image[0, 0] = n
            path.write_bytes(b"no photo" if "torn" in path.name else to_png(image))
        return paths

    return make


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_outcomes_come_in_order_and_no_failure_stops_the_rest(photos, workers):
    paths = photos("a.png", "faceless.png", "torn.png", "broken.png", "b.png")
    outcomes = list(analyze_many(paths, analyzer=FakeAnalyzer(), workers=workers))
    assert [o.name for o in outcomes] == [p.name for p in paths]
    assert [getattr(o.error, "code", None) for o in outcomes] == [None, "no_face", "unsupported_format", "error", None]
    assert isinstance(outcomes[3].error.__cause__, ZeroDivisionError)
    assert outcomes[0].unwrap().photo_name == "a.png"
    with pytest.raises(UnusableInput):
        outcomes[2].unwrap()


def test_no_photo_gives_no_outcome():
    assert list(analyze_many([], analyzer=FakeAnalyzer())) == []


def test_settings_reach_the_analyzer(photos):
    analyzer = FakeAnalyzer()
    list(analyze_many(photos("a.png"), analyzer=analyzer, allow_poor=True, convention="acne04-v1"))
    assert analyzer.asked == [(True, "acne04-v1")]


def test_use_sees_the_pixels_and_keeps_what_it_wants(photos):
    def mean(source, photo, analysis):
        assert source.name == photo.name == analysis.photo_name
        return float(photo.image.mean())

    (outcome,) = process_many(photos("a.png"), mean, analyzer=FakeAnalyzer())
    assert outcome.value == pytest.approx(float(make_image().mean()), abs=0.01)


def test_a_failure_of_use_is_an_outcome_too(photos):
    def fail(source, photo, analysis):
        raise MemoryError

    outcomes = list(process_many(photos("a.png", "b.png"), fail, analyzer=FakeAnalyzer(), workers=2))
    assert [o.error.code for o in outcomes] == ["error", "error"]


def test_a_long_list_is_read_only_as_it_is_wanted(photos):
    (path,) = photos("a.png")
    taken = []

    def endless():
        while True:
            taken.append(1)
            yield path

    outcomes = process_many(endless(), lambda *_: None, analyzer=FakeAnalyzer(), workers=2)
    for _ in range(4):
        next(outcomes)
    assert len(taken) <= 4 + 3 * 2
    outcomes.close()


def test_no_more_at_once_than_workers(photos):
    analyzer = FakeAnalyzer()
    list(analyze_many(photos(*(f"{n}.png" for n in range(12))), analyzer=analyzer, workers=3))
    assert 1 <= analyzer.most_at_once <= 3


@pytest.mark.parametrize("workers", [1, 4])
def test_many_together_equal_one_by_one(photos, workers):
    paths = photos(*(f"{n}.png" for n in range(6)))
    together = [o.unwrap() for o in analyze_many(paths, analyzer=FakeAnalyzer(), workers=workers)]
    alone = [next(analyze_many([p], analyzer=FakeAnalyzer())).unwrap() for p in paths]
    assert [a.photo_sha256 for a in together] == [a.photo_sha256 for a in alone]
    assert len({a.photo_sha256 for a in together}) == 6
    assert all(np.array_equal(a.lesion_mask, b.lesion_mask) for a, b in zip(together, alone, strict=True))
