"""Rendered series with known lesions and known motion: what the ledger, the alignment and the verdict make of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from comedo.geometry import apply, invert
from comedo.photo import read_photo
from comedo.pipeline import Analyzer
from comedo.progress.canvas import EYE_DISTANCE_PX, mirror
from comedo.progress.change import measure_change
from comedo.progress.compare import compare
from comedo.progress.values import Answer, Change, State, Visit
from comedo.synthetic import (
    Camera,
    FaceSpec,
    LesionSpec,
    RenderedFace,
    random_spec,
    render,
    same_person,
    scatter_lesions,
)
from comedo.tracking import to_visit
from comedo.training.change.figures import answer_of_counts, f1_of, with_interval
from comedo.types import Group, Kind, Lesion

_COURSES = ("better", "same", "worse")
_SHARES = {Kind.PAPULE: 0.5, Kind.PUSTULE: 0.2, Kind.CLOSED_COMEDONE: 0.1, Kind.OPEN_COMEDONE: 0.1, Kind.MARK: 0.1}
_FEWEST, _MOST = 8, 36
_KEPT = (0.0, 0.6)  # share of lesions left after a change
_MATCH_MM = 1.5
_TOLD = (State.NEW, State.PERSISTING, State.RESOLVED)

Statement = tuple[int, int, State]  # lesion of the spec (negative: none), visit, state


@dataclass(frozen=True)
class SeriesResult:
    """One rendered series of three photos; changes are of active lesions in sight, last minus first."""

    course: str
    view: str
    answer: str
    true_change: int
    smallest_detectable: float | None
    motion_error: float | None  # median over lesions in both photos, over the eye distance
    exact: tuple[int, int, int]  # true positives, false positives, false negatives of the ledger on the true lesions
    found: tuple[int, int, int]  # the same on the lesions that the networks found
    found_visible: tuple[int, int, int]  # the same without lesions that a photo has in sight too faint to be seen
    seen: tuple[int, int, int]  # the same of the true lesions, active or not, that at least one photo shows them
    by_counts: str  # the baseline's answer
    mirrored_view: str
    stranger_view: str | None


def evaluate_series(
    number: int, width: int, analyzer: Analyzer, store: Path, *, rounds: int = 1000
) -> dict[str, object]:
    """Measure on rendered series; what is in `store` already is not done again."""
    path = store / f"series-{width}.jsonl"
    results = [_from_line(line) for line in path.read_text("utf-8").splitlines()] if path.is_file() else []
    stranger: Visit | None = None
    with path.open("a", encoding="utf-8") as file:
        for seed in range(len(results), number):
            result, stranger = measure_series(seed, width, analyzer, stranger)
            file.write(json.dumps(asdict(result)) + "\n")
            file.flush()
            results.append(result)
    return summarise(results[:number], rounds)


def summarise(results: Sequence[SeriesResult], rounds: int) -> dict[str, object]:
    """Figures over series; a large change is one of at least the smallest detectable one."""
    compared = [r for r in results if r.view == "comparable"]
    large = [
        r for r in compared if r.smallest_detectable is not None and abs(r.true_change) >= r.smallest_detectable > 0
    ]
    still = [r for r in compared if r.true_change == 0]
    strangers = [r.stranger_view for r in results if r.stranger_view is not None]
    return {
        "series": len(results),
        "compared": len(compared),
        "trend_accuracy_from_smallest_detectable": with_interval(
            np.mean, [r.answer == ("worse" if r.true_change > 0 else "better") for r in large], rounds
        ),
        "large_changes_told_by_counts": with_interval(
            np.mean, [r.by_counts == ("worse" if r.true_change > 0 else "better") for r in large], rounds
        ),
        "smallest_detectable_median": float(np.median([r.smallest_detectable or 0 for r in compared]))
        if compared
        else None,
        "no_change_called_changed": with_interval(np.mean, [r.answer in ("better", "worse") for r in still], rounds),
        "no_change_without_answer": with_interval(np.mean, [r.answer == "cannot_tell" for r in still], rounds),
        "alignment_against_motion_median": with_interval(
            np.median, [r.motion_error for r in compared if r.motion_error is not None], rounds
        ),
        "ledger_f1_true_lesions": with_interval(f1_of, [r.exact for r in compared], rounds),
        "ledger_f1_found_lesions": with_interval(f1_of, [r.found for r in compared], rounds),
        "ledger_f1_found_of_visible_lesions": with_interval(f1_of, [r.found_visible for r in compared], rounds),
        "ledger_f1_of_spots_that_a_photo_shows": with_interval(f1_of, [r.seen for r in compared], rounds),
        "mirrored_noticed": with_interval(np.mean, [r.mirrored_view == "mirrored" for r in results], rounds),
        "mirrored_false_alarms": with_interval(np.mean, [r.view == "mirrored" for r in results], rounds),
        "strangers_compared": with_interval(np.mean, [v == "comparable" for v in strangers], rounds),
    }


def measure_series(
    seed: int, width: int, analyzer: Analyzer, stranger: Visit | None
) -> tuple[SeriesResult, Visit | None]:
    """Render a series, analyse it, and hold everything against what was rendered; also its baseline visit."""
    faces = [render(spec) for spec in series_specs(seed, width, _COURSES[seed % 3])]
    visits = [_visit(analyzer, face, i) for i, face in enumerate(faces)]
    return assess(_COURSES[seed % 3], faces, visits, stranger), visits[0]


def assess(course: str, faces: Sequence[RenderedFace], visits: Sequence[Visit], stranger: Visit | None) -> SeriesResult:
    """Hold what is said of the visits against what was rendered."""
    specs = [face.spec for face in faces]
    change = measure_change(visits)
    truth = statements_of_truth(faces, specs)
    exact = measure_change([replace(v, lesions=true_lesions(f), faint=()) for v, f in zip(visits, faces, strict=True)])
    count = change.whole.measures[0] if change.whole.measures else None
    identity, hidden = _by_place(visits, faces), too_faint(faces)
    told = statements_of(change, identity)
    return SeriesResult(
        course=course,
        view=str(change.comparisons[-1].view),
        answer=str(change.whole.answer if change.whole.answer in _CERTAIN else Answer.CANNOT_TELL),
        true_change=_active(faces[-1]) - _active(faces[0]),
        smallest_detectable=None if count is None else count.smallest_detectable,
        motion_error=motion_error(change, faces),
        exact=score(statements_of(exact, _by_id(faces)), truth),
        found=score(told, truth),
        found_visible=score({s for s in told if s[0] not in hidden}, {s for s in truth if s[0] not in hidden}),
        seen=_score_seen(change, identity, statements_of_truth(faces, specs, marks=True)),
        by_counts=str(answer_of_counts(visits[0].counts.total, visits[-1].counts.total)),
        mirrored_view=str(compare(visits[0], replace(visits[-1], canvas=mirror(visits[-1].canvas))).view),
        stranger_view=None if stranger is None else str(compare(stranger, visits[-1]).view),
    )


_COUNTED = ("exact", "found", "found_visible", "seen")
_CERTAIN = (Answer.BETTER, Answer.SAME, Answer.WORSE)


def series_specs(seed: int, width: int, course: str) -> list[FaceSpec]:
    """Three photos of a rendered person under changing light, pose and scale, and a known course of the lesions."""
    rng = np.random.default_rng([seed, 61])
    base = random_spec(seed, n_lesions=0, max_yaw_deg=35, size_wh=(width, round(width * 1.25)))
    number = int(rng.integers(_FEWEST, _MOST))
    counts = {kind: round(number * share) for kind, share in _SHARES.items()}
    lesions = list(scatter_lesions(base.person, counts, seed=seed))
    kept = float(rng.uniform(*_KEPT))
    order = [lesions[i] for i in rng.permutation(len(lesions))]
    middle, few = order[: round(len(order) * (1 + kept) / 2)], order[: round(len(order) * kept)]
    courses: Mapping[str, list[list[LesionSpec]]] = {
        "better": [order, middle, few],
        "same": [order, order, order],
        "worse": [few, middle, order],
    }
    camera = replace(base.camera, face_share=max(base.camera.face_share, 0.6), mirrored=False)
    base = replace(base, camera=_unchanged(camera), glasses=False, lesions=tuple(courses[course][0]))
    later = [same_person(base, seed * 10 + i, lesions=courses[course][i]) for i in (1, 2)]
    return [base, *later]


def _unchanged(camera: Camera) -> Camera:
    return replace(camera, blur_px=min(camera.blur_px, 0.8), noise=min(camera.noise, 0.01))


def _visit(analyzer: Analyzer, face: RenderedFace, index: int) -> Visit:
    photo = read_photo(face.image, name=f"photo {index + 1}")
    when = datetime(2026, 1, 1) + timedelta(days=42 * index)  # noqa: DTZ001 - photos know no zone
    return to_visit(photo, analyzer.analyze(photo, allow_poor=True), when)


def _active(face: RenderedFace) -> int:
    return sum(lesion.group is not Group.MARK for lesion in face.lesions)


def true_lesions(face: RenderedFace) -> tuple[Lesion, ...]:
    """What a perfect finder would report; ids are those of the spec's lesions in this photo, from 1."""
    return tuple(
        Lesion(
            id=truth.index + 1,
            box_xyxy=truth.box_xyxy,
            center_xy=truth.center_xy,
            diameter_px=truth.diameter_px,
            diameter_mm=truth.diameter_mm,
            area_px=float(truth.area_px),
            score=1.0,
            group=truth.group,
            group_probs={truth.group: 1.0},
            kind=truth.kind,
            kind_probs={truth.kind: 1.0},
            region=truth.region,
            redness=None,
        )
        for truth in face.lesions
    )


def _keys(faces: Sequence[RenderedFace]) -> dict[LesionSpec, int]:
    """One number for a lesion in all photos of the series."""
    return {spec: i for i, spec in enumerate(dict.fromkeys(s for face in faces for s in face.spec.lesions))}


def too_faint(faces: Sequence[RenderedFace]) -> set[int]:
    """Lesions that some photo has in sight and nobody could see there, see `RenderedLesion.visible`."""
    keys = _keys(faces)
    return {keys[face.spec.lesions[t.index]] for face in faces for t in face.lesions if not t.visible}


def _by_id(faces: Sequence[RenderedFace]) -> list[dict[int, int]]:
    keys = _keys(faces)
    return [{t.index + 1: keys[face.spec.lesions[t.index]] for t in face.lesions} for face in faces]


def _by_place(visits: Sequence[Visit], faces: Sequence[RenderedFace]) -> list[dict[int, int]]:
    """Which rendered lesion each found one is: the nearest within its radius or 1.5 mm, each taken once."""
    keys, found = _keys(faces), []
    for visit, face in zip(visits, faces, strict=True):
        pairs = sorted(
            (float(np.hypot(*np.subtract(x.center_xy, t.center_xy))), x.id, t.index, t.diameter_px)
            for x in visit.lesions
            for t in face.lesions
        )
        mine: dict[int, int] = {}
        for apart, number, index, diameter in pairs:
            key = keys[face.spec.lesions[index]]
            near = apart <= max(diameter / 2, _MATCH_MM / face.mm_per_px)
            if near and number not in mine and key not in mine.values():
                mine[number] = key
        found.append(mine)
    return found


def statements_of_truth(
    faces: Sequence[RenderedFace], specs: Sequence[FaceSpec], *, marks: bool = False
) -> set[Statement]:
    """What is true of each active lesion, or mark too, at each later visit, where both photos would show it."""
    keys = _keys(faces)
    seen = [{keys[f.spec.lesions[t.index]] for t in f.lesions if marks or t.group is not Group.MARK} for f in faces]
    there = [{keys[s] for s in spec.lesions} for spec in specs]
    told: set[Statement] = set()
    for visit in range(1, len(faces)):
        for key in set().union(*seen[: visit + 1]):
            before = any(key in seen[v] for v in range(visit))
            if key in seen[visit]:
                told.add((key, visit, State.PERSISTING if before else State.NEW))
            elif before and key not in there[visit]:
                told.add((key, visit, State.RESOLVED))
    return told


def statements_of(change: Change, identity: Sequence[Mapping[int, int]], *, marks: bool = False) -> set[Statement]:
    """What the ledger says of active lesions, or marks too, at later visits; of one not rendered below zero."""
    told: set[Statement] = set()
    for track in change.ledger:
        if not marks and not track.was_active:
            continue
        ids = [identity[s.visit].get(s.lesion_id, -1) for s in track.sightings if s.lesion_id is not None]
        known = next((i for i in ids if i >= 0), -track.id)
        told |= {(known, s.visit, s.state) for s in track.sightings if s.visit > 0 and s.state in _TOLD}
    return told


def _score_seen(change: Change, identity: Sequence[Mapping[int, int]], truth: set[Statement]) -> tuple[int, int, int]:
    """Tracking alone: of spots, whatever their group, that the networks find in at least one photo."""
    found = {key for photo in identity for key in photo.values()}
    return score(statements_of(change, identity, marks=True), {s for s in truth if s[0] in found})


def score(told: set[Statement], truth: set[Statement]) -> tuple[int, int, int]:
    """True positives, false positives, false negatives."""
    return len(told & truth), len(told - truth), len(truth - told)


def motion_error(change: Change, faces: Sequence[RenderedFace]) -> float | None:
    """Median distance between where the alignment puts a lesion and where it was rendered, over the eye distance."""
    keys = _keys(faces)
    places = [{keys[f.spec.lesions[t.index]]: t.center_xy for t in f.lesions} for f in faces]
    errors: list[float] = []
    for visit in range(1, len(faces)):
        both = sorted(places[0].keys() & places[visit].keys())
        alignment = change.comparisons[visit].alignment
        if not both or alignment is None or not change.comparisons[visit].comparable:
            continue
        start, end = (
            apply(invert(change.visits[v].canvas.to_photo), np.array([places[v][k] for k in both], np.float64))
            for v in (0, visit)
        )
        errors += np.hypot(*(alignment.to_later(start) - end).T).tolist()
    return float(np.median(errors)) / EYE_DISTANCE_PX if errors else None


def _from_line(line: str) -> SeriesResult:
    row = json.loads(line)
    return SeriesResult(**{**row, **{name: tuple(row[name]) for name in _COUNTED}})
