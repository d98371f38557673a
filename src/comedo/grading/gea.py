"""The Global Evaluation of Acne (GEA): how much of the face is involved, and nodules."""

from __future__ import annotations

from comedo.grading.involvement import Involvement
from comedo.grading.tally import (
    FAINT_COMEDONES,
    NO_SCALE,
    NODULES_BY_TOUCH,
    Tally,
    hidden_lines,
    number,
    tally,
    tally_interval,
)
from comedo.types import Counts, Grade

SOURCE = (
    "Dréno B et al. Global Acne Severity Scale (GEA). J Eur Acad Dermatol Venereol 2011; "
    "the numbers for scattered, whole and few are comedo's"
)
LEVELS = ("clear", "almost clear", "mild", "moderate", "severe", "very severe")
SCATTERED, HALF, WHOLE = 0.10, 0.50, 0.80  # shares of the face involved; half is the scale's own
# A few is 1 to 3 papules or pustules and 2 to 3 nodules: Bernardis et al., JAMA Dermatol 2020, figure 2.
FEW_INFLAMED = 3
FEW_NODULES = 3


def grade_gea(counts: Counts, involvement: Involvement | None, *, has_scale: bool) -> Grade:
    """The GEA grade that the photo suggests, 0 to 5; None where no skin is visible.

    The scale was validated on 34 photos and 22 patients, all Caucasian; it is untested on dark skin.
    """
    missing = (
        "the overall judgement of a clinician",
        FAINT_COMEDONES,
        NODULES_BY_TOUCH,
        *(() if has_scale else (NO_SCALE,)),
        *hidden_lines(counts),
    )
    if involvement is None:
        return Grade("gea", None, None, "no skin is visible", SOURCE, maximum=5, missing=missing)
    here = tally(counts, has_scale=has_scale)
    low, high = (gea_of(t, *_shares(involvement, t)) for t in tally_interval(counts, has_scale=has_scale))
    active, inflamed = _shares(involvement, here)
    value = gea_of(here, active, inflamed)
    nodules = "" if here.nodules is None else f", {number(here.nodules, 'nodule')}"
    return Grade(
        scale="gea",
        value=value,
        level=LEVELS[value],
        why=f"{active:.0%} of the visible skin lies near {number(here.active, 'conspicuous active lesion')}, "
        f"{here.inflamed} inflamed{nodules}",
        source=SOURCE,
        interval_90=(low, high),
        maximum=5,
        missing=missing,
        details={
            "involved": round(active, 3),
            "involved_inflamed": round(inflamed, 3),
            "active": here.active,
            "inflamed": here.inflamed,
            "nodules": here.nodules,
            "convention": counts.convention,
        },
    )


def gea_of(here: Tally, involved: float, involved_inflamed: float) -> int:
    """The grade of a tally and of the shares of the face near an active and near an inflamed lesion."""
    nodules = here.nodules or 0
    if here.active == 0:
        return 0
    if involved_inflamed >= WHOLE and nodules > FEW_NODULES:
        return 5
    if involved >= WHOLE or nodules > 1:
        return 4
    if involved > HALF or nodules == 1:
        return 3
    return 1 if involved <= SCATTERED and here.inflamed <= FEW_INFLAMED else 2


def _shares(involvement: Involvement, here: Tally) -> tuple[float, float]:
    return involvement.at(involvement.active, here.active), involvement.at(involvement.inflamed, here.active)
