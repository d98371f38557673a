"""From a series of visits to everything that is said about it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from comedo.progress.compare import compare, compare_with_itself
from comedo.progress.ledger import build_ledger
from comedo.progress.noise import Z_95, ChangeNoise, load_noise, personal_factor
from comedo.progress.outcomes import days_of, measure_outcomes, review_treatment
from comedo.progress.series import Series
from comedo.progress.trend import Trend, theil_sen
from comedo.progress.values import (
    Answer,
    Change,
    LeftOut,
    Summary,
    TimePoint,
    View,
    Visit,
)
from comedo.progress.verdict import (
    Z_REGION,
    judge,
    judge_readings,
    read_tracks,
    refuse,
    with_quality,
    withdraw,
)
from comedo.progress.words import in_one_sentence
from comedo.types import Region

MINUTES_APART = timedelta(hours=1)  # photos closer than this show the same skin: they calibrate a person's own noise
# From so many visits on those between must agree with the answer; with one less the one between must not lie outside.
_TREND_VISITS = 4
_TREND_P = {4: 0.10}  # four visits can hardly do better than this by chance alone
_TREND_P_MANY = 0.05
_STRAYS = 0.5  # of the difference: a flare on the way to a much larger change is none of it
_MOST_REFUSED = 0.5  # of the later photos; with more the series is not one of one person's same view


def measure_change(
    visits: Sequence[Visit],
    *,
    left_out: Sequence[LeftOut] = (),
    treatment_start: datetime | None = None,
    noise: ChangeNoise | None = None,
    notices: Sequence[str] = (),
) -> Change:
    """Compare a person's visits with the first of them.

    Args:
        visits: In order of time, at least one; visits without a date are in the order given, and then nothing is
            concluded about direction.
        left_out: Photos that could not be analysed.
        treatment_start: When treatment began, for the 12-week review.
        noise: The test-retest model; the shipped one by default.
        notices: What a reader should know besides.

    Raises:
        ValueError: There is no visit, or dates fall.
    """
    _check(visits)
    noise = noise or load_noise()
    comparisons = (compare_with_itself(visits[0]), *(compare(visits[0], v) for v in visits[1:]))
    ledger = build_ledger(visits, comparisons)
    series = Series(tuple(visits), comparisons, ledger, noise)
    factor = personal_factor(_repeat_scores(series))
    series = Series(series.visits, comparisons, ledger, noise, factor or 1.0)
    timeline = _timeline(series)
    last = next((i for i in range(len(visits) - 1, 0, -1) if comparisons[i].comparable), None)
    whole = _whole(series, last, timeline, left_out)
    outcomes = measure_outcomes(series.visits, comparisons, ledger, timeline, last, whole)
    review = None if treatment_start is None else review_treatment(series, treatment_start)
    return Change(
        visits=series.visits,
        comparisons=comparisons,
        left_out=tuple(left_out),
        ledger=ledger,
        timeline=timeline,
        whole=whole,
        regions={r: _region(series, last, r, whole) for r in Region},
        outcomes=outcomes,
        review=review,
        noise_provenance=noise.provenance,
        personal_factor=factor,
        questions=tuple(
            f"{v.name}: {c.reason}" for v, c in zip(visits, comparisons, strict=True) if c.view is View.MIRRORED
        ),
        notices=tuple(notices),
        sentence=in_one_sentence(whole, series.visits, last),
    )


def _check(visits: Sequence[Visit]) -> None:
    if not visits:
        raise ValueError("a change wants at least one analysed photo, got none")
    dates = [v.when for v in visits if v.when is not None]
    if dates != sorted(dates):
        raise ValueError("visits must be in order of time, these are not; sort them by date")


def _repeat_scores(series: Series) -> list[float]:
    """Count differences between neighbouring photos taken minutes apart, over the noise expected."""
    usable = [i for i, c in enumerate(series.comparisons) if c.comparable]
    scores = []
    for i, j in pairwise(usable):
        start, end = series.visits[i].when, series.visits[j].when
        if start is not None and end is not None and end - start <= MINUTES_APART:
            before, after, conditions = series.pair(i, j)
            found = judge("count", before.count, after.count, conditions, series.noise)
            scores.append(found.difference / found.noise_sd)
    return scores


def _timeline(series: Series) -> tuple[TimePoint, ...]:
    """Counts anchored at the baseline: its own count plus the change seen on the skin that both photos show."""
    start = read_tracks(series.ledger, 0, None).count
    points = []
    for i, (visit, comparison) in enumerate(zip(series.visits, series.comparisons, strict=True)):
        if not comparison.comparable:
            continue
        before, after, conditions = series.pair(0, i)
        found = judge_readings(before, after, conditions, series.noise)
        count = found.measures[0]
        severity = next((m for m in found.measures if m.name == "severity"), None)
        points.append(
            TimePoint(
                visit=i,
                count=max(0.0, start + count.difference),
                noise_sd=count.noise_sd,
                severity=None if severity is None else severity.after,
                severity_sd=None if severity is None else severity.noise_sd,
                answer=Answer.SAME if i == 0 else with_quality(found, series.visits[0], visit).answer,
            )
        )
    return tuple(points)


def _whole(series: Series, last: int | None, timeline: Sequence[TimePoint], left_out: Sequence[LeftOut]) -> Summary:
    visits, comparisons = series.visits, series.comparisons
    later = len(visits) - 1 + len(left_out)
    if later == 0:
        return refuse("one photo shows no change: add one taken later")
    if last is None:
        reasons = [c.reason for c in comparisons[1:]] or [item.reason for item in left_out]
        return refuse(reasons[-1])
    before, after, conditions = series.pair(0, last)
    found = with_quality(judge_readings(before, after, conditions, series.noise), visits[0], visits[last])
    doubt = _doubt(series, last, timeline, found, later)
    return withdraw(found, doubt) if doubt and found.answer is not Answer.CANNOT_TELL else found


def _doubt(series: Series, last: int, timeline: Sequence[TimePoint], found: Summary, later: int) -> str:
    """Why the series as a whole forbids an answer that its first and last photo would give; empty where it does not."""
    visits, comparisons = series.visits, series.comparisons
    if any(v.when is None for v in visits):
        return "the dates of the photos are not known, so nothing says which came first: give their dates"
    if last != len(visits) - 1:
        return f"the newest photo cannot be compared: {comparisons[-1].reason}"
    refused = later - sum(c.comparable for c in comparisons[1:])
    if refused > _MOST_REFUSED * later:
        return f"{refused} of {later} later photos cannot be compared with the first: is this one person's series?"
    if visits[0].when == visits[last].when:
        return "the first and the last photo have the same date"
    if found.answer in (Answer.BETTER, Answer.WORSE) and not _trend_agrees(visits, timeline, found.answer):
        return "the visits between go up and down: no steady direction"
    return ""


def _trend_agrees(visits: Sequence[Visit], timeline: Sequence[TimePoint], answer: Answer) -> bool:
    if len(timeline) == _TREND_VISITS - 1:
        return not _strays(*timeline)
    trend = trend_of(visits, timeline)
    if trend is None or len(timeline) < _TREND_VISITS:
        return True
    chance = trend.p_fall if answer is Answer.BETTER else trend.p_rise
    return chance <= _TREND_P.get(len(timeline), _TREND_P_MANY)


def _strays(first: TimePoint, middle: TimePoint, last: TimePoint) -> bool:
    """Whether the visit between lies outside of both others by more than noise and half of what they differ by."""
    low, high = sorted((first.count, last.count))
    beyond = max(low - middle.count, middle.count - high)
    return beyond > max(Z_95 * middle.noise_sd, _STRAYS * (high - low))


def trend_of(visits: Sequence[Visit], timeline: Sequence[TimePoint]) -> Trend | None:
    """Trend of the anchored count over days; None without dates."""
    days = days_of(visits)
    known = [(d, p.count) for p in timeline if (d := days[p.visit]) is not None]
    return theil_sen([d for d, _ in known], [c for _, c in known])


def _region(series: Series, last: int | None, region: Region, whole: Summary) -> Summary:
    if last is None:
        return refuse(whole.reason)
    view = series.comparisons[last].regions[region]
    if not view.comparable:
        return refuse(view.reason)
    before, after = series.region_pair(0, last, region)
    found = judge_readings(before, after, series.conditions(0, last), series.noise, z=Z_REGION)
    if whole.answer is Answer.CANNOT_TELL and found.answer in (Answer.BETTER, Answer.WORSE):
        return withdraw(found, whole.reason)
    return found
