"""Whether the face is affected by acne at all: a probability from the same burden as severity."""

from __future__ import annotations

import math
from collections.abc import Sequence

from comedo.calibration import AffectedCurve, SeverityCurve
from comedo.grading.severity import burden
from comedo.types import Grade, Lesion

_OFFSET = 0.05  # burden of one doubtful lesion: keeps the logarithm finite on clear skin


def affected_probability(total: float, curve: AffectedCurve) -> float:
    """Probability that a face with this burden is affected, (0, 1), rising."""
    x = curve.slope * math.log((total + _OFFSET) / (curve.middle + _OFFSET))
    return 1 / (1 + math.exp(-x))


def grade_affected(lesions: Sequence[Lesion], face_px: float, curve: AffectedCurve, severity: SeverityCurve) -> Grade:
    """Acne affected or not, with its probability; affected from one half on."""
    total = burden(lesions, face_px, severity)
    probability = affected_probability(total, curve)
    affected = probability >= 0.5
    return Grade(
        scale="acne",
        value=affected,
        level="affected" if affected else "not affected",
        why=f"A burden of {total:.1f}; from {curve.middle:g} on a face is called affected.",
        source="fitted on validation faces with and without acne; see MODEL_CARD.md",
        probability=round(probability, 3),
        details={"burden": round(total, 2)},
    )
