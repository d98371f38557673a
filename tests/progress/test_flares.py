import math

import pytest

from change_builders import PLACES, make_visit, same_place, spots
from comedo.progress.flares import find_flares, flaring, new_by_region
from comedo.progress.ledger import build_ledger
from comedo.progress.values import Sighting, State, Track
from comedo.types import Group, Region

EVEN = dict.fromkeys(Region, 20)
FACE = {  # roughly a face from the front
    Region.FOREHEAD: 30,
    Region.NOSE: 8,
    Region.LEFT_CHEEK: 25,
    Region.RIGHT_CHEEK: 25,
    Region.CHIN: 12,
}
SIDE = {Region.NOSE: 5, Region.LEFT_CHEEK: 95}


def spread(**counts):
    return {region: counts.get(region.value, 0) for region in Region}


@pytest.mark.parametrize(
    ("new", "skin", "regions"),
    [
        pytest.param(spread(), EVEN, (), id="none"),
        pytest.param(spread(chin=2), FACE, (), id="two are no flare"),
        pytest.param(spread(chin=3), EVEN, (Region.CHIN,), id="three of three on a fifth: 0.008"),
        pytest.param(spread(forehead=3), FACE, (), id="three of three on the forehead: 0.027"),
        pytest.param(spread(chin=3, nose=3), EVEN, (), id="half each"),
        pytest.param(spread(chin=9, forehead=2, left_cheek=1), FACE, (Region.CHIN,), id="nine of twelve on the chin"),
        pytest.param({Region.LEFT_CHEEK: 12}, {Region.LEFT_CHEEK: 50}, (), id="the only region seen"),
    ],
)
def test_flares(new, skin, regions):
    assert flaring(new, skin) == regions


@pytest.mark.parametrize("skin", [EVEN, FACE, SIDE], ids=["even", "face", "side"])
@pytest.mark.parametrize("total", [1, 3, 4, 5, 6, 8, 10])
def test_chance_alone_seldom_flares(skin, total):
    """Every way in which so many new lesions fall on the regions, each with its chance."""
    area = sum(skin.values())
    chance = 0.0
    for counts in splits(total, len(skin)):
        if flaring(dict(zip(skin, counts, strict=True)), skin):
            ways = math.factorial(total)
            for count in counts:
                ways //= math.factorial(count)
            chance += ways * math.prod((a / area) ** n for a, n in zip(skin.values(), counts, strict=True))
    assert chance <= 0.05


def splits(total, parts):
    if parts == 1:
        yield (total,)
        return
    for first in range(total + 1):
        yield from ((first, *rest) for rest in splits(total - first, parts - 1))


def test_new_lesions_of_a_region_in_sight():
    forehead = PLACES[:6]
    visits = [make_visit(0), make_visit(28, lesions=spots(forehead))]
    comparisons = same_place(visits)
    ledger = build_ledger(visits, comparisons)
    parts = visits[0].canvas.parts
    assert find_flares(ledger, comparisons[1], parts, [1]) == (Region.FOREHEAD,)
    assert find_flares(ledger, comparisons[0], parts, [0]) == ()


APPEARED = {
    "in its first photo": ((None, State.NEW, State.PERSISTING), 1),
    "in its second": ((None, None, State.NEW), 1),
    "in one that the next denies": ((None, State.NEW, State.RESOLVED), 0),
    "hidden in the next": ((None, State.NEW, State.NOT_VISIBLE), 1),
    "before": ((State.NEW, State.PERSISTING, State.PERSISTING), 0),
    "never": ((None, None, None), 0),
}


@pytest.mark.parametrize(("states", "new"), APPEARED.values(), ids=APPEARED)
def test_lesions_new_in_a_session_of_two_photos(states, new):
    alive = {State.NEW, State.PERSISTING}
    seen = [Sighting(v, s, None, Group.INFLAMMATORY if s in alive else None) for v, s in enumerate(states) if s]
    assert new_by_region([Track(1, (0.0, 0.0), Region.CHIN, tuple(seen))], [1, 2])[Region.CHIN] == new
