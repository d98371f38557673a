"""Better, same, worse, or cannot tell: a difference against the noise of photos like these."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from comedo.progress.ledger import Placed
from comedo.progress.noise import Z_95, ChangeNoise
from comedo.progress.values import Answer, MeasureChange, Summary
from comedo.types import Region

Z_REGION = 2.58  # 5 % shared by five regions (Bonferroni)
_NAMES = {"count": "active lesions", "area": "mm² of lesions", "severity": "grades of severity"}


@dataclass(frozen=True)
class Conditions:
    """How two photos differ as photos, and the person's own factor on the noise."""

    light: float
    zoom: float
    factor: float = 1.0


@dataclass(frozen=True)
class Readings:
    """What was measured on the skin compared: active lesions, their area in mm², severity of the whole face."""

    count: float
    area: float
    severity: float | None


def read_placed(placed: Sequence[Placed], severity: float | None, region: Region | None = None) -> Readings:
    """Readings of the active lesions whose place is compared, of one region or of all.

    Severity belongs to a whole photo: it is None for a region.
    """
    mine = [p for p in placed if p.seen and p.lesion.active and (region is None or p.region is region)]
    return Readings(float(len(mine)), sum(p.area_mm2 for p in mine), None if region else severity)


def judge(
    name: str, before: float, after: float, conditions: Conditions, noise: ChangeNoise, *, z: float = Z_95
) -> MeasureChange:
    """One measure before and after.

    Better or worse when the difference exceeds the smallest detectable change; the same when it does not and that
    change is small enough to be of use; else it cannot be told.
    """
    model = noise.measures[name]
    mean = (before + after) / 2
    sd = conditions.factor * model.sd(mean, conditions.light, conditions.zoom)
    smallest = z * sd
    margin = max(model.margin, model.margin_share * mean)
    difference = after - before
    up, down = _above(difference - margin, sd), _above(-difference - margin, sd)
    probabilities = {Answer.BETTER: down, Answer.SAME: max(0.0, 1 - up - down), Answer.WORSE: up}
    unit = _NAMES[name]
    if abs(difference) > max(smallest, margin):
        answer = Answer.WORSE if difference > 0 else Answer.BETTER
        reason = f"{abs(difference):.3g} {unit} {'more' if difference > 0 else 'fewer'}; noise explains {smallest:.2g}"
    elif smallest <= max(model.useful, model.useful_share * mean):
        answer = Answer.SAME
        reason = (
            f"the difference of {abs(difference):.3g} {unit} is within noise; less than {smallest:.2g} would not show"
        )
    else:
        answer = Answer.CANNOT_TELL
        reason = f"between photos like these noise alone makes up to {smallest:.2g} {unit}: too much to see a change"
    return MeasureChange(name, before, after, sd, smallest, margin, probabilities, answer, reason)


def _above(value: float, sd: float) -> float:
    """Probability that a normal value with that mean is above zero."""
    return 0.5 * math.erfc(-value / (sd * math.sqrt(2)))


def judge_readings(
    before: Readings, after: Readings, conditions: Conditions, noise: ChangeNoise, *, z: float = Z_95
) -> Summary:
    """All measures together: the count answers, and the others may only take its answer away."""
    measures = [judge("count", before.count, after.count, conditions, noise, z=z)]
    measures.append(judge("area", before.area, after.area, conditions, noise, z=z))
    if before.severity is not None and after.severity is not None:
        measures.append(judge("severity", before.severity, after.severity, conditions, noise, z=z))
    count = measures[0]
    opposite = {Answer.BETTER: Answer.WORSE, Answer.WORSE: Answer.BETTER}.get(count.answer)
    against = [m for m in measures[1:] if m.answer is opposite]
    if against:
        reason = f"the count and the {against[0].name} point in opposite directions"
        return Summary(Answer.CANNOT_TELL, count.probabilities, reason, tuple(measures))
    return Summary(count.answer, count.probabilities, count.reason, tuple(measures))


def refuse(reason: str, measures: Sequence[MeasureChange] = ()) -> Summary:
    """No answer, and why."""
    return Summary(Answer.CANNOT_TELL, None, reason, tuple(measures))


def withdraw(summary: Summary, reason: str) -> Summary:
    """The same measures without their answer."""
    return replace(summary, answer=Answer.CANNOT_TELL, reason=reason)
