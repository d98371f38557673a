"""How well changes over time are told on real photos: alignment, false alarms, known changes, strangers, mirrors."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from comedo.errors import ComedoError, NoFaceFound
from comedo.geometry import Affine, apply
from comedo.photo import read_photo
from comedo.progress.canvas import mirror
from comedo.progress.compare import compare
from comedo.progress.values import Comparison, Visit
from comedo.training.change.figures import known_figures, with_interval
from comedo.training.change.pairs import (
    PASTED,
    RETAKEN,
    VISITS,
    Observation,
    Pair,
    find_photo,
    observation_of,
    people_of,
    read_visit,
)
from comedo.training.change.repeats import (
    Material,
    clear_jobs,
    jobs_of,
    observe_all,
    observe_visits,
    on_clear,
    retaken_beside,
)

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
    material: Material,
    store: Path,
    *,
    affines: Path | None = None,
    rounds: int = 1000,
) -> dict[str, object]:
    """Measure on real photos; what is in `store` already is not done again."""
    known = {} if affines is None else _read_affines(affines)
    # Lists name photos of one person side by side: drawn at random, another person's came shortly before.
    drawn = [pairs[i] for i in np.random.default_rng(1).permutation(len(pairs))]
    results = list(_results(drawn, material, store / "pairs.jsonl", known))
    jobs = [job for job in jobs_of(pairs, pasted=bool(material.donors)) if job.kind != VISITS]
    jobs += retaken_beside(pairs, material.people)
    more = list(observe_all(jobs, material, store / "repeats.jsonl"))
    person = people_of(pairs)
    everybody = people_of([*pairs, *_same_person(material.people)])

    def figures(kind: str) -> dict[str, object]:
        every = [r.observation for r in results] + more
        return known_figures([o for o in every if o.kind == kind], material.noise, everybody, rounds)

    return {
        **_views(results, person, rounds),
        "noise_images_with_a_face": with_interval(np.mean, _faces_in_noise(material, len(pairs)), rounds),
        "retaken": figures(RETAKEN),
        "pasted": figures(PASTED),
        "later_visits_against_annotators": figures(VISITS),
    }


def _same_person(people: Mapping[str, str]) -> list[Pair]:
    """Each photo beside the first one of its person."""
    first: dict[str, str] = {}
    return [Pair(first.setdefault(who, name), name, "", "", "") for name, who in people.items()]


def _faces_in_noise(material: Material, number: int) -> list[bool]:
    """Whether a face is found in pictures of noise, fine and coarse by turns: without one there is no comparison."""
    found = []
    for seed in range(number):
        side = 512 if seed % 2 else 32
        noise = np.random.default_rng([seed, 7]).integers(0, 256, (side, side, 3), dtype=np.uint8)
        picture = cv2.resize(noise, (512, 512), interpolation=cv2.INTER_CUBIC)
        try:
            material.analyzer.mapper.find(read_photo(picture, name="noise"))
        except NoFaceFound:
            found.append(False)
        else:
            found.append(True)
    return found


def evaluate_clear(
    folder: Path, split: str, most: int, material: Material, store: Path, *, rounds: int
) -> dict[str, object]:
    """Measure lesions that come and go on clear faces: photos of a folder's side, at most so many, drawn at random."""
    jobs = clear_jobs(folder, split, most)
    found = list(observe_all(jobs, on_clear(material, folder), store / "clear.jsonl"))
    return known_figures(found, material.noise, {job.pair.a: i for i, job in enumerate(jobs)}, rounds)


def _views(results: Sequence[PairResult], person: Mapping[str, int], rounds: int) -> dict[str, object]:
    """Figures of what is compared at all."""

    def figure(
        statistic: Callable[[NDArray[np.float64]], object], value: Callable[[PairResult], float | None]
    ) -> dict[str, object] | None:
        rows = [(v, person[r.observation.pair.a]) for r in results if (v := value(r)) is not None]
        return with_interval(statistic, [v for v, _ in rows], rounds, people=[who for _, who in rows])

    def compared(r: PairResult) -> bool:
        return r.observation.comparable

    return {
        "pairs": len(results),
        "people": len(set(person.values())),
        "views": dict(Counter(r.observation.view for r in results)),
        "alignment_against_affines_median": figure(np.median, lambda r: r.affine_error if compared(r) else None),
        "alignment_residual_of_patches_median": figure(
            np.median, lambda r: r.observation.residual_share if compared(r) else None
        ),
        "strangers_compared": figure(
            np.mean, lambda r: None if r.stranger_view is None else r.stranger_view == "comparable"
        ),
        "mirrored_noticed": figure(
            np.mean, lambda r: r.mirrored_view == "mirrored" if compared(r) and r.mirrored_view else None
        ),
        "mirrored_false_alarms": figure(np.mean, lambda r: r.observation.view == "mirrored"),
    }


def _read_affines(path: Path) -> dict[tuple[str, str], Affine]:
    rows = json.loads(path.read_text("utf-8"))
    return {(row["a"], row["b"]): np.array(row["affine_a_to_b_512"], np.float64) for row in rows}


def _results(
    pairs: Sequence[Pair], material: Material, store: Path, affines: Mapping[tuple[str, str], Affine]
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
                first, second = (
                    read_visit(material.analyzer, find_photo(material.folder, name)) for name in (pair.a, pair.b)
                )
            except ComedoError as error:
                result = PairResult(Observation(pair, error.code, None, None, None, 0.0, {}, {}), None, None, None)
            else:
                me = person[pair.a]
                others = {who: visit for who, visit in met.items() if who != me}
                stranger = next(reversed(others.values()), None)
                result = _measure(pair, (first, second), stranger, affines.get((pair.a, pair.b)), material)
                met = {**dict(list(others.items())[-1:]), me: first}
            file.write(json.dumps(asdict(result)) + "\n")
            file.flush()
            yield result


def _measure(
    pair: Pair, visits: tuple[Visit, Visit], stranger: Visit | None, affine: Affine | None, material: Material
) -> PairResult:
    first, second = visits
    found = compare(first, second)
    observation = observe_visits(pair, visits, found, material)
    flipped = replace(second, canvas=mirror(second.canvas))
    other = None if stranger is None else str(compare(stranger, second).view)
    error = None if affine is None or not found.comparable else affine_error(first, second, found, affine)
    return PairResult(observation, str(compare(first, flipped).view), other, error)


def affine_error(first: Visit, second: Visit, found: Comparison, affine: Affine) -> float | None:
    """Median distance between where the alignment and the affine put skin of the first photo, over the eye distance."""
    rows, columns = np.nonzero(first.canvas.skin())
    if found.alignment is None or not len(rows):
        return None
    chosen = np.random.default_rng(0).integers(len(rows), size=_POINTS)
    points = np.stack([columns[chosen], rows[chosen]], 1).astype(np.float64)
    ours = apply(second.canvas.to_photo, found.alignment.to_later(points))
    theirs = apply(affine, apply(first.canvas.to_photo, points))
    return float(np.median(np.hypot(*(ours - theirs).T))) / (second.face.face_px * 63 / 65)


def read_results(path: Path) -> list[PairResult]:
    """What an earlier run stored."""
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return [PairResult(observation_of(row.pop("observation")), **row) for row in rows]
