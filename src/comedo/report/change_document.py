"""The written form of a change over time: the schema "comedo.change/1". Unknown is null, never 0.

`python -m comedo.report.change_document` prints the JSON Schema that ships beside this file.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from comedo.progress.values import Answer, State, View
from comedo.report.document import CheckPart, Count, Fraction
from comedo.report.json_schema import print_schema, schema_of
from comedo.types import Group, Region, Verdict

CHANGE_SCHEMA: Final = "comedo.change/1"

Probabilities = dict[Answer, Fraction]


class _Written(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class MeasurePart(_Written):
    """One measure before and after, on the skin that both photos show."""

    name: str
    before: float
    after: float
    difference: float = Field(description="After minus before: positive is worse.")
    percent: float | None
    noise_sd: float
    noise_limit: float = Field(description="Noise alone differs by less in at least 95 of 100 comparisons.")
    smallest_detectable: float = Field(description="A real change of so much is told in 9 of 10 comparisons.")
    smallest_detectable_percent: float | None
    probabilities: Probabilities | None = Field(
        description="Of a real change of more than the margin, or of less; null where the answer was withdrawn."
    )
    margin: float
    answer: Answer
    reason: str


class VerdictPart(_Written):
    """Better, the same, worse, or cannot tell."""

    answer: Answer
    reason: str
    probabilities: Probabilities | None
    measures: tuple[MeasurePart, ...]


class RegionViewPart(_Written):
    """How much of a region this photo and the baseline share."""

    overlap: Fraction | None
    matched_share: Fraction | None
    comparable: bool
    reason: str


class VisitPart(_Written):
    """One photo of the series against the baseline, which is the first."""

    name: str
    sha256: str
    when: datetime | None
    quality: Verdict
    total: Count
    interval_90: tuple[Count, Count]
    severity: float | None
    iga_estimate: int | None
    view: View
    reason: str
    overlap: Fraction | None = Field(description="Share of the baseline's skin that can be compared.")
    residual_share: float | None = Field(description="Median residual of the alignment over the eye distance.")
    matched_share: Fraction | None = Field(description="Share of skin patches that found their like.")
    light: float | None = Field(description="Spread of the slow change of log brightness over the shared skin.")
    zoom: float = Field(description="log2 of this photo's scale over the baseline's; positive: more pixels.")
    regions: dict[Region, RegionViewPart]
    checks: tuple[CheckPart, ...]


class LeftOutPart(_Written):
    """A photo that could not be analysed."""

    name: str
    reason: str
    when: datetime | None = None
    code: str = Field("error", description="Of the error, as in comedo.error/1.")


class PointPart(_Written):
    """A session on the time line, by its first photo; the count is the baseline's plus the change on shared skin."""

    photo: str
    when: datetime | None
    count: float
    noise_sd: float
    severity: float | None
    severity_sd: float | None
    answer: Answer


class SightingPart(_Written):
    """A lesion at one visit."""

    photo: str
    state: State
    lesion_id: int | None = Field(description="Of the photo's analysis; null with a group: seen below its cut-off.")
    group: Group | None
    area_mm2: float | None
    redness: float | None


class TrackPart(_Written):
    """One lesion through the series."""

    id: int
    region: Region | None
    active: bool = Field(description="Whether it ever was an active lesion; false: a mark all along.")
    history: tuple[SightingPart, ...]


class OutcomesPart(_Written):
    """Outcome measures as trials report them."""

    percent_change: float | None
    iga_before: int | None
    iga_after: int | None
    iga_success: bool | None = Field(description="IGA estimate 0 or 1 and at least two grades better.")
    days_to_first_real_change: float | None
    slope_per_week: float | None = Field(description="Theil-Sen, active lesions a week.")
    slope_interval_90: tuple[float, float] | None = Field(description="Null from fewer than five visits.")
    half_life_days: float | None = Field(description="Null without a change that is told, or with a bound only.")
    half_life_interval_90: tuple[float | None, float | None] | None = Field(
        None, description="By likelihood ratio; null at an end that has no bound."
    )
    flare_regions: tuple[Region, ...]


class ReviewPart(_Written):
    """Treatment: from the visit before its start to the one nearest to 12 weeks later."""

    start: datetime
    due: datetime
    baseline: str | None
    review: str | None
    verdict: VerdictPart | None
    iga_success: bool | None
    note: str


class NoisePart(_Written):
    """Where the noise model comes from."""

    provenance: str
    personal_factor: float | None = Field(description="From this person's own photos taken minutes apart.")


class ChangeDocument(_Written):
    """Everything that a series of photos says."""

    schema_: Literal["comedo.change/1"] = Field(alias="schema")
    sentence: str
    verdict: VerdictPart
    regions: dict[Region, VerdictPart]
    photos: tuple[VisitPart, ...]
    left_out: tuple[LeftOutPart, ...]
    timeline: tuple[PointPart, ...]
    ledger: tuple[TrackPart, ...]
    outcomes: OutcomesPart
    review: ReviewPart | None
    noise: NoisePart
    questions: tuple[str, ...]
    notices: tuple[str, ...]
    models: tuple[str, ...]


def json_schema() -> dict[str, object]:
    """JSON Schema (2020-12) of the change document."""
    return schema_of(ChangeDocument, CHANGE_SCHEMA)


if __name__ == "__main__":
    print_schema(json_schema())
