"""The two severity groups of NICE guideline NG198."""

from __future__ import annotations

from comedo.grading.tally import (
    CHEST_AND_BACK,
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

SOURCE = "NICE guideline NG198, Acne vulgaris: management, 2021 (severity groups)"
NONE, MILD_TO_MODERATE, MODERATE_TO_SEVERE = "none", "mild_to_moderate", "moderate_to_severe"
MODERATE_TO_SEVERE_FLOOR = Floor(active=None, inflamed=35, nodules=3)


def grade_nice(counts: Counts, *, has_scale: bool) -> Grade:
    """The NICE group of what one photo shows: a lower bound, for the guideline means the whole person.

    `value` is "mild_to_moderate" or "moderate_to_severe", or "none" without any active lesion,
    which is ours and no group of NICE. Nodules count among the inflamed lesions too. A text has
    no interval: the groups at both ends of the count's are in `details`.
    """
    here = tally(counts, has_scale=has_scale)
    low, high = tally_interval(counts, has_scale=has_scale)
    value = nice_group_of(here)
    return Grade(
        scale="nice_group",
        value=value,
        level=value.replace("_", " ") if value != NONE else "no active lesions",
        why=_why(here, value),
        source=SOURCE,
        missing=(CHEST_AND_BACK, NODULES_BY_TOUCH, *(() if has_scale else (NO_SCALE,)), *hidden_lines(counts)),
        details={
            "group_low": nice_group_of(low),
            "group_high": nice_group_of(high),
            "inflamed": here.inflamed,
            "nodules": here.nodules,
            "convention": counts.convention,
        },
    )


def nice_group_of(here: Tally) -> str:
    """The group that a tally falls in."""
    if MODERATE_TO_SEVERE_FLOOR.reasons(here):
        return MODERATE_TO_SEVERE
    return MILD_TO_MODERATE if here.active else NONE


def _why(here: Tally, value: str) -> str:
    if value == NONE:
        return "no active lesions"
    if value == MODERATE_TO_SEVERE:
        return " and ".join(MODERATE_TO_SEVERE_FLOOR.reasons(here))
    nodules = "nodules not assessed" if here.nodules is None else f"{number(here.nodules, 'nodule')} (up to 2)"
    return f"{number(here.inflamed, 'inflamed lesion')} (up to 34), {nodules}"
