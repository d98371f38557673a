"""Outcome measures as trials report them, and the 12-week review of a treatment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from comedo.progress.ledger import half_life_days, new_by_region
from comedo.progress.series import Series
from comedo.progress.trend import theil_sen
from comedo.progress.values import (
    Answer,
    Comparison,
    Outcomes,
    Review,
    Summary,
    TimePoint,
    Track,
    Visit,
)
from comedo.progress.verdict import judge_readings
from comedo.types import Region

# Acne treatment is judged after 12 weeks: NICE NG198 (2021), recommendation 1.5.1; trials take the same span.
REVIEW_AFTER = timedelta(weeks=12)
_REVIEW_WINDOW = timedelta(days=21)
_BASELINE_BEFORE = timedelta(days=42)  # a photo older than that is no baseline of a treatment
# New lesions of a region between two visits that random appearance alone exceeds in fewer than 5 of 100 visits,
# where the whole face gets n and the region has a fifth of it: see `_is_flare`.
_FLARE_LEAST = 3


def days_of(visits: Sequence[Visit]) -> list[float | None]:
    """Days since the first visit; None where either date is not known."""
    start = visits[0].when
    return [None if start is None or v.when is None else (v.when - start).total_seconds() / 86400 for v in visits]


def measure_outcomes(
    visits: Sequence[Visit],
    comparisons: Sequence[Comparison],
    ledger: Sequence[Track],
    timeline: Sequence[TimePoint],
    last: int | None,
    whole: Summary,
) -> Outcomes:
    """Everything that trials ask of the series."""
    days = days_of(visits)
    iga = (_iga(visits[0]), None if last is None else _iga(visits[last]))
    known = [(d / 7, p.count) for p in timeline if (d := days[p.visit]) is not None]
    trend = theil_sen([w for w, _ in known], [c for _, c in known])
    return Outcomes(
        percent_change=whole.measures[0].percent if whole.measures else None,
        iga_before=iga[0],
        iga_after=iga[1],
        iga_success=iga_success(*iga),
        days_to_first_real_change=_first_real_change(timeline, days, whole.answer),
        slope_per_week=None if trend is None else trend.slope,
        slope_interval_90=None if trend is None else trend.interval_90,
        half_life_days=half_life_days(ledger, days),
        flare_regions=_flares(ledger, comparisons, last),
    )


def _iga(visit: Visit) -> int | None:
    grade = visit.grades.get("iga_estimate")
    return int(grade.value) if grade is not None and isinstance(grade.value, int) else None


def iga_success(before: int | None, after: int | None) -> bool | None:
    """Clear or almost clear, and at least two grades better: the usual primary endpoint (FDA guidance, 2018)."""
    return None if before is None or after is None else after <= 1 and before - after >= 2


def _first_real_change(timeline: Sequence[TimePoint], days: Sequence[float | None], answer: Answer) -> float | None:
    """Days to the first visit that differs as the last does and whose next visit confirms it, or that is the last."""
    if answer not in (Answer.BETTER, Answer.WORSE):
        return None
    later = timeline[1:]
    for point, following in zip(later, (*later[1:], later[-1]), strict=True):
        if point.answer is answer and following.answer is answer:
            return days[point.visit]
    return None


def _flares(ledger: Sequence[Track], comparisons: Sequence[Comparison], last: int | None) -> tuple[Region, ...]:
    if last is None:
        return ()
    new = new_by_region(ledger, last)
    total = sum(new.values())
    return tuple(r for r, n in new.items() if comparisons[last].regions[r].comparable and _is_flare(n, total))


def _is_flare(new: int, total: int) -> bool:
    """At least three new lesions, and at least half of the face's new ones, in one region."""
    return new >= _FLARE_LEAST and 2 * new >= total


def review_treatment(series: Series, start: datetime) -> Review:
    """Compare the visit before the treatment with the one nearest to 12 weeks after its start."""
    due = start + REVIEW_AFTER
    usable = [i for i, c in enumerate(series.comparisons) if c.comparable and series.visits[i].when is not None]
    when = {i: w for i in usable if (w := series.visits[i].when) is not None}
    before = [i for i in usable if start - _BASELINE_BEFORE <= when[i] <= start]
    near = [i for i in usable if abs(when[i] - due) <= _REVIEW_WINDOW]
    first = before[-1] if before else None
    review = min(near, key=lambda i: abs(when[i] - due)) if near else None
    if first is None:
        return Review(start, due, None, review, None, None, "no comparable photo from the six weeks before the start")
    if review is None:
        latest = max(when.values())
        note = f"due on {due:%Y-%m-%d}" if latest < due else f"no comparable photo within three weeks of {due:%Y-%m-%d}"
        return Review(start, due, first, None, None, None, note)
    summary = judge_readings(*series.pair(first, review), series.noise)
    success = iga_success(_iga(series.visits[first]), _iga(series.visits[review]))
    return Review(start, due, first, review, summary, success, "")
