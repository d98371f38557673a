from __future__ import annotations

import numpy as np
import pytest

from builders import make_lesion
from comedo.calibration import AffectedCurve, CountNoise, SeverityCurve
from comedo.grading.acne import affected_probability, grade_affected
from comedo.grading.severity import LEVELS, grade_severity, level_number, severity_of
from comedo.types import Group, Kind

CURVE = SeverityCurve(conspicuous=1.0, faint=0.0, bounds=(0.5, 5.5, 20.5, 50.5), spread=0.4)


@pytest.mark.parametrize(
    ("total", "value"),
    [(0.0, 1.0), (0.5, 1.5), (5.5, 2.5), (20.5, 3.5), (50.5, 4.5), (1e6, 5.0)],
    ids=["clear", "first bound", "5.5", "20.5", "50.5", "beyond"],
)
def test_bounds_lie_half_way_between_levels(total: float, value: float) -> None:
    assert severity_of(total, CURVE) == pytest.approx(value)


@pytest.mark.parametrize(
    ("value", "level"),
    [
        (1.0, "Clear"),
        (1.49, "Clear"),
        (1.5, "Almost clear"),
        (2.5, "Mild"),
        (3.5, "Moderate"),
        (4.5, "Severe"),
        (5.0, "Severe"),
    ],
)
def test_a_value_on_a_bound_belongs_to_the_higher_level(value: float, level: str) -> None:
    assert LEVELS[level_number(value) - 1] == level


def test_clear_skin_is_clear() -> None:
    grade = grade_severity([], 100.0, CURVE)
    assert grade.value == 1
    assert grade.level == "Clear"
    assert grade.interval_90 is not None
    assert grade.interval_90[0] == 1


@pytest.mark.parametrize("seed", range(20))
def test_more_larger_redder_never_lowers_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    curve = SeverityCurve(faint=0.1, large=0.2, red=0.1)
    lesions, values = [], []
    for number in range(25):
        lesions.append(
            make_lesion(
                number + 1,
                diameter_px=float(rng.uniform(2, 20)),
                redness=float(rng.uniform(-5, 20)),
                conspicuity=float(rng.random()),
            )
        )
        values.append(float(grade_severity(lesions, 100.0, curve).value))  # type: ignore[arg-type]
    assert (np.diff(values) >= 0).all()
    assert values[-1] > values[0]


def test_marks_add_nothing() -> None:
    mark = make_lesion(group=Group.MARK, kind=Kind.MARK, conspicuity=1.0)
    assert grade_severity([mark], 100.0, SeverityCurve()).value == 1


def test_the_reason_names_the_arithmetic() -> None:
    lesions = [make_lesion(1, conspicuity=0.9), make_lesion(2, conspicuity=0.1)]
    why = grade_severity(lesions, 100.0, CURVE).why
    assert "2 active lesions, 1 of them conspicuous" in why
    assert "1.0" in why


def test_affected_from_one_half_on() -> None:
    curve = AffectedCurve(middle=2.0, slope=3.0)
    assert affected_probability(2.0, curve) == pytest.approx(0.5)
    assert grade_affected([], 100.0, curve, CURVE).value is False
    many = [make_lesion(i, conspicuity=1.0) for i in range(1, 8)]
    assert grade_affected(many, 100.0, curve, CURVE).value is True


@pytest.mark.parametrize("count", [0, 1, 10, 100])
def test_the_interval_holds_the_count_and_widens(count: int) -> None:
    noise = CountNoise(low=-1.0, high=1.5)
    low, high = noise.interval(count)
    assert 0 <= low <= count <= high
    assert noise.interval(count + 50)[1] - noise.interval(count + 50)[0] >= high - low


@pytest.mark.parametrize("bounds", [(0.5, 20.5, 5.5, 50.5), (0.0, 1.0, 2.0, 3.0), (0.5, 5.5, 5.5, 50.5)])
def test_bounds_that_do_not_rise_are_refused(bounds: tuple[float, float, float, float]) -> None:
    with pytest.raises(ValueError, match="rise"):
        SeverityCurve(bounds=bounds)
