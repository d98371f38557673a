import numpy as np
import pytest

from builders import HEIGHT, WIDTH, make_analysis, make_face, make_lesion, make_lesions
from comedo.errors import UnusableInput
from comedo.report.pictures import skin_pixels
from comedo.review.corrections import Add, Confirm, Correct, Reject
from comedo.review.lesions import Status, correct_lesions, correct_mask, region_at
from comedo.types import Group, Kind, Region

SIZE = (WIDTH, HEIGHT)


def corrected(*corrections, lesions=None):
    return correct_lesions(make_lesions() if lesions is None else lesions, corrections, make_face(), SIZE)


def one(read, number):
    return next(r for r in read if r.lesion.id == number)


def test_nothing_said_changes_nothing():
    read = corrected()
    assert tuple(r.lesion for r in read) == make_lesions()
    assert {r.status for r in read} == {Status.UNREVIEWED}
    assert corrected(lesions=()) == ()


def test_rejected_lesions_are_gone_and_numbers_stay():
    read = corrected(Reject(action="reject", id=2))
    assert [r.lesion.id for r in read] == [1, 3, 4, 5]


def test_a_confirmed_lesion_is_certain():
    lesion = one(corrected(Confirm(action="confirm", id=1)), 1)
    assert lesion.status is Status.CONFIRMED
    assert lesion.lesion.kind_probs == {Kind.PAPULE: 1.0}


@pytest.mark.parametrize(
    ("given", "group", "kind", "probs"),
    [
        ({"kind": "pustule"}, Group.INFLAMMATORY, Kind.PUSTULE, {Kind.PUSTULE: 1.0}),
        ({"kind": "mark"}, Group.MARK, Kind.MARK, {Kind.MARK: 1.0}),
        (
            {"group": "non_inflammatory"},
            Group.NON_INFLAMMATORY,
            Kind.CLOSED_COMEDONE,
            {Kind.CLOSED_COMEDONE: 0.5, Kind.OPEN_COMEDONE: 0.5},
        ),
        (
            {"group": "inflammatory"},
            Group.INFLAMMATORY,
            Kind.PAPULE,
            {Kind.PAPULE: 0.7, Kind.PUSTULE: 0.3, Kind.NODULE: 0.0},
        ),
    ],
    ids=["kind", "kind of another group", "group without a hint", "group with comedo's shares"],
)
def test_group_and_kind_follow_the_reader(given, group, kind, probs):
    lesion = one(corrected(Correct(action="correct", id=1, **given)), 1).lesion
    assert (lesion.group, lesion.kind) == (group, kind)
    assert lesion.kind_probs == pytest.approx(probs)
    assert lesion.center_xy == make_lesions()[0].center_xy


def test_an_added_lesion_is_placed_and_measured():
    read = corrected(Add(action="add", center_xy=(70.0, 180.0), diameter_px=10.0, kind="papule"))
    added = read[-1].lesion
    assert (added.id, added.region, read[-1].status) == (6, Region.RIGHT_CHEEK, Status.ADDED)
    assert added.box_xyxy == (65.0, 175.0, 75.0, 185.0)
    assert added.diameter_mm == pytest.approx(9.0)  # 0.9 mm a pixel
    assert added.area_px == pytest.approx(78.54, abs=0.01)
    assert added.redness is None


def test_a_moved_lesion_changes_its_region():
    read = corrected(Correct(action="correct", id=1, center_xy=(120.0, 165.0)))
    assert one(read, 1).lesion.region is Region.NOSE


@pytest.mark.parametrize(
    ("xy", "region"),
    [((120.0, 90.0), Region.FOREHEAD), ((85.0, 136.0), None), ((2.0, 2.0), None), ((160.0, 180.0), Region.LEFT_CHEEK)],
    ids=["forehead", "eye", "background", "left cheek"],
)
def test_regions_by_place(xy, region):
    assert region_at(make_face(), xy) is region


@pytest.mark.parametrize(
    "correction",
    [
        Reject(action="reject", id=99),
        Add(action="add", center_xy=(-1.0, 5.0), diameter_px=5.0, kind="papule"),
        Add(action="add", center_xy=(10.0, 10.0), diameter_px=500.0, kind="papule"),
    ],
    ids=["no such lesion", "outside", "too large"],
)
def test_impossible_corrections_are_refused(correction):
    with pytest.raises(UnusableInput, match=r"corrections\.lesions"):
        corrected(correction)


def mask_after(*corrections):
    analysis = make_analysis()
    after = tuple(r.lesion for r in corrected(*corrections))
    skin = skin_pixels(analysis.face, SIZE)
    return analysis.lesion_mask, correct_mask(analysis.lesion_mask, skin, analysis.lesions, after)


def test_mask_loses_exactly_the_rejected_lesion():
    before, after = mask_after(Reject(action="reject", id=3))
    gone = before & ~after
    rows, columns = np.nonzero(gone)
    assert gone.sum() == 49  # pixels within 4 of (70, 180)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (176, 184, 66, 74)
    assert not (after & ~before).any()


def test_mask_gains_the_disc_of_an_added_lesion():
    before, after = mask_after(Add(action="add", center_xy=(90.0, 200.0), diameter_px=8.0, kind="papule"))
    assert (after & ~before).sum() == 49
    assert (before & ~after).sum() == 0


def test_a_mark_called_a_papule_and_back_again():
    before, after = mask_after(Correct(action="correct", id=4, kind="papule"))
    assert (after & ~before).sum() == 49
    _, without = mask_after(Correct(action="correct", id=3, kind="mark"))
    assert before.sum() - without.sum() == 49


def test_neighbours_keep_their_mask():
    pair = (make_lesion(1, center_xy=(70.0, 180.0)), make_lesion(2, center_xy=(79.0, 180.0)))
    analysis = make_analysis(lesions=pair)
    skin = skin_pixels(analysis.face, SIZE)
    after = correct_mask(analysis.lesion_mask, skin, pair, pair[1:])
    alone = make_analysis(lesions=pair[1:]).lesion_mask
    assert np.array_equal(after, alone)
