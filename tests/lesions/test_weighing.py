"""Candidates weighed by their size and surroundings."""

from __future__ import annotations

import numpy as np
import pytest

from comedo.calibration import Weighing
from comedo.lesions.network import ACTIVE, RADIUS
from comedo.lesions.peaks import Peaks, find_peaks
from comedo.lesions.weighing import FEATURES, describe, weigh


def make_peaks(*active: float, radius: float = 8.0, around: float = 0.02) -> Peaks:
    n = len(active)
    same = [np.full(n, v, np.float32) for v in (radius, 0.0, 0.1, 0.1, 0.9, around)]
    return Peaks(np.zeros((n, 2), np.float32), same[0], np.asarray(active, np.float32), *same[1:4], same[5])


def test_no_candidates_are_weighed_without_complaint():
    assert describe(make_peaks()).shape == (0, len(FEATURES))
    assert len(weigh(make_peaks(), Weighing(offset=1.0))) == 0


def test_the_defaults_leave_the_networks_probability():
    peaks = make_peaks(0.9, 0.2)
    assert weigh(peaks, Weighing()) is peaks


def test_columns_are_what_the_names_say():
    columns = describe(make_peaks(0.75, 0.5, radius=np.e, around=0.1))
    never, one_in_ten = np.log(1e-4), np.log(1 / 9)
    assert columns[0] == pytest.approx([np.log(3), 1, np.log(0.1), 0.625, never, one_in_ten, one_in_ten], abs=1e-3)
    assert columns[1, 0] == pytest.approx(0.0, abs=1e-6)
    many = make_peaks(*[0.8] * 10, *[0.1] * 50)
    assert describe(many)[0, 3] == pytest.approx(0.8)


def test_the_weighed_probability_is_a_logistic_curve_over_the_columns():
    weighed = weigh(make_peaks(0.5), Weighing(offset=-1.0, score=2.0, radius=0.0, around=0.0, photo=4.0))
    assert weighed.active[0] == pytest.approx(1 / (1 + np.exp(-(-1 + 2 * 0 + 4 * 0.5))))


def test_a_larger_candidate_among_others_is_likelier_where_the_weights_say_so():
    weights = Weighing(radius=1.0, around=0.3)
    small, large = (weigh(make_peaks(0.4, radius=r), weights).active[0] for r in (4.0, 12.0))
    alone, among = (weigh(make_peaks(0.4, around=a), weights).active[0] for a in (0.01, 0.1))
    assert small < large
    assert alone < among


def test_the_order_stays_so_that_what_was_measured_still_belongs_to_its_candidate():
    weighed = weigh(make_peaks(0.9, 0.6, 0.3), Weighing(score=0.5))
    assert list(weighed.active) == sorted(weighed.active, reverse=True)


def test_surroundings_are_the_mean_of_the_heat_nearby():
    maps = np.zeros((6, 160, 200), np.float32)
    maps[RADIUS] = 6.0
    maps[ACTIVE] = 0.06  # a uniform field has the same mean everywhere
    maps[ACTIVE, 80, 100] = 0.9
    best = find_peaks(maps, np.ones((160, 200), bool))
    assert best.around[0] == pytest.approx(0.06, abs=0.002)
    alone = np.zeros_like(maps)
    alone[ACTIVE, 5, 5] = 0.9
    assert 0 < find_peaks(alone, np.ones((160, 200), bool)).around[0] < 0.01
