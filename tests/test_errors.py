import pytest

from comedo.errors import ComedoError, DamagedPhoto, NoFaceFound, UnusableInput, exit_code_of, worst_exit


@pytest.mark.parametrize(
    ("code", "exit_code"),
    [(kind.code, kind.exit_code) for kind in (ComedoError, UnusableInput, DamagedPhoto, NoFaceFound)]
    + [("unheard_of", 1)],
)
def test_exit_code_of_a_code(code, exit_code):
    assert exit_code_of(code) == exit_code


@pytest.mark.parametrize(
    ("codes", "worst"),
    [
        pytest.param([], 0, id="none"),
        pytest.param([2], 2, id="unusable"),
        pytest.param([3, 2], 3, id="no face too"),
        pytest.param([2, 1, 3], 1, id="something unforeseen"),
    ],
)
def test_the_worst_of_several_photos(codes, worst):
    assert worst_exit(codes) == worst
