from __future__ import annotations

import dataclasses

import pytest

from comedo.grading.gags import grade_gags_face
from comedo.grading.gea import gea_of, grade_gea
from comedo.grading.hayashi import grade_hayashi, hayashi_band
from comedo.grading.iga import grade_iga, iga_of
from comedo.grading.involvement import Involvement
from comedo.grading.nice import grade_nice, nice_group_of
from comedo.grading.tally import Floor, Tally, number, scaled, tally, tally_interval, visible_regions
from comedo.types import Counts, Group, Kind, Lesion, Region

GROUP_OF = {
    Kind.OPEN_COMEDONE: Group.NON_INFLAMMATORY,
    Kind.CLOSED_COMEDONE: Group.NON_INFLAMMATORY,
    Kind.PAPULE: Group.INFLAMMATORY,
    Kind.PUSTULE: Group.INFLAMMATORY,
    Kind.NODULE: Group.INFLAMMATORY,
    Kind.MARK: Group.MARK,
}
FACE = frozenset(Region)
LEFT_PROFILE = frozenset(Region) - {Region.RIGHT_CHEEK}
MIDLINE = ((100.0, 50.0), (100.0, 150.0))  # upright: the person's left half is right of x = 100


def make_lesion(
    kind: Kind,
    region: Region | None = Region.LEFT_CHEEK,
    *,
    at: tuple[float, float] = (120.0, 100.0),
    kind_probs: dict[Kind, float] | None = None,
) -> Lesion:
    group = GROUP_OF[kind]
    return Lesion(
        id=1,
        box_xyxy=(at[0] - 4, at[1] - 4, at[0] + 4, at[1] + 4),
        center_xy=at,
        diameter_px=8.0,
        diameter_mm=2.0,
        area_px=50.0,
        score=0.9,
        group=group,
        group_probs={group: 1.0},
        kind=kind,
        kind_probs=kind_probs or {kind: 1.0},
        region=region,
        redness=3.0,
    )


def count(
    lesions: list[Lesion], *, interval: tuple[int, int] | None = None, visible: frozenset[Region] = FACE
) -> Counts:
    active = [x for x in lesions if x.active]
    return Counts(
        convention="visible",
        total=len(active),
        interval_90=interval or (len(active), len(active)),
        by_group={g: sum(x.group is g for x in lesions) for g in Group},
        by_kind={k: sum(x.kind is k for x in lesions) for k in Kind},
        by_region={r: sum(x.region is r for x in active) if r in visible else None for r in Region},
    )


def numbers(active: int, inflamed: int = 0, nodules: int = 0, *, interval: tuple[int, int] | None = None) -> Counts:
    """Counts of a whole face by three numbers, nodules within inflamed within active."""
    return Counts(
        "visible",
        active,
        interval or (active, active),
        {Group.INFLAMMATORY: inflamed, Group.NON_INFLAMMATORY: active - inflamed, Group.MARK: 0},
        {Kind.NODULE: nodules},
        dict.fromkeys(Region, 0),
    )


# ---------------------------------------------------------------- what the scales share


def test_marks_are_no_acne() -> None:
    counts = count([make_lesion(Kind.MARK)] * 40)
    assert tally(counts, has_scale=True) == Tally(0, 0, 0)


def test_tally_is_cumulative() -> None:
    kinds = [Kind.OPEN_COMEDONE, Kind.PAPULE, Kind.PUSTULE, Kind.NODULE, Kind.MARK]
    counts = count([make_lesion(k) for k in kinds])
    assert tally(counts, has_scale=True) == Tally(active=4, inflamed=3, nodules=1)
    assert tally(counts, has_scale=False).nodules is None


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    [
        pytest.param(numbers(0, interval=(0, 2)), Tally(0, 0, 0), Tally(2, 2, 0), id="nothing-counted"),
        pytest.param(numbers(10, 5, interval=(6, 14)), Tally(6, 3, 0), Tally(14, 7, 0), id="shares-kept"),
        pytest.param(numbers(10, 3, 1, interval=(9, 11)), Tally(9, 2, 0), Tally(11, 4, 2), id="rounded-outwards"),
        pytest.param(numbers(10, 0, interval=(5, 15)), Tally(5, 0, 0), Tally(15, 0, 0), id="no-inflamed"),
    ],
)
def test_interval_of_the_parts(counts: Counts, low: Tally, high: Tally) -> None:
    assert tally_interval(counts, has_scale=True) == (low, high)


def test_a_part_is_always_within_its_interval() -> None:
    assert scaled(4, numbers(10, interval=(11, 12))) == (4, 5)  # an interval that misses its own total


def test_unseen_regions_are_none_not_zero() -> None:
    assert visible_regions(count([], visible=LEFT_PROFILE)) == LEFT_PROFILE


@pytest.mark.parametrize(("n", "words"), [(0, "no nodules"), (1, "1 nodule"), (12, "12 nodules")])
def test_number(n: int, words: str) -> None:
    assert number(n, "nodule") == words


def test_floor_says_what_reached_it() -> None:
    floor = Floor(active=None, inflamed=35, nodules=3)
    assert floor.reasons(Tally(200, 34, 2)) == ()
    assert floor.reasons(Tally(200, 36, None)) == ("36 inflamed lesions (35 or more)",)
    assert floor.reasons(Tally(200, 35, 3)) == ("3 nodules (3 or more)", "35 inflamed lesions (35 or more)")


# ---------------------------------------------------------------- Hayashi


@pytest.mark.parametrize(("n", "band"), [(0, 0), (5, 0), (6, 1), (20, 1), (21, 2), (50, 2), (51, 3), (400, 3)])
def test_hayashi_bands(n: int, band: int) -> None:
    assert hayashi_band(n) == band


def papules(n: int, region: Region | None = Region.LEFT_CHEEK, x: float = 120.0) -> list[Lesion]:
    return [make_lesion(Kind.PAPULE, region, at=(x, 100.0))] * n


@pytest.mark.parametrize(
    ("lesions", "visible", "value", "left", "right"),
    [
        pytest.param([], FACE, 0, 0, 0, id="empty"),
        pytest.param(papules(5) + papules(5, Region.RIGHT_CHEEK), FACE, 0, 5, 5, id="ten-on-two-halves-are-mild"),
        pytest.param(papules(6) + papules(2, Region.RIGHT_CHEEK), FACE, 1, 6, 2, id="worse-half-counts"),
        pytest.param(papules(21, Region.RIGHT_CHEEK), FACE, 2, 0, 21, id="right-half"),
        pytest.param(
            papules(3, Region.NOSE, x=99.0) + papules(4, Region.NOSE, x=101.0), FACE, 0, 4, 3, id="nose-by-midline"
        ),
        pytest.param(papules(6, None, x=99.0), FACE, 1, 0, 6, id="no-region-by-midline"),
        pytest.param(papules(4) + papules(4, Region.NOSE, x=99.0), LEFT_PROFILE, 1, 8, None, id="half-profile"),
        pytest.param(papules(8), frozenset({Region.FOREHEAD}), None, None, None, id="no-cheek"),
        pytest.param([make_lesion(Kind.OPEN_COMEDONE)] * 60, FACE, 0, 0, 0, id="comedones-have-no-say"),
        pytest.param([make_lesion(Kind.NODULE)] * 6, FACE, 1, 6, 0, id="nodules-are-inflamed"),
    ],
)
def test_hayashi(
    lesions: list[Lesion], visible: frozenset[Region], value: int | None, left: int | None, right: int | None
) -> None:
    grade = grade_hayashi(lesions, count(lesions, visible=visible), midline=MIDLINE)
    assert grade.value == value
    if value is not None:
        assert (grade.details["left_half"], grade.details["right_half"]) == (left, right)


def test_hayashi_shows_its_arithmetic() -> None:
    lesions = papules(12) + papules(3, Region.RIGHT_CHEEK)
    grade = grade_hayashi(lesions, count(lesions, interval=(5, 30)), midline=MIDLINE)
    assert grade.why == "12 inflamed lesions on the left half of the face, in the band 6-20"
    assert (grade.level, grade.interval_90) == ("moderate", (0, 2))  # 4 to 24 of that half
    assert "Hayashi" in grade.source


def test_hayashi_without_midline_shares_the_middle() -> None:
    lesions = papules(2) + papules(5, Region.FOREHEAD)
    grade = grade_hayashi(lesions, count(lesions))
    assert (grade.details["left_half"], grade.details["right_half"], grade.details["without_side"]) == (5, 3, 5)


def test_hayashi_counts_no_more_than_the_convention() -> None:
    lesions = papules(30) + papules(10, Region.RIGHT_CHEEK)
    assert grade_hayashi(lesions, numbers(12, 12), midline=MIDLINE).why.startswith("12 inflamed lesions")


def test_hayashi_of_clear_skin_is_not_called_mild() -> None:
    assert grade_hayashi([], count([])).level == "no inflamed lesions"


# ---------------------------------------------------------------- GAGS


WORST_EVERYWHERE = [make_lesion(Kind.NODULE, r) for r in Region]


@pytest.mark.parametrize(
    ("lesions", "value", "level"),
    [
        pytest.param([], 0, "clear where seen", id="empty"),
        pytest.param([make_lesion(Kind.OPEN_COMEDONE, Region.NOSE)], 1, "mild", id="nose-1x1"),
        pytest.param([make_lesion(Kind.OPEN_COMEDONE, Region.FOREHEAD)], 2, "mild", id="forehead-2x1"),
        pytest.param([make_lesion(Kind.PUSTULE, Region.CHIN)], 3, "mild", id="chin-1x3"),
        pytest.param([make_lesion(Kind.PUSTULE)], 6, "mild", id="cheek-2x3-last-certain-class"),
        pytest.param(
            [make_lesion(Kind.PUSTULE), make_lesion(Kind.CLOSED_COMEDONE, Region.NOSE)],
            7, "at least mild", id="7-could-be-moderate",
        ),
        pytest.param([make_lesion(Kind.PAPULE)] * 30, 4, "mild", id="number-has-no-say"),
        pytest.param([make_lesion(Kind.MARK), make_lesion(Kind.PAPULE, None)], 0, "clear where seen", id="no-say"),
        pytest.param(
            [*[make_lesion(Kind.PUSTULE, r) for r in Region][:-1], make_lesion(Kind.OPEN_COMEDONE, Region.CHIN)],
            22, "at least moderate", id="2x3+1x3+2x3+2x3+1x1",
        ),
        pytest.param(WORST_EVERYWHERE, 32, "at least severe", id="maximum"),
    ],
)  # fmt: skip
def test_gags(lesions: list[Lesion], value: int, level: str) -> None:
    grade = grade_gags_face(lesions, FACE)
    assert (grade.value, grade.level, grade.maximum) == (value, level, 32)
    assert any("chest and back" in line for line in grade.missing)


def test_gags_leaves_a_mark_out_whatever_its_kind() -> None:
    odd = dataclasses.replace(make_lesion(Kind.NODULE), group=Group.MARK)
    assert grade_gags_face([odd], FACE).value == 0


def test_gags_shows_its_arithmetic() -> None:
    grade = grade_gags_face([make_lesion(Kind.PAPULE, Region.FOREHEAD), make_lesion(Kind.PUSTULE, Region.NOSE)], FACE)
    assert grade.why == "forehead 2x2 + nose 1x3 = 7 of 32"


def test_gags_with_a_hidden_region_is_partial() -> None:
    grade = grade_gags_face([make_lesion(Kind.PAPULE)], LEFT_PROFILE)
    assert (grade.value, grade.interval_90, grade.level) == (None, None, "at least mild")
    assert (grade.details["partial_sum"], grade.details["partial_maximum"]) == (4, 24)
    assert grade.details["right_cheek"] is None
    assert "right cheek" in grade.why
    assert "right cheek: not visible in this photo" in grade.missing


def test_gags_without_any_region() -> None:
    grade = grade_gags_face([], frozenset())
    assert (grade.value, grade.level, grade.details["partial_sum"]) == (None, None, None)


def test_gags_interval_of_unsure_kinds() -> None:
    unsure = make_lesion(Kind.PAPULE, Region.NOSE, kind_probs={Kind.PAPULE: 0.8, Kind.PUSTULE: 0.2})
    sure = make_lesion(Kind.PAPULE, Region.NOSE)
    assert grade_gags_face([sure], FACE).interval_90 == (2, 2)
    assert grade_gags_face([unsure], FACE).interval_90 == (2, 3)
    hardly = make_lesion(Kind.PAPULE, Region.NOSE, kind_probs={Kind.PAPULE: 0.93, Kind.PUSTULE: 0.07})
    assert grade_gags_face([hardly], FACE).interval_90 == (2, 3)
    nearly_sure = make_lesion(Kind.PAPULE, Region.NOSE, kind_probs={Kind.PAPULE: 0.96, Kind.PUSTULE: 0.04})
    assert grade_gags_face([nearly_sure], FACE).interval_90 == (2, 2)
    # The worst of twenty unsure ones is surely a pustule, yet the value stays within.
    assert grade_gags_face([unsure] * 20, FACE).interval_90 == (2, 3)


# ---------------------------------------------------------------- IGA estimate


@pytest.mark.parametrize(
    ("active", "inflamed", "nodules", "value"),
    [
        (0, 0, 0, 0),
        (1, 0, 0, 1), (5, 0, 0, 1), (6, 0, 0, 2), (19, 0, 0, 2), (20, 0, 0, 3), (100, 0, 0, 3), (101, 0, 0, 4),
        (5, 1, 0, 1), (5, 2, 0, 2), (14, 14, 0, 2), (15, 15, 0, 3), (50, 50, 0, 3), (51, 51, 0, 4),
        (1, 1, 1, 3), (2, 2, 2, 4),
    ],
)  # fmt: skip
def test_iga(active: int, inflamed: int, nodules: int, value: int) -> None:
    assert iga_of(Tally(active, inflamed, nodules)) == value
    assert grade_iga(numbers(active, inflamed, nodules), has_scale=True).value == value


def test_iga_says_why() -> None:
    assert grade_iga(numbers(0), has_scale=True).why == "no active lesions"
    assert grade_iga(numbers(4, 1), has_scale=True).why == "4 active lesions (1 to 5), 1 of them inflamed (at most 1)"
    why = grade_iga(numbers(22, 16), has_scale=True).why
    assert why == "16 inflamed lesions (15 or more) and 22 active lesions (20 or more) make it moderate"


def test_iga_interval_follows_the_count() -> None:
    assert grade_iga(numbers(12, 4, interval=(5, 24)), has_scale=True).interval_90 == (1, 3)
    assert grade_iga(numbers(0, interval=(0, 2)), has_scale=True).interval_90 == (0, 2)


def test_iga_without_scale_names_nodules_as_missing() -> None:
    grade = grade_iga(numbers(3, 3, 3), has_scale=False)
    assert (grade.value, grade.details["nodules"]) == (2, None)
    assert any("millimetre" in line for line in grade.missing)
    assert not any("millimetre" in line for line in grade_iga(numbers(3, 3, 3), has_scale=True).missing)


@pytest.mark.parametrize(("nodules", "beyond"), [(0, 0), (3, 0), (4, 1)])
def test_iga_ends_at_a_few_nodules(nodules: int, beyond: int) -> None:
    assert grade_iga(numbers(9, 9, nodules), has_scale=True).details["beyond_scale"] == beyond


# ---------------------------------------------------------------- GEA


@pytest.mark.parametrize(
    ("here", "involved", "inflamed", "value"),
    [
        pytest.param(Tally(0, 0, 0), 0.0, 0.0, 0, id="empty"),
        pytest.param(Tally(5, 3, 0), 0.10, 0.06, 1, id="scattered"),
        pytest.param(Tally(5, 4, 0), 0.10, 0.08, 2, id="more-than-a-few-papules"),
        pytest.param(Tally(8, 0, 0), 0.11, 0.0, 2, id="more-than-scattered"),
        pytest.param(Tally(40, 20, 0), 0.50, 0.3, 2, id="half"),
        pytest.param(Tally(41, 20, 0), 0.51, 0.3, 3, id="over-half"),
        pytest.param(Tally(1, 1, 1), 0.02, 0.02, 3, id="one-nodule"),
        pytest.param(Tally(90, 80, 0), 0.80, 0.7, 4, id="whole-face"),
        pytest.param(Tally(2, 2, 2), 0.04, 0.04, 4, id="two-nodules"),
        pytest.param(Tally(90, 80, 4), 0.90, 0.79, 4, id="nodules-but-less-inflamed"),
        pytest.param(Tally(90, 80, 3), 0.90, 0.80, 4, id="inflamed-but-few-nodules"),
        pytest.param(Tally(90, 80, 4), 0.90, 0.80, 5, id="inflamed-whole-face-with-nodules"),
        pytest.param(Tally(90, 80, None), 0.90, 0.90, 4, id="nodules-unknown"),
    ],
)
def test_gea(here: Tally, involved: float, inflamed: float, value: int) -> None:
    assert gea_of(here, involved, inflamed) == value


def test_gea_without_skin_is_none() -> None:
    grade = grade_gea(numbers(0), None, has_scale=True)
    assert (grade.value, grade.level, grade.why) == (None, None, "no skin is visible")


def test_gea_says_why_and_follows_the_count() -> None:
    # 10 lesions take 51 %; 5 would take 1 - 0.49 ** 0.5 = 30 %, 25 would take 1 - 0.49 ** 2.5 = 83 %.
    grade = grade_gea(numbers(10, 4, interval=(5, 25)), Involvement(0.51, 0.2, 10, 0.05), has_scale=True)
    assert (grade.value, grade.level, grade.interval_90) == (3, "moderate", (2, 4))
    assert (grade.details["involved"], grade.details["involved_inflamed"]) == (0.51, 0.2)
    assert grade.why == "51% of the visible skin lies near 10 conspicuous active lesions, 4 inflamed, no nodules"


def test_gea_of_clear_skin() -> None:
    grade = grade_gea(numbers(0, interval=(0, 1)), Involvement(0.0, 0.0, 0, 0.02), has_scale=True)
    assert (grade.value, grade.interval_90) == (0, (0, 1))


# ---------------------------------------------------------------- NICE


@pytest.mark.parametrize(
    ("active", "inflamed", "nodules", "group"),
    [
        (0, 0, 0, "none"),
        (1, 0, 0, "mild_to_moderate"), (300, 0, 0, "mild_to_moderate"),
        (34, 34, 0, "mild_to_moderate"), (35, 35, 0, "moderate_to_severe"),
        (2, 2, 2, "mild_to_moderate"), (3, 3, 3, "moderate_to_severe"),
        (34, 34, None, "mild_to_moderate"),
    ],
)  # fmt: skip
def test_nice_groups(active: int, inflamed: int, nodules: int | None, group: str) -> None:
    assert nice_group_of(Tally(active, inflamed, nodules)) == group


def test_nice_says_why_and_names_both_ends() -> None:
    grade = grade_nice(numbers(40, 30, 1, interval=(30, 50)), has_scale=True)
    assert grade.why == "30 inflamed lesions (up to 34), 1 nodule (up to 2)"
    assert (grade.details["group_low"], grade.details["group_high"]) == ("mild_to_moderate", "moderate_to_severe")
    assert grade_nice(numbers(40, 36), has_scale=True).why == "36 inflamed lesions (35 or more)"
    assert grade_nice(numbers(2, 2), has_scale=False).why == "2 inflamed lesions (up to 34), nodules not assessed"
