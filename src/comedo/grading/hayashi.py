"""Hayashi's grade: inflamed lesions on one half of the face."""

from __future__ import annotations

from collections.abc import Sequence

from comedo.grading.halves import Midline, inflamed_by_half
from comedo.grading.tally import hidden_lines, number, scaled, visible_regions
from comedo.types import Counts, Grade, Group, Lesion

SOURCE = (
    "Hayashi N et al. Establishment of grading criteria for acne severity. J Dermatol 2008. "
    "Grade numbers 0-3 as in ACNE04 (Wu et al., ICCV 2019)"
)
BANDS = ((0, 5, "mild"), (6, 20, "moderate"), (21, 50, "severe"), (51, None, "very severe"))
_FORESHORTENED = "skin turned away from the camera: one photo shows less of a half than an examination"


def grade_hayashi(lesions: Sequence[Lesion], counts: Counts, *, midline: Midline | None = None) -> Grade:
    """Hayashi's band of the worse half of the face, 0 (mild) to 3 (very severe).

    Both cheeks visible: lesions are parted at the midline and the worse half gives the grade.
    One cheek visible: the photo is taken as that half, as ACNE04 does with its half profiles.
    No cheek visible: no grade. Hand in the lesions that `counts` counts; where it counts fewer
    inflamed ones than `lesions` holds, a half has at most that many.

    The published bands count papules and pustules as a dermatologist sees them. Ours count every
    lesion of the inflamed group: a nodule too, so that a worse lesion never lowers the grade.
    """
    missing = (_FORESHORTENED, *hidden_lines(counts))
    halves = inflamed_by_half(lesions, visible_regions(counts), midline)
    if halves.worse is None:
        return Grade(
            "hayashi", None, None, "neither cheek is visible, so no half of the face can be counted", SOURCE,
            maximum=3, missing=missing, details={"convention": counts.convention},
        )  # fmt: skip
    side, found = halves.worse
    n = min(found, counts.by_group.get(Group.INFLAMMATORY, 0))
    low, high = scaled(n, counts) if counts.total else (0, counts.interval_90[1])
    value = hayashi_band(n)
    first, last, name = BANDS[value]
    band = f"in the band {first}-{last}" if last is not None else f"in the band of {first} and more"
    return Grade(
        scale="hayashi",
        value=value,
        level=name if n else "no inflamed lesions",
        why=f"{number(n, 'inflamed lesion')} on the {side} half of the face, {band}",
        source=SOURCE,
        interval_90=(hayashi_band(low), hayashi_band(high)),
        maximum=3,
        missing=missing,
        details={
            "left_half": halves.left,
            "right_half": halves.right,
            "without_side": halves.unsided,
            "convention": counts.convention,
        },
    )


def hayashi_band(inflamed: int) -> int:
    """Index of the band that holds a number of inflamed lesions on half a face."""
    return sum(inflamed >= first for first, _, _ in BANDS) - 1
