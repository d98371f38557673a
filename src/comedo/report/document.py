"""The written form of an analysis: the schema "comedo.analysis/1" and, for failures, "comedo.error/1".

These classes are the contract with everything that reads comedo's files. A change that could break a reader bumps the
number. Unknown is null, never 0. `python -m comedo.report.document` prints the JSON Schema that ships beside this file.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from comedo.report.json_schema import print_schema, schema_of
from comedo.types import Group, Kind, Region, Verdict

ANALYSIS_SCHEMA: Final = "comedo.analysis/1"
ERROR_SCHEMA: Final = "comedo.error/1"

Fraction = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]


class _Written(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class PhotoPart(_Written):
    """Which photo; sizes in pixels, upright."""

    name: str
    sha256: str
    width: Annotated[int, Field(gt=0)]
    height: Annotated[int, Field(gt=0)]


class CheckPart(_Written):
    """One line of the quality gate."""

    name: str
    value: float | None
    limit: float | None
    ok: bool
    advice: str = Field(description="What to do about it; empty when ok.")


class QualityPart(_Written):
    """The quality gate's answer with its reasons."""

    verdict: Verdict
    checks: tuple[CheckPart, ...]


class RegionPart(_Written):
    """Visible skin of one region."""

    area_px: Count


class MapPart(_Written):
    """The face map, so that an analysis can be drawn, reviewed and graded again from its file alone."""

    width: Annotated[int, Field(gt=0, le=4096)]
    height: Annotated[int, Field(gt=0, le=4096)]
    parts: str = Field(description="Base64 of the zlib-packed rows, one byte a cell: a class of comedo.types.Part.")
    to_photo: tuple[tuple[float, float, float], tuple[float, float, float]] = Field(
        description="Affine from a cell's x, y to those of the photo."
    )
    face_px: Annotated[float, Field(ge=0, description="Eye line to lips, in pixels of the photo.")]
    score: Fraction


class FacePart(_Written):
    """Where the face is and how it is held, in pixels of the upright photo."""

    box_xyxy: tuple[float, float, float, float]
    roll_deg: float | None
    yaw_deg: float | None = Field(description="Positive: the person's left cheek is turned to the camera.")
    mm_per_px: float | None
    mm_per_px_error: float | None = Field(default=None, description="Relative, one standard deviation.")
    eyes_xy: tuple[tuple[float, float] | None, tuple[float, float] | None] = Field(
        default=(None, None), description="The person's right eye, then the left; null: hidden."
    )
    skin_area_px: Count
    regions: dict[Region, RegionPart]
    map: MapPart | None = Field(default=None, description="null: written before comedo kept it.")


class LesionPart(_Written):
    """One lesion, in pixels of the upright photo."""

    id: int
    box_xyxy: tuple[float, float, float, float]
    center_xy: tuple[float, float]
    diameter_px: float
    diameter_mm: float | None
    area_px: float
    score: Fraction
    group: Group
    kind: Kind = Field(description="Experimental.")
    kind_probs: dict[Kind, Fraction]
    region: Region | None
    redness: float | None = Field(description="CIELAB a* of the lesion minus that of the skin around it.")
    conspicuity: Fraction | None = Field(
        default=None, description="Probability that the sparser convention acne04-v1 would have marked it."
    )


class CountsPart(_Written):
    """How many lesions under the named convention; `total` leaves marks out."""

    convention: str
    total: Count
    interval_90: tuple[Count, Count]
    by_group: dict[Group, Count]
    by_kind: dict[Kind, Count]
    by_region: dict[Region, Count | None] = Field(description="null: the region is not visible.")


class CoveragePart(_Written):
    """Skin under active lesions."""

    lesion_px: Count
    skin_px: Count
    fraction: Fraction | None


Missing = Annotated[tuple[str, ...], Field(description="What the scale asks for and a photo does not show.")]
Details = dict[str, bool | int | float | str | None]


class GradePart(_Written):
    """One scale's answer."""

    value: bool | int | float | str | None
    level: str | None
    interval_90: tuple[float, float] | None
    why: str
    source: str
    probability: Fraction | None
    maximum: float | None
    missing: Missing
    details: Details


class AcnePart(_Written):
    """Whether the face is affected by acne."""

    probability: Fraction | None
    affected: bool | None
    why: str
    source: str
    missing: Missing
    details: Details


class GradesPart(_Written):
    """Every scale; further scales may join under their own names."""

    model_config = ConfigDict(extra="allow", frozen=True, allow_inf_nan=False)
    __pydantic_extra__: dict[str, GradePart | None] = Field(init=False)

    severity: GradePart | None
    acne: AcnePart | None
    hayashi: GradePart | None
    gags_face: GradePart | None
    iga_estimate: GradePart | None
    gea: GradePart | None
    nice_group: GradePart | None

    def scales(self) -> dict[str, GradePart]:
        """Every scale that has an answer, `acne` apart, in the order of the document."""
        pairs = [(name, getattr(self, name)) for name in type(self).model_fields] + list(
            (self.model_extra or {}).items()
        )
        return {name: grade for name, grade in pairs if isinstance(grade, GradePart)}


class Document(_Written):
    """Everything measured on one photo."""

    schema_: Literal["comedo.analysis/1"] = Field(alias="schema")
    photo: PhotoPart
    models: tuple[str, ...]
    quality: QualityPart
    face: FacePart
    lesions: tuple[LesionPart, ...]
    counts: CountsPart
    coverage: CoveragePart
    grades: GradesPart
    notices: tuple[str, ...]


class NamedPhoto(_Written):
    """All that is known of a photo that could not be analysed."""

    name: str


class ErrorDocument(_Written):
    """Why a photo could not be analysed."""

    schema_: Literal["comedo.error/1"] = Field(alias="schema")
    code: str
    message: str
    photo: NamedPhoto | None


def json_schema() -> dict[str, object]:
    """JSON Schema (2020-12) of the analysis document."""
    return schema_of(Document, ANALYSIS_SCHEMA)


if __name__ == "__main__":
    print_schema(json_schema())
