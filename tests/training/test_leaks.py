import pytest

from comedo.errors import UnusableInput
from comedo.training.leaks import LeakyData, check_disjoint


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
