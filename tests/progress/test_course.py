"""What the visits between say of a verdict: plateaus, flares, zigzags, and shuffled series."""

import random
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from math import sqrt

import numpy as np
import pytest

from change_builders import START, make_visit, same_place
from comedo.progress.course import contradicts
from comedo.progress.noise import load_noise
from comedo.progress.series import Series
from comedo.progress.values import Answer, Sighting, State, TimePoint, Track
from comedo.progress.verdict import judge_readings
from comedo.types import Group

VISIT = make_visit(0)
PLACE = replace(
    same_place([VISIT])[0], common=np.ones((512, 512), bool), light=None
)  # lights differ as they usually do
NOISE = load_noise()


def series_of(counts):
    """A series of four-weekly visits of which each shows so many of the same lesions, under the shipped noise."""
    visits = tuple(replace(VISIT, when=START + timedelta(days=28 * i)) for i in range(len(counts)))
    ledger = tuple(track(n, counts) for n in range(max(counts)))
    return Series(visits, (PLACE,) * len(counts), ledger, NOISE)


def track(number, counts):
    there, gone = (State.PERSISTING, Group.INFLAMMATORY), (State.RESOLVED, None)
    states = [there if number < n else gone for n in counts]
    sightings = tuple(Sighting(i, state, None, group, 7.0) for i, (state, group) in enumerate(states))
    return Track(number + 1, (100.0, 100.0), None, sightings)


def answer_of(counts):
    """What is said of the first and the last visit, unless those between contradict it."""
    series = series_of(counts)
    found = judge_readings(*series.pair(0, len(counts) - 1), NOISE)
    sd = found.measures[0].noise_sd
    timeline = [TimePoint(i, n, sd, None, None, Answer.SAME) for i, n in enumerate(counts)]
    return Answer.CANNOT_TELL if contradicts(series, timeline, found.answer) else found.answer


@pytest.mark.parametrize(
    ("counts", "answer"),
    [
        pytest.param((20, 2), Answer.BETTER, id="two visits"),
        pytest.param((20, 2, 2, 2), Answer.BETTER, id="confirmed"),
        pytest.param((20, 2, 2, 2, 2), Answer.BETTER, id="confirmed again"),
        pytest.param((20, 4, 3, 4, 3, 4), Answer.BETTER, id="plateau that flickers"),
        pytest.param((20, 20, 20, 2), Answer.BETTER, id="late fall"),
        pytest.param((20, 23, 9, 2), Answer.BETTER, id="flare within noise"),
        pytest.param((20, 26, 2), Answer.BETTER, id="flare of three, less than half of the change"),
        pytest.param((3, 18, 20, 19), Answer.WORSE, id="rise to a plateau"),
        pytest.param((20, 3, 18, 4), Answer.CANNOT_TELL, id="zigzag"),
        pytest.param((4, 18, 3, 20), Answer.CANNOT_TELL, id="zigzag upwards"),
        pytest.param((20, 34, 10, 2), Answer.CANNOT_TELL, id="four with a flare beyond noise"),
        pytest.param((20, 32, 2), Answer.CANNOT_TELL, id="flare of three, more than half of the change"),
    ],
)
def test_answers_of_courses(counts, answer):
    assert answer_of(counts) is answer


@pytest.mark.parametrize(
    ("counts", "most"),
    [
        pytest.param((20, 14, 8, 2), 0.084, id="four"),
        pytest.param((20, 15, 11, 6, 2), 0.017, id="five"),
        pytest.param((20, 16, 13, 9, 6, 2), 0.01, id="six"),
    ],
)
def test_few_orders_of_a_steady_course_have_an_answer(counts, most):
    """Of all orders; those that do have one swap neighbours within noise, or are the course run backwards."""
    orders = list(permutations(counts))
    told = sum(answer_of(order) in (Answer.BETTER, Answer.WORSE) for order in orders)
    assert 2 / len(orders) <= told / len(orders) <= most


@pytest.mark.parametrize(("visits", "least"), [(4, 0.9), (10, 0.9), (30, 0.9)])
def test_a_noisy_plateau_keeps_its_answer_however_often_it_is_confirmed(visits, least):
    rng = random.Random(7)
    told = [answer_of(drawn([20] + [3] * (visits - 1), rng)) is Answer.BETTER for _ in range(100)]
    assert sum(told) / len(told) >= least


def drawn(true, rng):
    """Counts with the noise of single photos: half of the variance of a difference each, rounding (1/12) among it."""
    model = NOISE.measures["count"]
    sd = [sqrt(max(model.sd(n, NOISE.typical_light, 0.0) ** 2 / 2 - 1 / 12, 0.0)) for n in true]
    return [max(0, round(rng.gauss(n, spread))) for n, spread in zip(true, sd, strict=True)]
