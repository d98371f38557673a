"""From a series of visits to everything that is said about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from statistics import fmean

from comedo.progress.compare import compare, compare_with_itself, doubt_baseline
from comedo.progress.course import contradicts
from comedo.progress.ledger import build_ledger
from comedo.progress.noise import ChangeNoise, load_noise, personal_factor
from comedo.progress.outcomes import measure_outcomes, review_treatment
from comedo.progress.series import MINUTES_APART, Series, Session
from comedo.progress.values import Answer, Change, LeftOut, Summary, TimePoint, View, Visit
from comedo.progress.verdict import Z_REGION, judge, judge_readings, read_tracks, refuse, with_quality, withdraw
from comedo.progress.words import in_one_sentence
from comedo.types import Region

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
        notices: What a reader should know besides; that the first photo may be the odd one is added here.

    Raises:
        ValueError: There is no visit, or dates fall.
    """
    _check(visits)
    noise = noise or load_noise()
    comparisons = (compare_with_itself(visits[0]), *(compare(visits[0], v) for v in visits[1:]))
    ledger = build_ledger(visits, comparisons)
    series = Series(tuple(visits), comparisons, ledger, noise)
    factor = personal_factor(_repeat_scores(series))
    series = replace(series, factor=factor or 1.0)
    last = series.sessions[-1][-1] or None
    timeline = _timeline(series)
    whole = _whole(series, timeline, left_out)
    withdrawn = whole.probabilities is None
    if withdrawn:
        timeline = (timeline[0], *(replace(p, answer=Answer.CANNOT_TELL) for p in timeline[1:]))
    outcomes = measure_outcomes(series.visits, comparisons, ledger, timeline, last, whole)
    review = None if treatment_start is None else review_treatment(series, treatment_start)
    doubt = doubt_baseline(visits, comparisons)
    return Change(
        visits=series.visits,
        comparisons=comparisons,
        left_out=tuple(left_out),
        ledger=ledger,
        timeline=timeline,
        whole=whole,
        regions={r: _region(series, r, whole) for r in Region},
        outcomes=replace(outcomes, percent_change=None, iga_success=None) if withdrawn else outcomes,
        review=review,
        noise_provenance=noise.provenance,
        personal_factor=factor,
        questions=tuple(
            f"{v.name}: {c.reason}" for v, c in zip(visits, comparisons, strict=True) if c.view is View.MIRRORED
        ),
        notices=(*notices, doubt) if doubt else tuple(notices),
        sentence=in_one_sentence(whole, series.visits, last),
    )


def _check(visits: Sequence[Visit]) -> None:
    if not visits:
        raise ValueError("a change wants at least one analysed photo, got none")
    dates = [v.when for v in visits if v.when is not None]
    if dates != sorted(dates):
        raise ValueError("visits must be in order of time, these are not; sort them by date")


def _repeat_scores(series: Series) -> list[float]:
    """Count differences between neighbouring photos taken minutes apart, over the noise expected; copies are one."""
    scores = []
    for session in series.sessions:
        photos = {series.visits[i].sha256: i for i in session}.values()
        for i, j in pairwise(photos):
            before, after, conditions = series.pair(i, j)
            found = judge("count", before.count, after.count, conditions, series.noise)
            scores.append(found.difference / found.noise_sd)
    return scores


def _timeline(series: Series) -> tuple[TimePoint, ...]:
    own = read_tracks(series.ledger, 0, None).count
    return tuple(_time_point(series, session, own) for session in series.sessions)


def _time_point(series: Series, session: Session, own: float) -> TimePoint:
    """A session anchored at the baseline: its own count plus the change seen on the skin that both photos show."""
    found = _judge(series, session)
    count = found.measures[0]
    severity = next((m for m in found.measures if m.name == "severity"), None)
    pairs = [series.pair(0, i) for i in session]
    return TimePoint(
        visit=session[0],
        count=fmean(max(0.0, own + after.count - before.count) for before, after, _ in pairs),
        noise_sd=count.noise_sd,
        severity=None if severity is None else severity.after,
        severity_sd=None if severity is None else severity.noise_sd,
        answer=Answer.SAME if session == series.sessions[0] else found.answer,
    )


def _judge(series: Series, session: Session) -> Summary:
    """A session against the first, nothing concluded from poor photos."""
    first = series.sessions[0]
    found = judge_readings(*series.between(first, session), series.noise)
    return with_quality(found, *(series.visits[i] for i in sorted({*first, *session})))


def _whole(series: Series, timeline: Sequence[TimePoint], left_out: Sequence[LeftOut]) -> Summary:
    later = [c.reason for c in series.comparisons[1:]] or [item.reason for item in left_out]
    if not later:
        return refuse("one photo shows no change: add one taken later")
    if series.sessions == ((0,),):
        return refuse(later[-1])
    found = _judge(series, series.sessions[-1])
    doubt = _doubt(series, left_out)
    if not doubt and contradicts(series, timeline, found.answer):
        doubt = "the visits between go up and down: no steady direction"
    return withdraw(found, doubt) if doubt else found


def _doubt(series: Series, left_out: Sequence[LeftOut]) -> str:
    """Why the series forbids any answer of its first and last session; empty where it does not."""
    visits, comparisons = series.visits, series.comparisons
    dates = [v.when for v in visits if v.when is not None]
    if len(dates) < len(visits):
        return "the dates of the photos are not known, so nothing says which came first: give their dates"
    if not comparisons[-1].comparable:
        return f"the newest photo cannot be compared: {comparisons[-1].reason}"
    missed = [(item.when, item.name) for item in left_out if item.when and item.when > dates[-1] + MINUTES_APART]
    if missed:
        return f"the newest photo could not be analysed: {max(missed)[1]}"
    later = len(visits) - 1 + len(left_out)
    refused = later - sum(c.comparable for c in comparisons[1:])
    if refused > _MOST_REFUSED * later:
        return f"{refused} of {later} later photos cannot be compared with the first: is this one person's series?"
    if len(series.sessions) == 1:
        return "all photos are of one session, within an hour, and show the same skin: add one of a later day"
    return ""


def _region(series: Series, region: Region, whole: Summary) -> Summary:
    first, last = series.sessions[0], series.sessions[-1]
    if last == (0,):
        return refuse(whole.reason)
    view = series.comparisons[last[-1]].regions[region]
    if not view.comparable:
        return refuse(view.reason)
    found = judge_readings(*series.between(first, last, region), series.noise, z=Z_REGION)
    told = found.answer in (Answer.BETTER, Answer.WORSE)
    if whole.probabilities is None or (whole.answer is Answer.CANNOT_TELL and told):
        return withdraw(found, whole.reason)
    return found
