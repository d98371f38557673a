from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from change_builders import PLACES, make_visit, same_place, spots
from comedo.progress.ledger import build_ledger
from comedo.progress.placing import Placed, PlacedFaint, match, match_faint
from comedo.progress.values import State
from comedo.types import Faint, Group, Kind, Part, Region

HERE = PLACES[:1]
MARK = {
    "group": Group.MARK,
    "kind": Kind.MARK,
    "group_probs": {Group.INFLAMMATORY: 0.1, Group.NON_INFLAMMATORY: 0.0, Group.MARK: 0.9},
}
LESION, SPOT, GONE, HIDDEN, FAINT = "lesion", "mark", "gone", "hidden", "faint"
HISTORIES = {
    "stays": ([LESION, LESION, LESION], [State.PRESENT, State.PERSISTING, State.PERSISTING]),
    "goes": ([LESION, GONE, GONE], [State.PRESENT, State.RESOLVED, State.RESOLVED]),
    "comes": ([GONE, LESION, LESION], [State.NEW, State.PERSISTING]),
    "returns": ([LESION, GONE, LESION], [State.PRESENT, State.RESOLVED, State.NEW]),
    "becomes a mark": ([LESION, SPOT, SPOT], [State.PRESENT, State.TURNED_INTO_MARK, State.TURNED_INTO_MARK]),
    "mark fades": ([LESION, SPOT, GONE], [State.PRESENT, State.TURNED_INTO_MARK, State.RESOLVED]),
    "flares again": ([LESION, SPOT, LESION], [State.PRESENT, State.TURNED_INTO_MARK, State.NEW]),
    "hidden once": ([LESION, HIDDEN, LESION], [State.PRESENT, State.NOT_VISIBLE, State.PERSISTING]),
    "hidden, then gone": ([LESION, HIDDEN, GONE], [State.PRESENT, State.NOT_VISIBLE, State.RESOLVED]),
    "hidden at first": ([HIDDEN, LESION, GONE], [State.PRESENT, State.RESOLVED]),
    "only a mark": ([SPOT, SPOT, GONE], [State.PRESENT, State.PERSISTING, State.RESOLVED]),
}


def ledger_of(sightings):
    contents = {LESION: spots(HERE), SPOT: spots(HERE, **MARK), GONE: (), HIDDEN: (), FAINT: ()}
    faint = (Faint(HERE[0], 0.2),)
    visits = [
        replace(make_visit(i, lesions=contents[s]), faint=faint if s is FAINT else ()) for i, s in enumerate(sightings)
    ]
    comparisons = same_place(visits)
    for comparison, sighting in zip(comparisons, sightings, strict=True):
        if sighting is HIDDEN:
            comparison.common[:] = False
    return build_ledger(visits, comparisons)


def test_no_lesions_no_ledger():
    visits = [make_visit(0), make_visit(1)]
    assert build_ledger(visits, same_place(visits)) == ()


@pytest.mark.parametrize(("seen", "states"), HISTORIES.values(), ids=HISTORIES)
def test_histories(seen, states):
    (track,) = ledger_of(seen)
    assert [s.state for s in track.sightings] == states
    assert track.region is Region.FOREHEAD
    assert track.was_active is (LESION in seen)


def placed(x, y, diameter=8.0):
    return Placed(spots([(x, y)])[0], (x, y), diameter, 9.0, None, True)


FLICKERS = {
    "stays faintly": ([LESION, FAINT, FAINT], [State.PRESENT, State.PERSISTING, State.PERSISTING]),
    "was there faintly": ([FAINT, LESION, LESION], [State.PRESENT, State.PERSISTING, State.PERSISTING]),
    "goes": ([LESION, FAINT, GONE], [State.PRESENT, State.PERSISTING, State.RESOLVED]),
    "faint after it went": ([LESION, GONE, FAINT], [State.PRESENT, State.RESOLVED, State.RESOLVED]),
    "faint before it returns": (
        [LESION, GONE, FAINT, LESION],
        [State.PRESENT, State.RESOLVED, State.NEW, State.PERSISTING],
    ),
    "hidden between": ([LESION, HIDDEN, FAINT], [State.PRESENT, State.NOT_VISIBLE, State.PERSISTING]),
}


@pytest.mark.parametrize(("seen", "states"), FLICKERS.values(), ids=FLICKERS)
def test_a_flicker_at_the_cut_off_is_no_change(seen, states):
    (track,) = ledger_of(seen)
    assert [s.state for s in track.sightings] == states
    faint = [s for s in track.sightings if s.alive and s.lesion_id is None]
    assert all(track.area_mm2_at(s.visit) == pytest.approx(area_of(track)) for s in faint)


def area_of(track):
    return np.mean([s.area_mm2 for s in track.sightings if s.area_mm2 is not None])


def test_faint_places_alone_are_no_lesion():
    assert ledger_of([FAINT, FAINT]) == ()


@pytest.mark.parametrize(
    ("share", "state"),
    [
        pytest.param(0.6, State.PERSISTING, id="hardly a mark"),
        pytest.param(0.7, State.TURNED_INTO_MARK, id="surely one"),
    ],
)
def test_a_lesion_is_a_mark_only_if_it_surely_is_one(share, state):
    probs = {Group.INFLAMMATORY: 1 - share, Group.NON_INFLAMMATORY: 0.0, Group.MARK: share}
    visits = [make_visit(0, lesions=spots(HERE)), make_visit(1, lesions=spots(HERE, **{**MARK, "group_probs": probs}))]
    (track,) = build_ledger(visits, same_place(visits))
    assert track.sightings[1].state is state
    assert track.sightings[1].alive is (state is State.PERSISTING)


def test_the_likeliest_faint_place_is_taken_once():
    places = [PlacedFaint((101.0, 100.0), 0.2), PlacedFaint((100.0, 100.0), 0.1)]
    assert match_faint({7: (100.0, 100.0), 8: (300.0, 300.0)}, places, 0.0) == {7: places[0]}
    assert match_faint({}, places, 0.0) == {}


def test_matching_is_one_to_one_and_nearest_first():
    known = [((100.0, 100.0), 8.0), ((105.0, 100.0), 8.0)]
    assert match(known, [placed(104, 100)], 0.0) == {1: 0}
    assert match(known, [placed(104, 100), placed(101, 100)], 0.0) == {0: 1, 1: 0}
    assert match(known, [placed(140, 100)], 0.0) == {}


def test_the_gate_follows_size_and_residual():
    known = [((100.0, 100.0), 4.0)]
    apart = [placed(107, 100, 4.0)]
    assert match(known, apart, 0.0) == {}
    assert match(known, apart, 0.02) == {0: 0}
    assert match(known, [placed(107, 100, 14.0)], 0.0) == {0: 0}


xy = st.tuples(st.floats(0, 511), st.floats(0, 511))


@settings(deadline=None)
@given(st.lists(xy, max_size=12), st.lists(xy, max_size=12))
def test_no_finding_is_used_twice(known, found):
    chosen = match([(p, 6.0) for p in known], [placed(*p) for p in found], None)
    assert len(set(chosen.values())) == len(chosen)


def test_a_lesion_of_a_hidden_region_is_not_resolved():
    visits = [make_visit(0, lesions=24), make_visit(1, lesions=24), make_visit(2)]
    comparisons = same_place(visits)
    comparisons[2].common[visits[0].canvas.parts == Part.FOREHEAD] = False
    states = {t.region: t.sightings[-1].state for t in build_ledger(visits, comparisons)}
    assert states[Region.FOREHEAD] is State.NOT_VISIBLE
    assert states[Region.LEFT_CHEEK] is State.RESOLVED
    assert all(a.visit < b.visit for t in build_ledger(visits, comparisons) for a, b in pairwise(t.sightings))
