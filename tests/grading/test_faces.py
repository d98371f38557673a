"""What the scales read from the face map: halves, involved skin; and all scales together."""

from __future__ import annotations

import dataclasses
import json
import pickle
import re
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from comedo.grading import SCALES, grade_all
from comedo.grading.halves import Halves, face_midline, inflamed_by_half
from comedo.grading.involvement import Involvement, measure_involvement
from comedo.types import Counts, FaceMap, Grade, Group, Kind, Lesion, Part, Region

COMEDONE, PAPULE, PUSTULE, NODULE = Kind.OPEN_COMEDONE, Kind.PAPULE, Kind.PUSTULE, Kind.NODULE
LADDER = (Kind.MARK, COMEDONE, PAPULE, PUSTULE, NODULE)


def make_face(**values: Any) -> FaceMap:
    """A face of 100 x 100 cells, 2 photo pixels each: five blocks of skin, lips in the middle below."""
    parts = np.zeros((100, 100), np.uint8)
    parts[0:30] = Part.FOREHEAD
    parts[30:70, 0:40] = Part.RIGHT_CHEEK
    parts[30:70, 40:60] = Part.NOSE
    parts[30:70, 60:100] = Part.LEFT_CHEEK
    parts[70:100] = Part.CHIN
    parts[80:90, 40:60] = Part.LIPS
    face = FaceMap(
        parts=parts,
        to_photo=np.array([[2.0, 0, 0], [0, 2.0, 0]]),
        box_xyxy=(0.0, 0.0, 200.0, 200.0),
        eyes_xy=((60.0, 60.0), (140.0, 60.0)),
        roll_deg=0.0,
        yaw_deg=0.0,
        mm_per_px=0.9,
        mm_per_px_error=0.08,
        face_px=80.0,
        score=0.99,
    )
    return dataclasses.replace(face, **values)


def make_lesion(kind: Kind, xy: tuple[float, float], region: Region | None) -> Lesion:
    group = Group.MARK if kind is Kind.MARK else Group.NON_INFLAMMATORY if kind is COMEDONE else Group.INFLAMMATORY
    box = (xy[0] - 2, xy[1] - 2, xy[0] + 2, xy[1] + 2)
    return Lesion(1, box, xy, 4.0, 3.6, 12.0, 0.9, group, {group: 1.0}, kind, {kind: 1.0}, region, 3.0)


def region_at(face: FaceMap, xy: tuple[float, float]) -> Region | None:
    part = Part(int(face.parts[int(xy[1] / 2), int(xy[0] / 2)]))
    return next((r for r in Region if r.part is part), None)


def random_lesion(rng: np.random.Generator, face: FaceMap) -> Lesion:
    xy = tuple(rng.uniform(0, 199, 2).tolist())
    return make_lesion(LADDER[rng.integers(len(LADDER))], xy, region_at(face, xy))


def count(lesions: list[Lesion], spread: float = 0.3) -> Counts:
    active = [x for x in lesions if x.active]
    n = len(active)
    return Counts(
        convention="visible",
        total=n,
        interval_90=(int(n * (1 - spread)), int(n * (1 + spread)) + 1),
        by_group={g: sum(x.group is g for x in lesions) for g in Group},
        by_kind={k: sum(x.kind is k for x in lesions) for k in Kind},
        by_region={r: sum(x.region is r for x in active) for r in Region},
    )


def grades(lesions: list[Lesion], face: FaceMap) -> dict[str, Grade]:
    return dict(grade_all(lesions, count(lesions), face))


# ---------------------------------------------------------------- halves


def test_midline_runs_from_the_eyes_to_the_lips() -> None:
    assert face_midline(make_face()) == ((100.0, 60.0), (99.0, 169.0))  # cells 40-59, 80-89, two pixels each


def test_midline_without_lips_is_square_to_the_eyes() -> None:
    bare = np.zeros((100, 100), np.uint8)
    assert face_midline(make_face(parts=bare)) == ((100.0, 60.0), (100.0, 140.0))


@pytest.mark.parametrize("eyes", [(None, (140.0, 60.0)), ((60.0, 60.0), None), (None, None)])
def test_no_midline_with_an_eye_hidden(eyes: tuple[Any, Any]) -> None:
    assert face_midline(make_face(eyes_xy=eyes)) is None


@pytest.mark.parametrize("turn_deg", [0, 40, -75, 180])
def test_halves_turn_with_the_face(turn_deg: float) -> None:
    turn = np.deg2rad(turn_deg)
    rotate = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    point = lambda x, y: tuple((rotate @ [x, y]).tolist())  # noqa: E731
    lesions = [make_lesion(PAPULE, point(30, -20), Region.FOREHEAD)] * 2
    lesions += [make_lesion(PAPULE, point(-30, -20), Region.FOREHEAD)] * 3
    halves = inflamed_by_half(lesions, frozenset(Region), (point(0, 0), point(0, 60)))
    assert halves == Halves(left=2, right=3)
    assert halves.worse == ("right", 3)


# ---------------------------------------------------------------- involved skin


def test_no_skin_is_not_assessed() -> None:
    assert measure_involvement([], make_face(parts=np.zeros((100, 100), np.uint8))) is None


def test_clear_skin_is_not_involved() -> None:
    assert measure_involvement([], make_face()) == Involvement(0.0, 0.0, 0, pytest.approx(np.pi * 6**2 / 9800))


def test_one_lesion_takes_its_surroundings() -> None:
    involved = measure_involvement([make_lesion(PAPULE, (100.0, 60.0), Region.NOSE)], make_face())
    assert involved is not None
    assert involved.active == involved.inflamed == pytest.approx(involved.one_lesion, rel=0.1)


def test_comedones_and_marks_do_not_inflame() -> None:
    lesions = [make_lesion(COMEDONE, (30.0, 30.0), Region.FOREHEAD), make_lesion(Kind.MARK, (160.0, 30.0), None)]
    involved = measure_involvement(lesions, make_face())
    assert involved is not None
    assert (involved.lesions, involved.inflamed) == (1, 0.0)
    assert involved.active == pytest.approx(involved.one_lesion, rel=0.1)


def test_lesions_everywhere_involve_everything() -> None:
    everywhere = [make_lesion(PAPULE, (x, y), None) for x in range(0, 200, 10) for y in range(0, 200, 10)]
    involved = measure_involvement(everywhere, make_face())
    assert involved is not None
    assert involved.active == involved.inflamed == 1.0


def test_a_photo_of_twice_the_size_is_as_involved() -> None:
    rng = np.random.default_rng(3)
    face = make_face()
    lesions = [random_lesion(rng, face) for _ in range(20)]
    twice = dataclasses.replace(face, to_photo=face.to_photo * 2, face_px=160.0)
    doubled = [
        dataclasses.replace(x, center_xy=(2 * x.center_xy[0], 2 * x.center_xy[1]), diameter_px=2 * x.diameter_px)
        for x in lesions
    ]
    assert measure_involvement(doubled, twice) == measure_involvement(lesions, face)


@pytest.mark.parametrize(("lesions", "n", "share"), [(0, 0, 0.0), (0, 1, 0.02), (10, 10, 0.4), (10, 20, 0.64)])
def test_share_of_other_counts(lesions: int, n: int, share: float) -> None:
    here = 0.4 if lesions else 0.0
    assert Involvement(here, 0.0, lesions, 0.02).at(here, n) == pytest.approx(share)


# ---------------------------------------------------------------- all scales


def test_clear_face_first() -> None:
    clear = grades([], make_face())
    assert {name: grade.value for name, grade in clear.items()} == {
        "hayashi": 0, "gags_face": 0, "iga_estimate": 0, "gea": 0, "nice_group": "none",
    }  # fmt: skip


def test_keys_and_scales_agree() -> None:
    assert {name: grade.scale for name, grade in grades([], make_face()).items()} == {name: name for name in SCALES}


def test_sources_name_no_page_that_was_not_looked_up() -> None:
    sources = " ".join(grade.source for grade in grades([], make_face()).values())
    assert re.findall(r"\b(?:19|20)\d\d;\S+", sources) == ["2009;75:323)"]


def test_grades_handed_in_come_first() -> None:
    severity = Grade("severity", 3.2, "mild", "because", "comedo")
    both = grade_all([], count([]), make_face(), extra={"severity": severity})
    assert next(iter(both.items())) == ("severity", severity)
    with pytest.raises(ValueError, match="hayashi itself"):
        grade_all([], count([]), make_face(), extra={"hayashi": severity})


@pytest.mark.parametrize("seed", range(3))
def test_grades_become_json_and_travel_between_processes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    face = make_face(mm_per_px=None if seed == 0 else 0.9)
    result = grades([random_lesion(rng, face) for _ in range(25)], face)
    document = json.loads(json.dumps({name: dataclasses.asdict(g) for name, g in result.items()}, allow_nan=False))
    assert document["gags_face"]["maximum"] == 32
    assert pickle.loads(pickle.dumps(result)) == result


RANK = {"none": 0, "mild_to_moderate": 1, "moderate_to_severe": 2}


def ranks(result: dict[str, Grade]) -> dict[str, int]:
    """The value of each grade as a number; checks on the way that it lies within its interval."""
    nice = result["nice_group"]
    found = {"nice_group": RANK[str(nice.value)]}
    assert RANK[str(nice.details["group_low"])] <= found["nice_group"] <= RANK[str(nice.details["group_high"])]
    for name in result.keys() - found.keys():
        grade = result[name]
        assert isinstance(grade.value, int)
        assert grade.interval_90 is not None
        assert grade.maximum is not None
        assert 0 <= grade.interval_90[0] <= grade.value <= grade.interval_90[1] <= grade.maximum
        found[name] = grade.value
    return found


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("midline", [True, False], ids=["midline", "an-eye-hidden"])
def test_more_or_worse_lesions_never_lower_a_grade(seed: int, midline: bool) -> None:
    rng = np.random.default_rng(seed)
    face = make_face() if midline else make_face(eyes_xy=((60.0, 60.0), None))
    lesions: list[Lesion] = []
    before = ranks(grades(lesions, face))
    for _ in range(70):
        lesions = grown(rng, face, lesions)
        after = ranks(grades(lesions, face))
        assert {name: max(after[name], before[name]) for name in after} == after
        before = after
    assert before["iga_estimate"] == 4  # the walk went all the way


def grown(rng: np.random.Generator, face: FaceMap, lesions: list[Lesion]) -> list[Lesion]:
    """The lesions with one more, or with one that became a worse kind."""
    if not lesions or rng.random() < 0.6:
        return [*lesions, random_lesion(rng, face)]
    i = int(rng.integers(len(lesions)))
    worse = LADDER[min(LADDER.index(lesions[i].kind) + 1, len(LADDER) - 1)]
    return [*lesions[:i], make_lesion(worse, lesions[i].center_xy, lesions[i].region), *lesions[i + 1 :]]


@pytest.mark.parametrize("seed", range(5))
def test_order_of_the_lesions_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    face = make_face()
    lesions = [random_lesion(rng, face) for _ in range(30)]
    shuffled = [lesions[i] for i in rng.permutation(30)]
    assert grades(shuffled, face) == grades(lesions, face)


def test_grading_stays_light() -> None:
    code = "import sys, comedo.grading; print(*sys.modules)"
    out = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert not set(out.split()) & {"torch", "onnxruntime", "comedo.training", "pydantic"}
