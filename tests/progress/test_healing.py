import math

import numpy as np
import pytest

from comedo.progress.healing import LEAST_LESIONS, half_life
from comedo.progress.values import Sighting, State, Track
from comedo.types import Group, Region

STAYS, GOES = (State.PRESENT, State.PERSISTING), (State.PRESENT, State.RESOLVED)


def track(*states, group=Group.INFLAMMATORY):
    """A lesion by its states; None before it was first seen."""
    gone = (State.RESOLVED, State.NOT_VISIBLE)
    sightings = tuple(Sighting(v, s, None, None if s in gone else group) for v, s in enumerate(states) if s)
    return Track(1, (0.0, 0.0), Region.CHIN, sightings)


def many(*groups):
    return [track(*states) for number, states in groups for _ in range(number)]


NOTHING = {
    "no lesions": ([], [0.0, 84.0]),
    "four": (many((LEAST_LESIONS - 1, GOES)), [0.0, 84.0]),
    "days not known": (many((20, GOES)), [None, None]),
    "the same hour": (many((20, GOES)), [0.0, 0.03]),
    "marks": ([track(*STAYS, group=Group.MARK)] * 20, [0.0, 84.0]),
    "seen once": ([track(State.PRESENT, State.NOT_VISIBLE)] * 20, [0.0, 84.0]),
}


@pytest.mark.parametrize(("ledger", "days"), NOTHING.values(), ids=NOTHING)
def test_too_little_for_a_half_life(ledger, days):
    assert half_life(ledger, days) is None


def test_half_life_by_hand():
    # 2 of 20 are left after 84 days: ln 10 / 84 a day.
    found = half_life(many((18, GOES), (2, STAYS)), [0.0, 84.0])
    assert found.days == pytest.approx(84 * math.log(2) / math.log(10))
    low, high = found.interval_90
    assert 0 < low < found.days < high < 84
    for bound in found.interval_90:  # where the log likelihood is 1.353 lower than at the estimate
        assert likelihood(18, 2, 84, bound) == pytest.approx(likelihood(18, 2, 84, found.days) - 2.706 / 2, abs=1e-6)


def likelihood(gone, left, gap, half):
    rate = math.log(2) / half
    return gone * math.log(1 - math.exp(-rate * gap)) - left * rate * gap


@pytest.mark.parametrize("gaps", [1, 2, 7])
def test_what_is_seen_between_does_not_move_an_exact_course(gaps):
    # Half of those left go in each gap of 28 days; 128 lesions at first.
    groups = [(128 >> (n + 1), (State.PRESENT, *[State.PERSISTING] * n, State.RESOLVED)) for n in range(gaps)]
    ledger = many(*groups, (128 >> gaps, (State.PRESENT, *[State.PERSISTING] * gaps)))
    assert half_life(ledger, [28.0 * n for n in range(gaps + 1)]).days == pytest.approx(28)


def test_all_gone_before_the_next_visit_is_an_upper_bound():
    found = half_life(many((20, GOES)), [0.0, 84.0])
    # 20 ln(1 - 2^(-84 / h)) = -1.353
    bound = -84 * math.log(2) / math.log(1 - math.exp(-2.706 / 40))
    assert found.days is None
    assert found.interval_90 == (None, pytest.approx(bound))


def test_none_gone_is_a_lower_bound():
    found = half_life(many((20, STAYS)), [0.0, 84.0])
    assert found.days is None
    assert found.interval_90 == (pytest.approx(math.log(2) * 20 * 84 / 1.353), None)


def test_a_hidden_visit_lengthens_the_gap():
    hidden = (State.PRESENT, State.NOT_VISIBLE, State.RESOLVED)
    found = half_life(many((6, hidden), (6, (State.PRESENT, State.NOT_VISIBLE, State.PERSISTING))), [0.0, 10.0, 20.0])
    assert found.days == pytest.approx(20)


def test_a_mark_that_is_left_has_healed():
    healed = (State.PRESENT, State.TURNED_INTO_MARK)
    marks = [
        Track(
            1,
            (0.0, 0.0),
            None,
            tuple(Sighting(v, s, 1, g) for v, (s, g) in enumerate(zip(healed, GROUPS, strict=True))),
        )
    ] * 6
    assert half_life([*marks, *many((6, STAYS))], [0.0, 10.0]).days == pytest.approx(10)


GROUPS = (Group.INFLAMMATORY, Group.MARK)


def test_nine_in_ten_intervals_hold_the_truth():
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(200):
        gone_on = rng.exponential(30 / math.log(2), 20)
        states = [
            [State.PRESENT, *(State.RESOLVED if day < v else State.PERSISTING for v in (28, 56))] for day in gone_on
        ]
        low, high = half_life([track(*s) for s in states], [0.0, 28.0, 56.0]).interval_90
        held += low < 30 < high
    assert 170 <= held <= 190
