import pytest

from comedo.errors import UnusableInput
from comedo.training.leaks import LeakyData, Member, check_disjoint, guard
from drawn import drawn_face


@pytest.mark.parametrize(
    "members",
    [
        pytest.param([], id="nobody"),
        pytest.param([("a", "train"), ("a", "train"), ("b", "val")], id="each on one side"),
    ],
)
def test_people_on_one_side_pass(members):
    check_disjoint(members)


def test_a_person_on_both_sides_is_named():
    with pytest.raises(LeakyData, match=r"1 of 2 people .*first: b, in train and val") as caught:
        check_disjoint([("a", "train"), ("b", "train"), ("b", "val")])
    assert isinstance(caught.value, UnusableInput)
    assert caught.value.code == "leaky_data"


def members(twin_split):
    """Four people, and a mirrored copy of the first under another name."""
    faces = [drawn_face(seed) for seed in range(4)]
    known = [Member(f"{n}.jpg", f"p{n}", "val" if n == 3 else "train", lambda f=f: f) for n, f in enumerate(faces)]
    return [*known, Member("twin.jpg", "p9", twin_split, lambda: faces[0][:, ::-1])]


def test_a_mirrored_copy_on_the_other_side_is_refused():
    with pytest.raises(LeakyData, match=r"twin.jpg \(val\) is a mirrored copy of 0.jpg \(train\).*--allow-leaks"):
        guard(members("val"))
    assert guard(members("train")) == []


def test_allowed_leaks_are_named():
    assert guard(members("val"), allow=True) == ["twin.jpg (val) is a mirrored copy of 0.jpg (train)"]
    divided = [Member("a", "p", side, lambda: drawn_face(1)) for side in ("train", "val")]
    (named,) = guard(divided, allow=True)
    assert "1 of 1 people" in named
