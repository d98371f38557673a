"""How well changes over time are told on repeat photos: alignment, false alarms, strangers, mirrored photos."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from comedo.errors import ComedoError
from comedo.geometry import Affine, apply
from comedo.pipeline import Analyzer
from comedo.progress.canvas import mirror
from comedo.progress.compare import compare
from comedo.progress.noise import ChangeNoise, load_noise
from comedo.progress.values import Answer, Visit
from comedo.progress.verdict import Conditions, Readings, judge_readings
from comedo.training.bootstrap import interval
from comedo.training.change_pairs import Observation, Pair, find_photo, observe, people_of, read_visit

_POINTS = 400  # of the baseline's skin at which an alignment is compared with an affine


@dataclass(frozen=True)
class PairResult:
    """A pair with its mirror image and a stranger held against it."""

    observation: Observation
    mirrored_view: str | None
    stranger_view: str | None  # of another person's pair measured before
    affine_error: float | None  # median distance from the given affine over the eye distance


def evaluate_pairs(
    pairs: Sequence[Pair],
    folder: Path,
    analyzer: Analyzer,
    store: Path,
    *,
    affines: Path | None = None,
    rounds: int = 1000,
) -> dict[str, object]:
    """Measure on repeat photos; what is in `store` already is not done again."""
    known = {} if affines is None else _read_affines(affines)
    # Lists name photos of one person side by side: drawn at random, another person's came shortly before.
    drawn = [pairs[i] for i in np.random.default_rng(1).permutation(len(pairs))]
    results = list(_results(drawn, folder, analyzer, store / "pairs.jsonl", known))
    seen = [r for r in results if r.observation.comparable]
    answers = [answer_of(r.observation, load_noise()) for r in seen]
    alarms = [a in (Answer.BETTER, Answer.WORSE) for a in answers]
    strangers = [r.stranger_view for r in results if r.stranger_view is not None]
    mirrored = [r.mirrored_view for r in seen if r.mirrored_view is not None]
    errors = [r.affine_error for r in seen if r.affine_error is not None]
    residuals = [r.observation.residual_share for r in seen if r.observation.residual_share is not None]
    return {
        "pairs": len(results),
        "views": dict(Counter(r.observation.view for r in results)),
        "answers": dict(Counter(map(str, answers))),
        "no_change_called_changed": with_interval(np.mean, alarms, rounds),
        "abstained_of_all": with_interval(
            np.mean,
            [not r.observation.comparable for r in results if not r.observation.comparable]
            + [a is Answer.CANNOT_TELL for a in answers],
            rounds,
        ),
        "alignment_against_affines_median": with_interval(np.median, errors, rounds),
        "alignment_residual_of_patches_median": with_interval(np.median, residuals, rounds),
        "strangers_compared": with_interval(np.mean, [v == "comparable" for v in strangers], rounds),
        "mirrored_noticed": with_interval(np.mean, [v == "mirrored" for v in mirrored], rounds),
        "mirrored_false_alarms": with_interval(np.mean, [r.observation.view == "mirrored" for r in results], rounds),
    }


def answer_of(observation: Observation, noise: ChangeNoise) -> Answer:
    """What the shipped verdict says of a comparable pair."""
    before, after = (Readings(**side) for side in (observation.before, observation.after))  # type: ignore[arg-type]
    light = noise.typical_light if observation.light is None else observation.light
    return judge_readings(before, after, Conditions(light, observation.zoom), noise).answer


def with_interval(
    statistic: Callable[[NDArray[np.float64]], object], values: Sequence[float | bool], rounds: int
) -> dict[str, object] | None:
    """A statistic with its 90 % bootstrap interval; None of nothing."""
    if not values:
        return None
    array = np.asarray(values, np.float64)

    def of(rows: Sequence[int]) -> float:
        return float(np.asarray(statistic(array[list(rows)])))

    value = of(range(len(array)))
    low, high = interval(range(len(array)), of, rounds=rounds) or (value, value)
    return {"value": round(value, 5), "interval_90": [round(float(low), 5), round(float(high), 5)], "n": len(array)}


def _read_affines(path: Path) -> dict[tuple[str, str], Affine]:
    rows = json.loads(path.read_text("utf-8"))
    return {(row["a"], row["b"]): np.array(row["affine_a_to_b_512"], np.float64) for row in rows}


def _results(
    pairs: Sequence[Pair],
    folder: Path,
    analyzer: Analyzer,
    store: Path,
    affines: Mapping[tuple[str, str], Affine],
) -> Iterator[PairResult]:
    done = {(r.observation.pair.a, r.observation.pair.b): r for r in read_results(store)} if store.is_file() else {}
    person = people_of(pairs)
    met: dict[int, Visit] = {}  # the last two people, the later one last
    with store.open("a", encoding="utf-8") as file:
        for pair in pairs:
            if (pair.a, pair.b) in done:
                yield done[pair.a, pair.b]
                continue
            try:
                first, second = (read_visit(analyzer, find_photo(folder, name)) for name in (pair.a, pair.b))
            except ComedoError as error:
                result = PairResult(Observation(pair, error.code, None, None, None, 0.0, {}, {}), None, None, None)
            else:
                me = person[pair.a]
                others = {who: visit for who, visit in met.items() if who != me}
                stranger = next(reversed(others.values()), None)
                result = _measure(pair, first, second, stranger, affines.get((pair.a, pair.b)))
                met = {**dict(list(others.items())[-1:]), me: first}
            file.write(json.dumps(asdict(result)) + "\n")
            file.flush()
            yield result


def _measure(pair: Pair, first: Visit, second: Visit, stranger: Visit | None, affine: Affine | None) -> PairResult:
    observation = observe(pair, first, second, load_noise())
    flipped = replace(second, canvas=mirror(second.canvas))
    other = None if stranger is None else str(compare(stranger, second).view)
    error = None if affine is None or not observation.comparable else affine_error(first, second, affine)
    return PairResult(observation, str(compare(first, flipped).view), other, error)


def affine_error(first: Visit, second: Visit, affine: Affine) -> float | None:
    """Median distance between where the alignment and the affine put skin of the first photo, over the eye distance."""
    alignment = compare(first, second).alignment
    rows, columns = np.nonzero(first.canvas.skin())
    if alignment is None or not len(rows):
        return None
    chosen = np.random.default_rng(0).integers(len(rows), size=_POINTS)
    points = np.stack([columns[chosen], rows[chosen]], 1).astype(np.float64)
    ours = apply(second.canvas.to_photo, alignment.to_later(points))
    theirs = apply(affine, apply(first.canvas.to_photo, points))
    return float(np.median(np.hypot(*(ours - theirs).T))) / (second.face.face_px * 63 / 65)


def read_results(path: Path) -> list[PairResult]:
    """What an earlier run stored."""
    results = []
    for line in path.read_text("utf-8").splitlines():
        row = json.loads(line)
        observation = row.pop("observation")
        pair = Pair(**observation.pop("pair"))
        results.append(PairResult(Observation(pair, **observation), **row))
    return results
