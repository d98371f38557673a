"""An estimate of the Investigator's Global Assessment (the lesion-based five-grade text)."""

from __future__ import annotations

from comedo.grading.tally import (
    CHEST_AND_BACK,
    FAINT_COMEDONES,
    NO_SCALE,
    NODULES_BY_TOUCH,
    Floor,
    Tally,
    hidden_lines,
    number,
    tally,
    tally_interval,
)
from comedo.types import Counts, Grade

SOURCE = (
    "Grade texts: FDA, Acne Vulgaris: Establishing Effectiveness of Drugs Intended for Treatment, 2018. "
    "Numbers for some, few and many: Lehmann HP et al. J Am Acad Dermatol 2002, chosen by comedo, "
    "not validated against dermatologists"
)
LEVELS = ("clear", "almost clear", "mild", "moderate", "severe")
# Lehmann's mild ends below 20 comedones or 15 inflamed lesions, his moderate at 100 and 50. He
# counts comedones apart; we count cumulatively, so that a comedone that becomes a papule never
# lowers the grade. Nodules follow the grade texts: none in mild, one small one in moderate.
FLOORS = (
    Floor(active=0, inflamed=0, nodules=0),
    Floor(active=1, inflamed=1, nodules=1),
    Floor(active=6, inflamed=2, nodules=1),
    Floor(active=20, inflamed=15, nodules=1),
    Floor(active=101, inflamed=51, nodules=2),
)
MORE_THAN_A_FEW_NODULES = 4  # few is 2 to 3: Bernardis et al., JAMA Dermatol 2020, figure 2


def grade_iga(counts: Counts, *, has_scale: bool) -> Grade:
    """The IGA that the counts suggest, 0 to 4; named an estimate, since the IGA is a person's judgement.

    Marks have no say: grade 0 allows leftover redness and pigment. Above grade 4 the scale ends;
    `details["beyond_scale"]` is 1 with more than a few nodules.
    """
    here = tally(counts, has_scale=has_scale)
    low, high = tally_interval(counts, has_scale=has_scale)
    value = iga_of(here)
    return Grade(
        scale="iga_estimate",
        value=value,
        level=LEVELS[value],
        why=_why(here, value),
        source=SOURCE,
        interval_90=(iga_of(low), iga_of(high)),
        maximum=4,
        missing=(
            "the overall judgement of an investigator",
            FAINT_COMEDONES,
            NODULES_BY_TOUCH,
            CHEST_AND_BACK,
            *(() if has_scale else (NO_SCALE,)),
            *hidden_lines(counts),
        ),
        details={
            "active": here.active,
            "inflamed": here.inflamed,
            "nodules": here.nodules,
            "beyond_scale": int((here.nodules or 0) >= MORE_THAN_A_FEW_NODULES),
            "convention": counts.convention,
        },
    )


def iga_of(here: Tally) -> int:
    """The highest grade whose floor is reached."""
    return max(grade for grade, floor in enumerate(FLOORS) if floor.reasons(here))


def _why(here: Tally, value: int) -> str:
    if value == 0:
        return "no active lesions"
    if value == 1:
        return f"{number(here.active, 'active lesion')} (1 to 5), {here.inflamed} of them inflamed (at most 1)"
    return f"{' and '.join(FLOORS[value].reasons(here))} make it {LEVELS[value]}"
