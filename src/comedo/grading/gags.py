"""The facial part of the Global Acne Grading System."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from comedo.grading.tally import CHEST_AND_BACK, NODULES_BY_TOUCH
from comedo.types import Grade, Kind, Lesion, Region

SOURCE = "Doshi A et al. Int J Dermatol 1997 (as given by Adityan et al., IJDVL 2009;75:323)"
FACTORS: Mapping[Region, int] = {
    Region.FOREHEAD: 2,
    Region.RIGHT_CHEEK: 2,
    Region.LEFT_CHEEK: 2,
    Region.NOSE: 1,
    Region.CHIN: 1,
}
KIND_GRADES: Mapping[Kind, int] = {
    Kind.MARK: 0,
    Kind.OPEN_COMEDONE: 1,
    Kind.CLOSED_COMEDONE: 1,
    Kind.PAPULE: 2,
    Kind.PUSTULE: 3,
    Kind.NODULE: 4,
}
WORST_GRADE = 4
CHEST_AND_BACK_FACTOR = 3
BANDS = ((0, "clear"), (1, "mild"), (19, "moderate"), (31, "severe"), (39, "very severe"))


def grade_gags_face(lesions: Sequence[Lesion], visible: frozenset[Region]) -> Grade:
    """Sum over the face of location factor times the grade of the worst lesion there, 0 to 32.

    A region that is not visible leaves `value` None; the sum over the others and its maximum are
    then in `details`. The level says "at least" wherever the unseen parts could change the class.

    The number of lesions has no say in this scale, one wrongly called kind moves a region: the
    interval is that of the worst kinds under `kind_probs`, the lesions taken as independent.
    """
    seen = [r for r in Region if r in visible]
    scores = {r: FACTORS[r] * max((_grade(x) for x in lesions if x.region is r), default=0) for r in seen}
    total, maximum = sum(scores.values()), WORST_GRADE * sum(FACTORS[r] for r in seen)
    hidden = [r.value.replace("_", " ") for r in Region if r not in visible]
    unseen = WORST_GRADE * (CHEST_AND_BACK_FACTOR + sum(FACTORS.values())) - maximum
    terms = " + ".join(f"{r.value.replace('_', ' ')} {FACTORS[r]}x{s // FACTORS[r]}" for r, s in scores.items() if s)
    why = f"{terms} = {total} of {maximum}" if terms else f"no active lesions: 0 of {maximum}"
    if hidden:
        seen_part = f"; the visible regions give {why}" if seen else ""
        why = f"cannot be given in full, not visible: {', '.join(hidden)}{seen_part}"
    return Grade(
        scale="gags_face",
        value=None if hidden else total,
        level=_level(total, total + unseen) if seen else None,
        why=why,
        source=SOURCE,
        interval_90=None if hidden else _interval(lesions, seen, total),
        maximum=WORST_GRADE * sum(FACTORS.values()),
        missing=(CHEST_AND_BACK, NODULES_BY_TOUCH, *(f"{name}: not visible in this photo" for name in hidden)),
        details={
            "partial_sum": total if seen else None,
            "partial_maximum": maximum,
            **{r.value: scores.get(r) for r in Region},
        },
    )


def _grade(lesion: Lesion) -> int:
    return KIND_GRADES[lesion.kind] if lesion.active else 0


def _level(lowest: int, highest: int) -> str:
    """The class of the whole scale, "at least" unless all sums from lowest to highest share it."""
    if lowest == 0:
        return "clear where seen"
    first, last = (sum(total >= start for start, _ in BANDS) - 1 for total in (lowest, highest))
    name = BANDS[first][1]
    return name if first == last else f"at least {name}"


def _interval(lesions: Sequence[Lesion], regions: Sequence[Region], total: int) -> tuple[float, float]:
    chances: NDArray[np.float64] = np.ones(1)
    for region in regions:
        spread = np.zeros(WORST_GRADE * FACTORS[region] + 1)
        spread[:: FACTORS[region]] = _worst_grade_probs([x for x in lesions if x.active and x.region is region])
        chances = np.convolve(chances, spread)
    below = np.cumsum(chances) / chances.sum()
    low, high = (int(np.searchsorted(below, q - 1e-9)) for q in (0.05, 0.95))
    return float(min(low, total)), float(max(high, total))


def _worst_grade_probs(lesions: Sequence[Lesion]) -> NDArray[np.float64]:
    """(5,) probabilities of the worst grade 0-4 among independent lesions."""
    grades = range(WORST_GRADE + 1)
    at_most = [math.prod(_chance_at_most(x, g) for x in lesions) for g in grades]
    return np.diff(np.array([0.0, *at_most]))


def _chance_at_most(lesion: Lesion, grade: int) -> float:
    if grade == WORST_GRADE:
        return 1.0
    return min(1.0, sum(p for kind, p in lesion.kind_probs.items() if KIND_GRADES[kind] <= grade))
