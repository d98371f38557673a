"""A change as its document, as JSON, and its ledger as CSV. The same change gives the same bytes."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from typing import overload

from comedo.progress.values import (
    Answer,
    Change,
    Comparison,
    LeftOut,
    MeasureChange,
    Outcomes,
    Review,
    State,
    Summary,
    Track,
    Visit,
)
from comedo.report.change_document import (
    CHANGE_SCHEMA,
    ChangeDocument,
    LeftOutPart,
    MeasurePart,
    NoisePart,
    OutcomesPart,
    PointPart,
    RegionViewPart,
    ReviewPart,
    SightingPart,
    TrackPart,
    VerdictPart,
    VisitPart,
)
from comedo.report.document import CheckPart
from comedo.report.sheets import safe_cell

_DIGITS = 4


@overload
def _round(value: float, digits: int = _DIGITS) -> float: ...
@overload
def _round(value: float | None, digits: int = _DIGITS) -> float | None: ...
def _round(value: float | None, digits: int = _DIGITS) -> float | None:
    if value is None or not math.isfinite(value):
        return None
    return round(float(value), digits) + 0.0


def to_change_document(change: Change) -> ChangeDocument:
    """The written form of a change."""
    names = [visit.name for visit in change.visits]
    pairs = zip(change.visits, change.comparisons, strict=True)
    return ChangeDocument(
        schema=CHANGE_SCHEMA,
        sentence=change.sentence,
        verdict=_verdict(change.whole),
        regions={region: _verdict(summary) for region, summary in change.regions.items()},
        photos=tuple(_visit(visit, comparison) for visit, comparison in pairs),
        left_out=tuple(_left_out(item) for item in change.left_out),
        timeline=tuple(
            PointPart(
                photo=names[p.visit],
                when=change.visits[p.visit].when,
                count=_round(p.count),
                noise_sd=_round(p.noise_sd),
                severity=_round(p.severity),
                severity_sd=_round(p.severity_sd),
                answer=p.answer,
            )
            for p in change.timeline
        ),
        ledger=tuple(_track(track, names) for track in change.ledger),
        outcomes=_outcomes(change.outcomes),
        review=None if change.review is None else _review(change.review, names),
        noise=NoisePart(provenance=change.noise_provenance, personal_factor=_round(change.personal_factor)),
        questions=change.questions,
        notices=change.notices,
        models=change.visits[0].models,
    )


def change_json(document: ChangeDocument) -> str:
    """One JSON document on one line."""
    return document.model_dump_json(by_alias=True)


def ledger_csv(document: ChangeDocument) -> str:
    """One row a lesion, one column a photo with its state; empty before the lesion was first seen."""
    names = [photo.name for photo in document.photos]
    text = io.StringIO(newline="")
    sheet = csv.writer(text)
    sheet.writerow(["lesion", "region", "active", *map(safe_cell, names)])
    for track in document.ledger:
        states = {s.photo: str(s.state) for s in track.history}
        sheet.writerow([track.id, track.region or "", int(track.active), *(states.get(name, "") for name in names)])
    return text.getvalue()


def _left_out(item: LeftOut) -> LeftOutPart:
    return LeftOutPart(name=item.name, reason=item.reason, when=item.when, code=item.code)


def _verdict(summary: Summary) -> VerdictPart:
    return VerdictPart(
        answer=summary.answer,
        reason=summary.reason,
        probabilities=_probabilities(summary.probabilities),
        measures=tuple(_measure(m) for m in summary.measures),
    )


def _measure(m: MeasureChange) -> MeasurePart:
    return MeasurePart(
        name=m.name,
        before=_round(m.before),
        after=_round(m.after),
        difference=_round(m.difference),
        percent=_round(m.percent, 1),
        noise_sd=_round(m.noise_sd),
        noise_limit=_round(m.noise_limit),
        smallest_detectable=_round(m.smallest_detectable),
        smallest_detectable_percent=_round(m.smallest_detectable_percent, 1),
        probabilities=_probabilities(m.probabilities),
        margin=_round(m.margin),
        answer=m.answer,
        reason=m.reason,
    )


def _probabilities(found: Mapping[Answer, float] | None) -> dict[Answer, float] | None:
    return None if found is None else {answer: _round(p) for answer, p in found.items()}


def _visit(visit: Visit, comparison: Comparison) -> VisitPart:
    alignment = comparison.alignment
    return VisitPart(
        name=visit.name,
        sha256=visit.sha256,
        when=visit.when,
        quality=visit.quality.verdict,
        total=visit.counts.total,
        interval_90=visit.counts.interval_90,
        severity=_number(visit, "severity"),
        iga_estimate=None if (iga := _number(visit, "iga_estimate")) is None else round(iga),
        view=comparison.view,
        reason=comparison.reason,
        overlap=_round(comparison.overlap),
        residual_share=None if alignment is None else _round(alignment.residual_share, 5),
        matched_share=None if alignment is None else _round(alignment.matched_share),
        light=_round(comparison.light),
        zoom=_round(comparison.zoom),
        regions={
            region: RegionViewPart(
                overlap=_round(view.overlap),
                matched_share=_round(view.matched_share),
                comparable=view.comparable,
                reason=view.reason,
            )
            for region, view in comparison.regions.items()
        },
        checks=tuple(
            CheckPart(name=c.name, value=_round(c.value), limit=_round(c.limit), ok=c.ok, advice=c.advice)
            for c in comparison.checks
        ),
    )


def _number(visit: Visit, scale: str) -> float | None:
    grade = visit.grades.get(scale)
    return _round(float(grade.value)) if grade is not None and isinstance(grade.value, (int, float)) else None


def _track(track: Track, names: list[str]) -> TrackPart:
    history = tuple(
        SightingPart(
            photo=names[s.visit],
            state=State(s.state),
            lesion_id=s.lesion_id,
            group=s.group,
            area_mm2=_round(s.area_mm2, 2),
            redness=_round(s.redness, 2),
        )
        for s in track.sightings
    )
    return TrackPart(id=track.id, region=track.region, active=track.was_active, history=history)


def _outcomes(found: Outcomes) -> OutcomesPart:
    low, high = found.slope_interval_90 or (None, None)
    life = found.half_life_interval_90
    return OutcomesPart(
        percent_change=_round(found.percent_change, 1),
        iga_before=found.iga_before,
        iga_after=found.iga_after,
        iga_success=found.iga_success,
        days_to_first_real_change=_round(found.days_to_first_real_change, 2),
        slope_per_week=_round(found.slope_per_week),
        slope_interval_90=None if low is None or high is None else (_round(low), _round(high)),
        half_life_days=_round(found.half_life_days, 2),
        half_life_interval_90=None if life is None else (_round(life[0], 2), _round(life[1], 2)),
        flare_regions=found.flare_regions,
    )


def _review(review: Review, names: list[str]) -> ReviewPart:
    return ReviewPart(
        start=review.start,
        due=review.due,
        baseline=None if review.baseline_visit is None else names[review.baseline_visit],
        review=None if review.review_visit is None else names[review.review_visit],
        verdict=None if review.summary is None else _verdict(review.summary),
        iga_success=review.iga_success,
        note=review.note,
    )
