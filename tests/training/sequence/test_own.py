from types import SimpleNamespace

import numpy as np
import pytest

from builders import make_face, make_image
from comedo.errors import NoFaceFound
from comedo.training.data.dataset import Sample
from comedo.training.data.files import BadAnnotations
from comedo.training.runner.labelled import LabelledPhoto
from comedo.training.sequence.answer import frame_series
from comedo.training.sequence.framing import Framing
from comedo.training.sequence.own import own_series, read_labels, read_shots
from comedo.training.sequence.plan import OwnPlan
from comedo.training.sequence.series import Course
from drawn import save

PLAN = OwnPlan(series="series.csv", labels="labels.csv", photos="photos")
SERIES = """person,date,photo,split
anna,2026-03-01,a2.png,train
anna,2026-01-01,a1.png,train
ben,2026-01-01,b1.png,val
ben,2026-02-01,b2.png,val
cleo,2026-01-01,c1.png,train
dan,2026-01-01,d1.png,train
dan,2026-02-01,d2.png,train
"""
LABELS = "person,date,row,label\nanna,,2,improved\nben,,3,same\ncleo,,4,worse\ndan,,5,unclear\n"


class Mapper:
    """Finds the drawn face; none in black pictures."""

    def __init__(self):
        self.asked = 0

    def find(self, photo):
        self.asked += 1
        if not photo.image.any():
            raise NoFaceFound("black")
        return make_face()


def framing(mapper):
    return Framing(32, lesions=False, load=lambda: SimpleNamespace(mapper=mapper))


@pytest.fixture
def root(tmp_path):
    (tmp_path / "series.csv").write_text(SERIES)
    (tmp_path / "labels.csv").write_text(LABELS)
    for number, name in enumerate(("a1", "a2", "b1", "b2", "c1", "d1", "d2")):
        save(tmp_path / "photos" / f"{name}.png", np.clip(make_image() // (number + 1), 1, 255).astype(np.uint8))
    return tmp_path


def test_series_in_order_of_dates_with_clear_labels(root):
    mapper = Mapper()
    anna, ben = own_series(PLAN, root, framing(mapper), root / "cache")
    assert (anna.course, anna.split, anna.person) == (Course.BETTER, "train", "anna")
    assert (ben.course, ben.split) == (Course.SAME, "val")
    assert anna.frames().shape == (2, 32, 32, 3)
    assert anna.frames()[0].mean() > anna.frames()[1].mean()  # a1 is the brighter one and the first
    again = own_series(PLAN, root, framing(mapper), root / "cache")
    assert [s.name for s in again] == [anna.name, ben.name]
    assert mapper.asked == 5  # once a photo: cleo has only one, dan no clear label


def test_photos_without_a_face_are_left_out(root):
    save(root / "photos" / "a2.png", np.zeros((64, 64, 3), np.uint8))
    assert [s.person for s in own_series(PLAN, root, framing(Mapper()), root / "cache")] == ["ben"]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        pytest.param("person,photo\na,b\n", "lacks date", id="no date column"),
        pytest.param("person,date,photo\na,2026-13-01,b.png\n", "line 2: date must read", id="date"),
        pytest.param("person,date,photo\na,2026-01-01,../b.png\n", "stay inside its folder", id="path"),
        pytest.param("person,date,photo\na,,b.png\n", "line 2: .*must each have a value", id="empty"),
        pytest.param(
            "person,date,photo,split\na,2026-01-01,b.png,train\na,2026-01-02,c.png,val\n",
            "every photo of a person must be in one split",
            id="leak",
        ),
        pytest.param("person,date,photo,split\na,2026-01-01,b.png,left\n", "split must be one of", id="split"),
    ],
)
def test_wrong_tables_of_photos_are_refused(tmp_path, text, error):
    (tmp_path / "s.csv").write_text(text)
    with pytest.raises(BadAnnotations, match=error):
        read_shots(tmp_path / "s.csv")


def test_people_without_a_split_are_divided_by_their_name(tmp_path):
    rows = "".join(f"p{i},2026-01-0{d},p{i}-{d}.png\n" for i in range(200) for d in (1, 2))
    (tmp_path / "s.csv").write_text("person,date,photo\n" + rows)
    shots = read_shots(tmp_path / "s.csv")
    assert 0.1 < np.mean([s.split == "val" for s in shots]) < 0.3


@pytest.mark.parametrize(
    ("text", "error"),
    [
        pytest.param("person,label\na,better\n", "label must be one of improved, same, worse, unclear", id="word"),
        pytest.param("person,label\na,same\na,worse\n", "line 3: a second label", id="twice"),
    ],
)
def test_wrong_labels_are_refused(tmp_path, text, error):
    (tmp_path / "l.csv").write_text(text)
    with pytest.raises(BadAnnotations, match=error):
        read_labels(tmp_path / "l.csv")


def shots(*paths):
    return [LabelledPhoto(Sample(p.name), p, p.name) for p in paths]


def test_new_photos_are_framed_as_those_that_were_learnt_from(root):
    anna, _ = own_series(PLAN, root, framing(Mapper()), root / "cache")
    frames, notices = frame_series(shots(root / "photos/a1.png", root / "photos/a2.png"), framing(Mapper()))
    assert (frames == anna.frames()).all()
    assert notices == ()


def test_a_series_wants_two_faces_and_says_which_were_left_out(root):
    save(root / "photos" / "black.png", np.zeros((64, 64, 3), np.uint8))
    a1, black, a2 = (root / f"photos/{name}.png" for name in ("a1", "black", "a2"))
    frames, notices = frame_series(shots(a1, black, a2), framing(Mapper()))
    assert len(frames) == 2
    assert notices == ("black.png was left out: no face was found",)
    with pytest.raises(NoFaceFound, match="1 of these 2 show one"):
        frame_series(shots(a1, black), framing(Mapper()))
