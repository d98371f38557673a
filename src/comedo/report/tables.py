"""An analysis as its document and as JSON. The same analysis gives the same bytes."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar, overload

from comedo.errors import ComedoError
from comedo.report.document import (
    ANALYSIS_SCHEMA,
    ERROR_SCHEMA,
    AcnePart,
    CheckPart,
    CountsPart,
    CoveragePart,
    Document,
    ErrorDocument,
    FacePart,
    GradePart,
    GradesPart,
    LesionPart,
    NamedPhoto,
    PhotoPart,
    QualityPart,
    RegionPart,
)
from comedo.report.face_map import pack_map
from comedo.types import Box, Counts, Coverage, FaceAnalysis, FaceMap, Grade, Group, Kind, Lesion, Quality, Region, Xy

K = TypeVar("K", bound=StrEnum)
V = TypeVar("V")

PX, MM, PROB = 2, 3, 4  # decimals written: finer digits are noise and only make two files differ


@overload
def _round(value: float, digits: int) -> float: ...
@overload
def _round(value: float | None, digits: int) -> float | None: ...
def _round(value: float | None, digits: int) -> float | None:
    """Rounded; unknown stays unknown, and a number that is none (NaN, infinite) is unknown too."""
    if value is None or not math.isfinite(value):
        return None
    return round(float(value), digits) + 0.0  # + 0.0: no negative zero


def to_document(analysis: FaceAnalysis) -> Document:
    """The written form of an analysis."""
    return Document(
        schema=ANALYSIS_SCHEMA,
        photo=PhotoPart(
            name=_text(analysis.photo_name), sha256=analysis.photo_sha256, width=analysis.width, height=analysis.height
        ),
        models=analysis.models,
        quality=_quality(analysis.quality),
        face=_face(analysis.face),
        lesions=tuple(to_lesion_part(lesion) for lesion in analysis.lesions),
        counts=to_counts_part(analysis.counts),
        coverage=to_coverage_part(analysis.coverage),
        grades=to_grades_part(analysis.grades),
        notices=analysis.notices,
    )


def to_error(error: Exception, photo_name: str | None) -> ErrorDocument:
    """The written form of a failure; an error that is not ours gets the code "error"."""
    code = error.code if isinstance(error, ComedoError) else ComedoError.code
    photo = None if photo_name is None else NamedPhoto(name=_text(photo_name))
    return ErrorDocument(schema=ERROR_SCHEMA, code=code, message=_text(str(error)), photo=photo)


def to_json(written: FaceAnalysis | Document | ErrorDocument) -> str:
    """One JSON document on one line, without a line break at its end."""
    document = to_document(written) if isinstance(written, FaceAnalysis) else written
    return document.model_dump_json(by_alias=True)


def from_json(text: str | bytes) -> Document | ErrorDocument:
    """Read what `to_json` wrote.

    Raises:
        ValueError: `text` is not a comedo document of a schema known here.
    """
    data = json.loads(text)
    schema = data.get("schema") if isinstance(data, dict) else None
    if schema == ANALYSIS_SCHEMA:
        return Document.model_validate_json(text)
    if schema == ERROR_SCHEMA:
        return ErrorDocument.model_validate_json(text)
    raise ValueError(f"expected a document of schema {ANALYSIS_SCHEMA!r} or {ERROR_SCHEMA!r}, got {schema!r}")


def _text(value: str) -> str:
    """Text that every reader can take: a file name's bytes that are no UTF-8 become question marks."""
    return value.encode("utf-8", "replace").decode("utf-8")


def _in_order(counts: Mapping[K, V], names: type[K]) -> dict[K, V]:
    return {name: counts[name] for name in names if name in counts}


def _box(box: Box) -> Box:
    x0, y0, x1, y1 = (_round(v, PX) for v in box)
    return x0, y0, x1, y1


def _point(xy: Xy | None) -> Xy | None:
    return None if xy is None else (_round(xy[0], PX), _round(xy[1], PX))


def to_counts_part(counts: Counts) -> CountsPart:
    """The written form of counts."""
    return CountsPart(
        convention=counts.convention,
        total=counts.total,
        interval_90=counts.interval_90,
        by_group=_in_order(counts.by_group, Group),
        by_kind=_in_order(counts.by_kind, Kind),
        by_region=_in_order(counts.by_region, Region),
    )


def to_coverage_part(coverage: Coverage) -> CoveragePart:
    """The written form of the share of skin under lesions."""
    return CoveragePart(lesion_px=coverage.lesion_px, skin_px=coverage.skin_px, fraction=_round(coverage.fraction, 6))


def _quality(quality: Quality) -> QualityPart:
    checks = (
        CheckPart(name=c.name, value=_round(c.value, PROB), limit=_round(c.limit, PROB), ok=c.ok, advice=c.advice)
        for c in quality.checks
    )
    return QualityPart(verdict=quality.verdict, checks=tuple(checks))


def _face(face: FaceMap) -> FacePart:
    return FacePart(
        box_xyxy=_box(face.box_xyxy),
        roll_deg=_round(face.roll_deg, PX),
        yaw_deg=_round(face.yaw_deg, PX),
        mm_per_px=_round(face.mm_per_px, 6),
        mm_per_px_error=_round(face.mm_per_px_error, PROB),
        eyes_xy=(_point(face.eyes_xy[0]), _point(face.eyes_xy[1])),
        skin_area_px=face.skin_area_px,
        regions={region: RegionPart(area_px=face.region_area_px(region)) for region in Region},
        map=pack_map(face),
    )


def to_lesion_part(lesion: Lesion) -> LesionPart:
    """The written form of a lesion."""
    x, y = lesion.center_xy
    return LesionPart(
        id=lesion.id,
        box_xyxy=_box(lesion.box_xyxy),
        center_xy=(_round(x, PX), _round(y, PX)),
        diameter_px=_round(lesion.diameter_px, PX),
        diameter_mm=_round(lesion.diameter_mm, MM),
        area_px=_round(lesion.area_px, PX),
        score=_round(lesion.score, PROB),
        group=lesion.group,
        kind=lesion.kind,
        kind_probs={kind: _round(p, PROB) for kind, p in _in_order(lesion.kind_probs, Kind).items()},
        region=lesion.region,
        conspicuity=_round(lesion.conspicuity, PROB),
        redness=_round(lesion.redness, PX),
    )


def to_grades_part(grades: Mapping[str, Grade]) -> GradesPart:
    """The written form of every grade; a scale that was not run is None."""
    parts: dict[str, GradePart | AcnePart | None] = dict.fromkeys(GradesPart.model_fields)
    for name, grade in grades.items():
        parts[name] = _acne(grade) if name == "acne" else _grade(grade)
    return GradesPart.model_validate(parts)


def _acne(grade: Grade) -> AcnePart:
    return AcnePart(
        probability=_round(grade.probability, PROB),
        affected=None if grade.value is None else bool(grade.value),
        why=grade.why,
        source=grade.source,
        missing=grade.missing,
        details=dict(grade.details),
    )


def _grade(grade: Grade) -> GradePart:
    value = grade.value
    low, high = grade.interval_90 or (None, None)
    return GradePart(
        value=_round(value, MM) if isinstance(value, float) else value,
        level=grade.level,
        interval_90=None if low is None or high is None else (_round(low, MM), _round(high, MM)),
        probability=_round(grade.probability, PROB),
        maximum=grade.maximum,
        why=grade.why,
        source=grade.source,
        missing=grade.missing,
        details=dict(grade.details),
    )
