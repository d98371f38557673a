"""Outcome measures as trials report them, and the 12-week review of a treatment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from comedo.progress.flares import find_flares
from comedo.progress.healing import half_life
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
from comedo.progress.verdict import judge_readings, with_quality
from comedo.types import Verdict

# Acne treatment is judged after 12 weeks: NICE NG198 (2021), recommendation 1.5.1; trials take the same span.
REVIEW_AFTER = timedelta(weeks=12)
_REVIEW_WINDOW = timedelta(days=21)
_BASELINE_BEFORE = timedelta(days=42)  # a photo older than that is no baseline of a treatment
_TOLD = (Answer.BETTER, Answer.WORSE)


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
    """Everything that trials ask of the series; what would follow from a poor photo or an unknown date stays open."""
    days = days_of(visits)
    sure = _sure(visits, last)
    iga = (_iga(visits[0]), None if last is None else _iga(visits[last]))
    good = [p for p in timeline if not _is_poor(visits[p.visit])]
    known = [(d / 7, p.count) for p in good if (d := days[p.visit]) is not None]
    trend = theil_sen([w for w, _ in known], [c for _, c in known])
    healing = half_life(ledger, days) if whole.answer in _TOLD else None
    return Outcomes(
        percent_change=whole.measures[0].percent if sure is not None and whole.measures else None,
        iga_before=iga[0],
        iga_after=iga[1],
        iga_success=None if sure is None else iga_success(*iga),
        days_to_first_real_change=_first_real_change(timeline, days, whole.answer),
        slope_per_week=None if trend is None else trend.slope,
        slope_interval_90=None if trend is None else trend.interval_90,
        half_life_days=None if healing is None else healing.days,
        half_life_interval_90=None if healing is None else healing.interval_90,
        flare_regions=()
        if sure is None
        else find_flares(ledger, comparisons[sure], visits[0].canvas.parts, range(timeline[-1].visit, sure + 1)),
    )


def _sure(visits: Sequence[Visit], last: int | None) -> int | None:
    """The visit compared, if it and the first are not poor and every date is known."""
    if last is None or any(v.when is None for v in visits) or _is_poor(visits[0]) or _is_poor(visits[last]):
        return None
    return last


def _is_poor(visit: Visit) -> bool:
    return visit.quality.verdict is Verdict.POOR


def _iga(visit: Visit) -> int | None:
    grade = visit.grades.get("iga_estimate")
    return int(grade.value) if grade is not None and isinstance(grade.value, int) else None


def iga_success(before: int | None, after: int | None) -> bool | None:
    """Clear or almost clear, and at least two grades better: the usual primary endpoint (FDA guidance, 2018)."""
    return None if before is None or after is None else after <= 1 and before - after >= 2


def _first_real_change(timeline: Sequence[TimePoint], days: Sequence[float | None], answer: Answer) -> float | None:
    """Days to the first visit that differs as the last does and whose next visit confirms it, or that is the last."""
    if answer not in _TOLD:
        return None
    later = timeline[1:]
    for point, following in zip(later, (*later[1:], later[-1]), strict=True):
        if point.answer is answer and following.answer is answer:
            return days[point.visit]
    return None


def review_treatment(series: Series, start: datetime) -> Review:
    """Compare the visit before the treatment with the one nearest to 12 weeks after its start.

    A treatment starts on a day: photos of that day count as taken before it. Where there is a choice, a photo that is
    not poor is taken; from a poor one nothing is concluded.
    """
    due = start + REVIEW_AFTER
    if any(visit.when is None for visit in series.visits):
        note = "the dates of the photos are not known, so nothing says which were taken before the start: give them"
        return Review(start, due, None, None, None, None, note)
    day = {i: v.when.date() for i, v in enumerate(series.visits) if v.when and series.comparisons[i].comparable}
    first = _choose(series, {i: start.date() - d for i, d in day.items() if d <= start.date()}, _BASELINE_BEFORE)
    review = _choose(series, {i: abs(d - due.date()) for i, d in day.items()}, _REVIEW_WINDOW)
    if first is None:
        return Review(start, due, None, review, None, None, "no comparable photo from the six weeks before the start")
    if review is None:
        early = max(day.values()) < due.date()
        note = f"due on {due:%Y-%m-%d}" if early else f"no comparable photo within three weeks of {due:%Y-%m-%d}"
        return Review(start, due, first, None, None, None, note)
    before, after = series.visits[first], series.visits[review]
    summary = with_quality(judge_readings(*series.pair(first, review), series.noise), before, after)
    poor = _is_poor(before) or _is_poor(after)
    return Review(start, due, first, review, summary, None if poor else iga_success(_iga(before), _iga(after)), "")


def _choose(series: Series, away: Mapping[int, timedelta], window: timedelta) -> int | None:
    """Of the visits in a window the nearest, of those as near the latest; a poor one only where there is no other."""
    inside = [i for i, distance in away.items() if distance <= window]
    return min(inside, key=lambda i: (_is_poor(series.visits[i]), away[i], -i)) if inside else None
