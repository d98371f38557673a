"""The written form of a review: the schema "comedo.review/1". It names the original by its hash."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from comedo.report.document import Count, CoveragePart, GradesPart, LesionPart
from comedo.review.corrections import GradeCorrection, LesionCorrection
from comedo.review.lesions import Status
from comedo.types import Group, Kind, Region

REVIEW_SCHEMA: Final = "comedo.review/1"


class _Written(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Original(_Written):
    """Which analysis was reviewed."""

    sha256: str = Field(description="Of the analysis file.")
    photo_name: str
    photo_sha256: str
    models: tuple[str, ...]


class ReadLesion(LesionPart):
    """A lesion that stands after the review."""

    status: Status


class ReadCounts(_Written):
    """Counts after the review."""

    convention: str
    total: Count
    interval_90: tuple[Count, Count] | None = Field(
        description="null after a complete reading: what is left is the reader's error, which is not known here."
    )
    by_group: dict[Group, Count]
    by_kind: dict[Kind, Count]
    by_region: dict[Region, Count | None]


class Result(_Written):
    """Every number after the review."""

    lesions: tuple[ReadLesion, ...]
    counts: ReadCounts
    coverage: CoveragePart
    grades: GradesPart


class Change(_Written):
    """One number before and after."""

    what: str
    before: bool | int | float | str | None
    after: bool | int | float | str | None


class Review(_Written):
    """Who said what about which analysis, when and why, and what follows."""

    schema_: Literal["comedo.review/1"] = Field(alias="schema")
    analysis: Original
    reviewer: Annotated[str, Field(min_length=1)]
    reviewed_at: AwareDatetime
    complete: bool
    why: str
    lesion_corrections: tuple[LesionCorrection, ...]
    grade_corrections: tuple[GradeCorrection, ...]
    result: Result
    changes: tuple[Change, ...]
    notices: tuple[str, ...]


def review_json(review: Review) -> str:
    """The review as one line of JSON, without a line break at its end."""
    return review.model_dump_json(by_alias=True)
