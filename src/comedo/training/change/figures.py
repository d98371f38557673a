"""Figures of changes that are known, each with a 90 % interval that draws people, and the baselines beside them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from comedo.progress.noise import Z_95, ChangeNoise
from comedo.progress.values import Answer, Summary
from comedo.progress.verdict import Conditions, Readings, judge_readings
from comedo.training.bootstrap import interval
from comedo.training.change.pairs import Observation

Table = NDArray[np.float64]
CHANGED = (Answer.BETTER, Answer.WORSE)


def summary_of(observation: Observation, noise: ChangeNoise) -> Summary:
    """What the verdict says of a comparable pair."""
    before, after = (Readings(**side) for side in (observation.before, observation.after))  # type: ignore[arg-type]
    light = noise.typical_light if observation.light is None else observation.light
    return judge_readings(before, after, Conditions(light, observation.zoom, sharpness=observation.sharpness), noise)


def known_figures(
    observations: Sequence[Observation], noise: ChangeNoise, person: Mapping[str, int], rounds: int
) -> dict[str, object]:
    """How changes that are known are told; a large one is at least the smallest detectable one.

    Baselines: the difference of the counts of both photos against Poisson noise; "no change" tells none by definition.
    """
    seen = [(o, summary_of(o, noise)) for o in observations if o.comparable]
    known = [(o, s, float(o.known)) for o, s in seen if o.known is not None]
    large = [(o, s, k) for o, s, k in known if abs(k) >= _smallest(s)]
    told = [(o, s, k) for o, s, k in known if s.answer in CHANGED and k != 0]
    still = [(o, s) for o, s in seen if o.unchanged]

    def people(of: Sequence[Observation]) -> list[int]:
        return [person[o.pair.a] for o in of]

    def share(values: Sequence[bool], of: Sequence[Observation]) -> dict[str, object] | None:
        return with_interval(np.mean, values, rounds, people=people(of))

    def agreement(pairs: Sequence[tuple[float, float]]) -> dict[str, object] | None:
        return with_interval(correlation, pairs, rounds, people=people([o for o, _, _ in known]))

    of_large, of_still = [o for o, _, _ in large], [o for o, _ in still]
    followed = [(o, o.found) for o, _ in seen if o.found is not None]
    return {
        "pairs": len(observations),
        "compared": len(seen),
        "refused_as_poor": sum(o.poor for o in observations),
        "answers": dict(Counter(str(s.answer) for _, s in seen)),
        "large_changes_told": share([s.answer is towards(k) for _, s, k in large], of_large),
        "large_changes_told_by_counts": share([by_counts(o) is towards(k) for o, _, k in large], of_large),
        "large_changes_told_wrongly": share([s.answer is towards(-k) for _, s, k in large], of_large),
        "told_changes_that_are_right": share([s.answer is towards(k) for _, s, k in told], [o for o, _, _ in told]),
        "no_change_called_changed": share([s.answer in CHANGED for _, s in still], of_still),
        "no_change_called_changed_by_counts": share([by_counts(o) in CHANGED for o in of_still], of_still),
        "no_change_without_answer": share([s.answer is Answer.CANNOT_TELL for _, s in still], of_still),
        "smallest_detectable_median": _median([_smallest(s) for _, s in seen]),
        "correlation_with_known": agreement([(s.measures[0].difference, k) for _, s, k in known]),
        "correlation_with_known_of_counts": agreement([(_raw(o), k) for o, _, k in known]),
        "ledger_f1": with_interval(f1_of, [f for _, f in followed], rounds, people=people([o for o, _ in followed])),
    }


def _smallest(summary: Summary) -> float:
    return summary.measures[0].smallest_detectable


def _raw(observation: Observation) -> float:
    before, after = observation.totals or (0, 0)
    return float(after - before)


def towards(change: float) -> Answer:
    """What a known change should be called."""
    return Answer.WORSE if change > 0 else Answer.BETTER


def by_counts(observation: Observation) -> Answer:
    """The baseline's answer."""
    return answer_of_counts(*(observation.totals or (0, 0)))


def answer_of_counts(before: int, after: int) -> Answer:
    """Two counts against Poisson noise: changed when they differ by more than 1.96 times the root of their sum."""
    if abs(after - before) <= Z_95 * math.sqrt(max(before + after, 1)):
        return Answer.SAME
    return towards(after - before)


def correlation(pairs: Sequence[tuple[float, float]] | Table) -> float | None:
    """Pearson's, of pairs or a table (N, 2); None of fewer than three pairs or without any spread."""
    table = np.array(pairs, np.float64).reshape(-1, 2)
    if len(table) < 3 or np.ptp(table[:, 0]) == 0 or np.ptp(table[:, 1]) == 0:
        return None
    return round(float(np.asarray(np.corrcoef(table.T))[0, 1]), 4)


def _median(values: Sequence[float]) -> float | None:
    return round(float(np.median(values)), 2) if values else None


def f1_of(counts: Sequence[tuple[int, int, int]] | Table) -> float | None:
    """F1 of pooled true positives, false positives and false negatives, a row each; None of nothing."""
    right, wrong, missed = np.asarray(counts, np.float64).reshape(-1, 3).sum(0).tolist()
    total = 2 * right + wrong + missed
    return None if total == 0 else round(2 * right / total, 4)


def with_interval(
    statistic: Callable[[Table], object],
    values: Sequence[float | bool | Sequence[float]],
    rounds: int,
    *,
    people: Sequence[Hashable] | None = None,
) -> dict[str, object] | None:
    """A statistic with its 90 % interval; None of nothing or where it is undefined.

    The interval is a bootstrap's. A share of none or of all, which every draw repeats, has the exact binomial bound
    over people instead (Clopper & Pearson 1934, Biometrika 26:404-413). One person alone has no interval.

    Args:
        statistic: Of values, or of a table where each value is a row; None where it is undefined.
        values: What was measured.
        rounds: How often people are drawn.
        people: Whose each value is: people are drawn with all their values. By default each is one's own.
    """
    array = np.asarray(values, np.float64)

    def of(rows: Sequence[int]) -> float | None:
        found = statistic(array[list(rows)])
        return None if found is None else float(np.asarray(found))

    value = of(range(len(array))) if len(array) else None
    if value is None:
        return None
    groups = list(range(len(array))) if people is None else list(people)
    number = len(set(groups))
    share = statistic is np.mean and array.ndim == 1 and set(array.tolist()) <= {0.0, 1.0}
    spread = _exact(value, number) if share and value in (0.0, 1.0) else interval(groups, of, rounds=rounds)
    return {
        "value": round(value, 5),
        "interval_90": None if spread is None or number < 2 else [round(float(end), 5) for end in spread],
        "n": len(array),
        "people": number,
    }


def _exact(share: float, number: int) -> tuple[float, float]:
    """The 90 % binomial interval of a share of 0 or 1 of so many."""
    bound = 0.05 ** (1 / number)
    return (bound, 1.0) if share == 1.0 else (0.0, 1.0 - bound)
