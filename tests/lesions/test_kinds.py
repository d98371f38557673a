from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from comedo.lesions.kinds import (
    BUMP_SHARE,
    KINDS,
    NODULE_MIN_MM,
    NODULE_SURE_MM,
    Evidence,
    KindClassifier,
    Membership,
    kind_probs,
    likeliest_kind,
    measure_evidence,
    sigmoid,
)
from comedo.types import Group, Kind

INFLAMED = {Group.INFLAMMATORY: 1.0, Group.NON_INFLAMMATORY: 0.0, Group.MARK: 0.0}
NOT_INFLAMED = {Group.INFLAMMATORY: 0.0, Group.NON_INFLAMMATORY: 1.0, Group.MARK: 0.0}
UNSURE = {Group.INFLAMMATORY: 0.5, Group.NON_INFLAMMATORY: 0.3, Group.MARK: 0.2}
NOTHING = Evidence(None, None, None, None, None, None)
PLAIN = Evidence(diameter_mm=3.0, redness=4.0, lightness=-3.0, yellowness=-2.0, core_contrast=-1.0, relief=0.1)
HALFWAY_MM = (NODULE_MIN_MM + NODULE_SURE_MM) / 2 / BUMP_SHARE  # 9.4 mm as the network draws it, 7.5 mm of bump


def change(**values: float | None) -> Evidence:
    return dataclasses.replace(PLAIN, **values)


@pytest.mark.parametrize(
    ("group_probs", "evidence", "kind"),
    [
        pytest.param(INFLAMED, NOTHING, Kind.PAPULE, id="nothing-measured-inflamed"),
        pytest.param(NOT_INFLAMED, NOTHING, Kind.CLOSED_COMEDONE, id="nothing-measured-not-inflamed"),
        pytest.param(INFLAMED, PLAIN, Kind.PAPULE, id="small-red"),
        pytest.param(INFLAMED, change(core_contrast=6.0, yellowness=2.0), Kind.PUSTULE, id="yellow-white-head"),
        pytest.param(INFLAMED, change(core_contrast=6.0, yellowness=-5.0), Kind.PAPULE, id="shine-is-no-head"),
        pytest.param(INFLAMED, change(core_contrast=6.0, yellowness=None), Kind.PAPULE, id="head-colour-unknown"),
        pytest.param(INFLAMED, change(diameter_mm=HALFWAY_MM - 0.1), Kind.PAPULE, id="nearer-to-5-mm"),
        pytest.param(INFLAMED, change(diameter_mm=HALFWAY_MM + 0.1), Kind.NODULE, id="nearer-to-10-mm"),
        pytest.param(INFLAMED, change(diameter_mm=14.0, redness=1.0), Kind.NODULE, id="faintly-red-on-dark-skin"),
        pytest.param(INFLAMED, change(diameter_mm=14.0, redness=-2.0), Kind.PAPULE, id="large-but-not-red"),
        pytest.param(INFLAMED, change(diameter_mm=None), Kind.PAPULE, id="no-scale-no-nodule"),
        pytest.param(NOT_INFLAMED, change(lightness=-15.0), Kind.OPEN_COMEDONE, id="dark-plug"),
        pytest.param(NOT_INFLAMED, change(lightness=0.0), Kind.CLOSED_COMEDONE, id="skin-coloured"),
        pytest.param(NOT_INFLAMED, change(lightness=-8.0, relief=0.5), Kind.CLOSED_COMEDONE, id="dark-but-raised"),
    ],
)
def test_textbook_lesions(group_probs: Mapping[Group, float], evidence: Evidence, kind: Kind) -> None:
    group = max(group_probs, key=lambda g: group_probs[g])
    assert likeliest_kind(group, kind_probs(group_probs, evidence)) is kind


def test_hand_computed_shares() -> None:
    evidence = Evidence(HALFWAY_MM, redness=0.0, lightness=-6.0, yellowness=-0.7, core_contrast=2.0, relief=None)
    probs = kind_probs(UNSURE, evidence)
    assert probs[Kind.NODULE] == pytest.approx(0.5 * 0.5 * 0.5)  # size and redness both at their middle
    assert probs[Kind.PUSTULE] == pytest.approx(0.5 * 0.75 * 0.25)
    assert probs[Kind.PAPULE] == pytest.approx(0.5 * 0.75 * 0.75)
    assert probs[Kind.OPEN_COMEDONE] == pytest.approx(0.15)
    assert probs[Kind.CLOSED_COMEDONE] == pytest.approx(0.15)
    assert probs[Kind.MARK] == pytest.approx(0.2)


@pytest.mark.parametrize(("bump_mm", "low", "high"), [(NODULE_MIN_MM, 0.0, 0.1), (NODULE_SURE_MM, 0.9, 1.0)])
def test_nodules_begin_at_5_mm_and_are_sure_at_10(bump_mm: float, low: float, high: float) -> None:
    assert low < kind_probs(INFLAMED, change(diameter_mm=bump_mm / BUMP_SHARE))[Kind.NODULE] < high


@pytest.mark.parametrize("seed", range(20))
def test_each_group_keeps_its_probability(seed: int) -> None:
    rng = np.random.default_rng(seed)
    groups = dict(zip(Group, rng.dirichlet(np.ones(3)).tolist(), strict=True))
    values = [None if rng.random() < 0.2 else float(v) for v in rng.normal(0, 8, 6)]
    probs = kind_probs(groups, Evidence(*values))
    assert sum(probs.values()) == pytest.approx(1)
    assert min(probs.values()) >= 0
    for group, kinds in KINDS.items():
        assert sum(probs[k] for k in kinds) == pytest.approx(groups[group])


def test_every_kind_belongs_to_one_group() -> None:
    assert sorted(k for kinds in KINDS.values() for k in kinds) == sorted(Kind)


@pytest.mark.parametrize("seed", range(5))
def test_larger_is_never_less_a_nodule(seed: int) -> None:
    rng = np.random.default_rng(seed)
    evidence = change(redness=float(rng.normal(2, 2)), core_contrast=float(rng.normal(0, 4)))
    sizes = np.sort(rng.uniform(0.5, 15, 30)).tolist()
    nodule = [kind_probs(INFLAMED, dataclasses.replace(evidence, diameter_mm=d))[Kind.NODULE] for d in sizes]
    assert nodule == sorted(nodule)


@pytest.mark.parametrize(
    "groups",
    [
        pytest.param({}, id="empty"),
        pytest.param({Group.MARK: 0.4}, id="sum-too-small"),
        pytest.param({Group.MARK: 1.2, Group.INFLAMMATORY: -0.2}, id="negative"),
    ],
)
def test_group_probs_must_be_probabilities(groups: Mapping[Group, float]) -> None:
    with pytest.raises(ValueError, match="sum to 1"):
        kind_probs(groups, PLAIN)


def test_the_rules_fit_the_slot() -> None:
    classifier: KindClassifier = kind_probs
    assert classifier({Group.MARK: 1.0}, PLAIN)[Kind.MARK] == 1


@pytest.mark.parametrize(("x", "y"), [(0.0, 0.5), (800.0, 1.0), (-800.0, 0.0), (2.0, 0.880797)])
def test_sigmoid(x: float, y: float) -> None:
    assert sigmoid(x) == pytest.approx(y)
    assert Membership(1.0, 2.0)(1.0 + 2 * x) == pytest.approx(y)


def discs(radius: float, size: int = 41) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    y, x = np.mgrid[:size, :size] - size // 2
    distance = np.hypot(x, y)
    return distance <= radius, distance <= radius / 2, (distance > 1.3 * radius) & (distance <= 1.9 * radius)


def paint(skin: tuple[float, float, float], size: int = 41) -> NDArray[np.float32]:
    return np.full((size, size, 3), skin, np.float32)


@pytest.mark.parametrize(
    "skin", [pytest.param((75, 12, 16), id="light-skin"), pytest.param((32, 10, 14), id="dark-skin")]
)
def test_measured_against_the_skin_around(skin: tuple[float, float, float]) -> None:
    inside, core, ring = discs(8)
    lab = paint(skin)
    lab[inside] += (-5, 9, 0)
    lab[core] += (15, -3, 8)
    evidence = measure_evidence(lab, inside, core, ring, 3.5)
    core_share = core.sum() / inside.sum()
    assert evidence.diameter_mm == 3.5
    assert evidence.redness == pytest.approx(9 - 3 * core_share, abs=1e-3)
    assert evidence.lightness == pytest.approx(10, abs=1e-3)
    assert evidence.yellowness == pytest.approx(8, abs=1e-3)
    assert evidence.core_contrast == pytest.approx(15, abs=1e-3)
    assert evidence.relief == pytest.approx(0, abs=1e-3)
    assert likeliest_kind(Group.INFLAMMATORY, kind_probs(INFLAMED, evidence)) is Kind.PUSTULE


def blend(
    lab: tuple[float, float, float], other: tuple[float, float, float], cover: float, white: float
) -> list[float]:
    """CIELAB of a surface partly covered by another, with white light added: mixed as light mixes, linearly."""
    colours = cv2.cvtColor(np.array([[lab, other]], np.float32), cv2.COLOR_LAB2RGB)[0]
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    mixed = (1 - cover) * linear[0] + cover * linear[1] + white
    encoded = np.where(mixed <= 0.0031308, 12.92 * mixed, 1.055 * mixed ** (1 / 2.4) - 0.055)
    result: list[float] = cv2.cvtColor(encoded[None, None].astype(np.float32), cv2.COLOR_RGB2LAB)[0, 0].tolist()
    return result


@pytest.mark.parametrize(
    "skin",
    [
        pytest.param((72, 16, 17), id="light"),
        pytest.param((66, 14, 22), id="intermediate"),
        pytest.param((55, 16, 25), id="tan"),
        pytest.param((42, 14, 20), id="brown"),
        pytest.param((30, 10, 14), id="dark"),
    ],
)
@pytest.mark.parametrize(
    ("cover", "white", "kind"),
    [
        pytest.param(0.0, 0.0, Kind.PAPULE, id="bare"),
        pytest.param(0.0, 0.1, Kind.PAPULE, id="shine"),
        pytest.param(0.6, 0.0, Kind.PUSTULE, id="pus"),
    ],
)
def test_pus_is_told_from_shine_on_every_skin(
    skin: tuple[float, float, float], cover: float, white: float, kind: Kind
) -> None:
    inside, core, ring = discs(8)
    papule = (skin[0] - 4, skin[1] + 5, skin[2])
    lab = paint(skin)
    lab[inside] = papule
    lab[core] = blend(papule, (82, 3, 20), cover, white)
    evidence = measure_evidence(lab, inside, core, ring, 3.0)
    assert likeliest_kind(Group.INFLAMMATORY, kind_probs(INFLAMED, evidence)) is kind


@pytest.mark.parametrize("slope", [(0.0, 0.0), (1.0, 0.0), (-0.6, 0.8)])
@pytest.mark.parametrize("face_shading", [(0.0, 0.0), (0.4, -0.3)])
def test_relief_is_the_slope_beyond_the_skins(slope: tuple[float, float], face_shading: tuple[float, float]) -> None:
    inside, core, ring = discs(8)
    y, x = np.mgrid[:41, :41] - 20.0
    lab = paint((50, 10, 10))
    lab[..., 0] += face_shading[0] * x + face_shading[1] * y
    lab[inside, 0] += (slope[0] * x + slope[1] * y)[inside]
    diameter_px = 2 * np.sqrt(inside.sum() / np.pi)
    expected = np.hypot(*slope) * diameter_px / 50
    assert measure_evidence(lab, inside, core, ring, None).relief == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_turning_the_patch_changes_nothing(turns: int) -> None:
    rng = np.random.default_rng(turns)
    lab = (paint((60, 12, 15)) + rng.normal(0, 3, (41, 41, 3))).astype(np.float32)
    masks = discs(9)
    turned = [np.ascontiguousarray(np.rot90(a, turns)) for a in (lab, *masks)]
    here, there = (dataclasses.astuple(measure_evidence(*a, 3.0)) for a in ((lab, *masks), turned))
    assert there == pytest.approx(here, abs=1e-3)


def test_unmeasurable_is_none() -> None:
    nowhere = np.zeros((9, 9), np.bool_)
    pixel = nowhere.copy()
    pixel[4, 4] = True
    assert measure_evidence(paint((60, 12, 15), 9), nowhere, nowhere, nowhere, None) == NOTHING
    alone = measure_evidence(paint((60, 12, 15), 9), pixel, pixel, ~pixel, 1.0)
    assert (alone.redness, alone.core_contrast, alone.relief) == (0.0, None, None)


def test_masks_are_checked() -> None:
    inside, core, ring = discs(8)
    with pytest.raises(ValueError, match="core must be"):
        measure_evidence(paint((60, 12, 15)), inside, core.astype(np.uint8), ring, None)
    with pytest.raises(ValueError, match="ring must be"):
        measure_evidence(paint((60, 12, 15)), inside, core, ring[1:], None)


def test_nothing_is_written_into_the_arguments() -> None:
    lab, masks = paint((60, 12, 15)), discs(8)
    before = [a.copy() for a in (lab, *masks)]
    measure_evidence(lab, *masks, None)
    assert all(np.array_equal(a, b) for a, b in zip(before, (lab, *masks), strict=True))


def test_opencv_lab_has_the_agreed_range() -> None:
    lab = cv2.cvtColor(np.ones((1, 1, 3), np.float32), cv2.COLOR_RGB2LAB)
    assert lab[0, 0].tolist() == pytest.approx([100, 0, 0], abs=0.1)
