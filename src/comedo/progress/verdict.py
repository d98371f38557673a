"""Better, same, worse, or cannot tell: a difference against the noise of photos like these."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from comedo.progress.noise import Z_95, ChangeNoise
from comedo.progress.values import Answer, MeasureChange, Summary, Track, Visit
from comedo.types import Region, Verdict

Z_REGION = 2.58  # 5 % shared by five regions (Bonferroni)
_LEANING = 0.8  # with a direction more probable than this, "the same" would hide it
_NAMES = {
    "count": "active lesions",
    "area": "mm² of lesions",
    "severity": "grades of severity",
}


@dataclass(frozen=True)
class Conditions:
    """How two photos differ as photos, and the person's own factor on the noise."""

    light: float
    zoom: float  # log2
    factor: float = 1.0
    sharpness: float = 0.0  # log2; 0 where it could not be measured


@dataclass(frozen=True)
class Readings:
    """What was measured on the skin compared: active lesions, their area in mm², severity of the whole face."""

    count: float
    area: float
    severity: float | None


def read_tracks(tracks: Sequence[Track], visit: int, severity: float | None, region: Region | None = None) -> Readings:
    """Readings at a visit of the lesions that are there and active, of one region or of all.

    Severity belongs to a whole photo: it is None for a region.
    """
    areas = (t.area_mm2_at(visit) for t in tracks if region is None or t.region is region)
    there = [area for area in areas if area is not None]
    return Readings(float(len(there)), sum(there), None if region else severity)


def judge(
    name: str, before: float, after: float, conditions: Conditions, noise: ChangeNoise, *, z: float = Z_95
) -> MeasureChange:
    """One measure before and after.

    Better or worse when the difference exceeds what noise makes and the margin; the same when it does not, neither
    direction is probable, and noise is small enough to be of use; else it cannot be told.
    """
    model = noise.measures[name]
    mean = (before + after) / 2
    sd = conditions.factor * model.sd(mean, conditions.light, conditions.zoom, conditions.sharpness)
    limit = z * sd * model.tolerance
    margin = max(model.margin, model.margin_share * mean)
    smallest = model.smallest_detectable(max(limit, margin), sd)
    difference = after - before
    up, down = _above(difference - margin, sd), _above(-difference - margin, sd)
    probabilities = {Answer.BETTER: down, Answer.SAME: max(0.0, 1 - up - down), Answer.WORSE: up}
    unit, way = _NAMES[name], "more" if difference > 0 else "fewer"
    apart, by_noise = short(abs(difference)), short(limit)
    if abs(difference) > max(limit, margin):
        answer = Answer.WORSE if difference > 0 else Answer.BETTER
        reason = f"{apart} {unit} {way}; noise explains {by_noise}"
    elif max(up, down) > _LEANING:
        answer = Answer.CANNOT_TELL
        reason = f"the difference of {apart} {unit} points to {way}, but noise may explain it (up to {by_noise})"
    elif limit <= max(model.useful, model.useful_share * mean):
        answer = Answer.SAME
        unseen = least_seen(smallest) if name == "count" else short(smallest)
        reason = f"the difference of {apart} {unit} is within noise; fewer than {unseen} may go unseen"
    else:
        answer = Answer.CANNOT_TELL
        reason = f"between photos like these noise alone makes up to {by_noise} {unit}: too much to see a change"
    return MeasureChange(name, before, after, sd, limit, smallest, margin, probabilities, answer, reason)


def least_seen(smallest_detectable: float) -> int:
    """The fewest lesions that are seen to come or go, whole ones."""
    return max(1, math.ceil(smallest_detectable))


def short(value: float) -> str:
    """Whole from ten on, else with two digits."""
    return f"{value:.0f}" if value >= 9.95 else f"{value:.2g}"


def _above(value: float, sd: float) -> float:
    """Probability that a normal value with that mean is above zero."""
    return 0.5 * math.erfc(-value / (sd * math.sqrt(2)))


def judge_readings(
    before: Readings, after: Readings, conditions: Conditions, noise: ChangeNoise, *, z: float = Z_95
) -> Summary:
    """All measures together: the count answers, and the others may only take its answer away."""
    pairs = {name: (getattr(before, name), getattr(after, name)) for name in _NAMES}
    measures = [judge(n, *pair, conditions, noise, z=z) for n, pair in pairs.items() if None not in pair]
    count = measures[0]
    opposite = {Answer.BETTER: Answer.WORSE, Answer.WORSE: Answer.BETTER}.get(count.answer)
    against = [m for m in measures[1:] if m.answer is opposite]
    if against:
        reason = f"the count and the {_NAMES[against[0].name]} point in opposite directions"
        return Summary(Answer.CANNOT_TELL, None, reason, tuple(measures))
    return Summary(count.answer, count.probabilities, count.reason, tuple(measures))


def refuse(reason: str, measures: Sequence[MeasureChange] = ()) -> Summary:
    """No answer, and why."""
    return Summary(Answer.CANNOT_TELL, None, reason, tuple(measures))


def withdraw(summary: Summary, reason: str) -> Summary:
    """The same measures without any answer or probability."""
    cannot = Answer.CANNOT_TELL
    measures = tuple(replace(m, answer=cannot, probabilities=None, reason=reason) for m in summary.measures)
    return Summary(cannot, None, reason, measures)


def with_quality(summary: Summary, *visits: Visit) -> Summary:
    """Nothing is concluded from a poor photo: the summary without its answer where one of the visits is."""
    poor = [v.name for v in visits if v.quality.verdict is Verdict.POOR]
    return withdraw(summary, f"{' and '.join(poor)} is too poor to be compared") if poor else summary
