"""Severity 1 (clear) to 5 (severe): a real number that never falls when a lesion is added or grows.

Five levels as in the selfie grading of Zhao, Zhang and Spoelstra (2019): clear, almost clear, mild,
moderate, severe. Each lesion adds a burden from what was measured on it; the burden's bounds between the
levels are fitted to the ACNE04 grades (Wu et al., ICCV 2019: bands of the lesion count with limits
at 5, 20 and 50), so that levels 2 to 5 correspond to those four grades.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from comedo.calibration import SeverityCurve
from comedo.types import Grade, Lesion

Floats = NDArray[np.float64]
LEVELS = ("Clear", "Almost clear", "Mild", "Moderate", "Severe")

# Eye line to lips of an adult face, millimetres: turns a size relative to the face into one that
# does not need both eyes. It only has to be the same for all photos.
_FACE_MM = 65.0
_LARGE_FROM_MM = 3.0
_RED_FROM = 4.0
_Z90 = 1.645


def burden_of(lesion: Lesion, face_px: float, curve: SeverityCurve) -> float:
    """What one lesion adds; nothing for a mark, more for a conspicuous, large or red lesion."""
    if not lesion.active:
        return 0.0
    weights = burden_weights(
        np.array([lesion.diameter_px]),
        np.array([lesion.redness or 0.0]),
        np.array([lesion.conspicuity or 0.0]),
        face_px,
        curve,
    )
    return float(weights[0])


def burden_weights(
    diameter_px: Floats, redness: Floats, conspicuity: Floats, face_px: float, curve: SeverityCurve
) -> Floats:
    """What active lesions add, (N,); the calibration fits the curve with the same sum.

    Args:
        diameter_px: (N,) photo pixels.
        redness: (N,) CIELAB a* above the skin around; 0 where not assessed.
        conspicuity: (N,) in [0, 1].
        face_px: Eye line to lips, photo pixels.
        curve: The weights.
    """
    size = np.maximum(0.0, diameter_px / max(face_px, 1.0) * _FACE_MM - _LARGE_FROM_MM)
    red = np.maximum(0.0, redness - _RED_FROM)
    return curve.faint + conspicuity * (curve.conspicuous + curve.large * size + curve.red * red)


def burden(lesions: Sequence[Lesion], face_px: float, curve: SeverityCurve) -> float:
    """Sum of what the lesions add."""
    return sum(burden_of(lesion, face_px, curve) for lesion in lesions)


def severity_of(total: float, curve: SeverityCurve) -> float:
    """Severity of a burden, in [1, 5], rising.

    Halfway between two levels (1.5, 2.5, ...) lies the bound between them; in between the
    severity follows log(1 + burden) linearly.
    """
    last = curve.bounds[-1] ** 2 / curve.bounds[-2]
    knots = np.log1p(np.array([0.0, *curve.bounds, last]))
    return float(np.interp(math.log1p(total), knots, [1.0, 1.5, 2.5, 3.5, 4.5, 5.0]))


def level_number(value: float) -> int:
    """The level, 1 to 5, of a severity; a value on the bound between two belongs to the higher one."""
    return min(len(LEVELS), math.floor(value + 0.5))


def grade_severity(
    lesions: Sequence[Lesion], face_px: float, curve: SeverityCurve, *, conspicuous_from: float = 0.5
) -> Grade:
    """Severity with its interval and the arithmetic behind it.

    Args:
        lesions: All lesions of the face; marks add nothing.
        face_px: Eye line to lips, photo pixels.
        curve: Fitted weights and bounds.
        conspicuous_from: Conspicuity from which the sentence calls a lesion conspicuous; the burden
            itself needs no cut-off.
    """
    active = [x for x in lesions if x.active]
    total = burden(active, face_px, curve)
    value = round(severity_of(total, curve), 2)
    plain = sum((x.conspicuity or 0.0) >= conspicuous_from for x in active)
    bounds = ", ".join(f"{b:g}" for b in curve.bounds)
    why = (
        f"{len(active)} active lesions, {plain} of them conspicuous, add up to a burden of {total:.1f}; "
        f"the levels from {LEVELS[0]} to {LEVELS[-1]} meet at {bounds}."
    )
    half = _Z90 * curve.spread
    return Grade(
        scale="severity",
        value=value,
        level=LEVELS[level_number(value) - 1],
        why=why,
        source="levels: Zhao et al. 2019 (arXiv:1907.07901); bounds fitted to the grades of ACNE04 (Wu et al. 2019)",
        interval_90=(round(max(1.0, value - half), 2), round(min(5.0, value + half), 2)),
        maximum=5,
        missing=("chest and back: not in a face photo",),
        details={"burden": round(total, 2), "active": len(active), "conspicuous": plain},
    )
