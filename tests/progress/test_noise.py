import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comedo.errors import ModelError
from comedo.progress.noise import MeasureNoise, load_noise, personal_factor, read_noise

PLAIN = MeasureNoise(
    base=1, per_unit=2, relative=0, light=1, zoom=4, margin=1, margin_share=0, useful=5, useful_share=0
)


def test_variance_by_hand():
    assert PLAIN.sd(4, 0, 0) == 3  # 1 + 2 * 4
    assert PLAIN.sd(4, 0.5, 0) == pytest.approx(math.sqrt(9 + 0.25 * 16))
    assert PLAIN.sd(4, 0, 0.25) == pytest.approx(math.sqrt(9 + 4 * 0.0625 * 16))
    assert PLAIN.model_copy(update={"inflation": 2.0}).sd(4, 0, 0) == 6


@settings(deadline=None)
@given(st.floats(0, 200), st.floats(0, 1), st.floats(-2, 2))
def test_worse_conditions_and_more_lesions_are_never_less_noise(mean, light, zoom):
    model = load_noise().measures["count"]
    here = model.sd(mean, light, zoom)
    assert here <= model.sd(mean + 1, light, zoom)
    assert here <= model.sd(mean, light + 0.1, zoom)
    assert model.sd(mean, light, 0) <= here


def test_the_shipped_model_names_its_pairs():
    model = load_noise()
    assert set(model.measures) == {"count", "area", "severity"}
    assert model.pairs >= 10
    assert "repeats" in model.provenance


@pytest.mark.parametrize("text", [b"", b"{}", b'{"pairs": -1}'], ids=["empty", "no fields", "negative"])
def test_a_damaged_model_is_refused(text):
    with pytest.raises(ModelError, match="noise model"):
        read_noise(text)


@pytest.mark.parametrize(
    ("scores", "factor"),
    [
        pytest.param([], None, id="no repeats"),
        pytest.param([1.0], 1.0, id="as expected"),
        pytest.param([0.0] * 8, 0.7071, id="steady"),
        pytest.param([0.0] * 100, 0.7, id="not below"),
        pytest.param([4.0], math.sqrt(24 / 9), id="one outlier"),
        pytest.param([9.0] * 30, 2.5, id="not above"),
    ],
)
def test_personal_factor(scores, factor):
    assert personal_factor(scores) == (None if factor is None else pytest.approx(factor, abs=1e-3))
