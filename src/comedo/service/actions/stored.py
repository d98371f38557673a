"""Analyses as they are kept, brought back to the values that reports, comparisons and pictures are made of."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np
from sqlalchemy.orm import Session

from comedo.photo import read_photo as decode
from comedo.progress.canvas import make_canvas, mirror
from comedo.progress.values import Visit
from comedo.report.case import Case
from comedo.report.document import AcnePart, Document, GradePart, GradesPart
from comedo.report.face_map import unpack_map
from comedo.report.pictures import LESION
from comedo.report.tables import to_json
from comedo.service.actions.views import PhotoView, Summary
from comedo.service.database.tables import Analysis, Photo
from comedo.service.parts import Parts
from comedo.service.problems import Problem
from comedo.service.storage.about import faint_about, mask_about
from comedo.service.storage.photos import read_photo
from comedo.service.storage.vault import DataKey
from comedo.types import Check, Counts, Coverage, FaceAnalysis, Faint, Grade, Mask, Quality


def document_of(analysis: Analysis, key: DataKey) -> Document:
    """The document of a row."""
    return Document.model_validate_json(key.open(analysis.document, about=analysis.id))


def mask_file(analysis: Analysis, key: DataKey) -> bytes:
    """The mask as PNG: 0 background, 1 skin, 2 active lesion.

    Raises:
        Problem: The analysis was kept without one.
    """
    if analysis.mask is None:
        raise Problem("not_found", "this analysis was kept without its mask; analyse the photo again")
    return key.open(analysis.mask, about=mask_about(analysis.id))


def faint_json(faint: Sequence[Faint]) -> bytes:
    """Faint lesions as they are kept: a list of x, y in pixels of the photo, and score; nothing is rounded."""
    return json.dumps([[*one.center_xy, one.score] for one in faint]).encode()


def faint_file(analysis: Analysis, key: DataKey) -> bytes | None:
    """The faint lesions as `faint_json` writes them; None: the analysis was kept without."""
    return None if analysis.faint is None else key.open(analysis.faint, about=faint_about(analysis.id))


def name_of(photo: Photo | PhotoView) -> str:
    """What documents call a photo."""
    return f"photo-{photo.id[:8]}.{photo.format}"


def when_of(photo: Photo) -> datetime:
    """When it was taken, as documents write it; who uploads at once gives no date."""
    return (photo.taken_at or photo.created).replace(tzinfo=None)


def case_of(parts: Parts, session: Session, analysis: Analysis, *, with_photo: bool = True) -> Case:
    """The case of an analysis, as the commands read it from files."""
    key = parts.vault.key_of(session, analysis.owner)
    document = document_of(analysis, key)
    data = None
    if with_photo and session.get_one(Photo, analysis.photo).blob is not None:
        data = read_photo(parts.storage, session, analysis.photo)
    return Case(
        document=document,
        sha256=hashlib.sha256(as_file(document)).hexdigest(),
        face=unpack_map(document.face),
        mask=None if analysis.mask is None else _mask(mask_file(analysis, key)),
        photo=None if data is None else decode(data, name=document.photo.name),
        photo_bytes=None if data is None else len(data),
    )


def as_file(document: Document) -> bytes:
    """The document as `comedo analyze` writes it; its hash is what reviews name."""
    return to_json(document).encode() + b"\n"


def _mask(png: bytes) -> Mask:
    return np.asarray(decode(png).image[..., 0] == LESION)


def analysis_of(case: Case) -> FaceAnalysis:
    """The analysis as a value again, with the numbers rounded as they are written."""
    document = case.document
    counts = document.counts
    return FaceAnalysis(
        photo_name=document.photo.name,
        photo_sha256=document.photo.sha256,
        width=document.photo.width,
        height=document.photo.height,
        models=document.models,
        quality=Quality(
            document.quality.verdict,
            tuple(Check(c.name, c.value, c.limit, c.ok, c.advice) for c in document.quality.checks),
        ),
        face=case.face,
        lesions=case.lesions,
        lesion_mask=case.need_mask("an overlay"),
        counts=Counts(**counts.model_dump()),
        coverage=Coverage(document.coverage.lesion_px, document.coverage.skin_px),
        grades=_grades(document.grades),
        notices=document.notices,
    )


def _grades(parts: GradesPart) -> dict[str, Grade]:
    found = {name: _grade(name, part) for name, part in parts.scales().items()}
    return found if parts.acne is None else found | {"acne": _affected(parts.acne)}


def _grade(scale: str, part: GradePart) -> Grade:
    return Grade(
        scale,
        part.value,
        part.level,
        part.why,
        part.source,
        interval_90=part.interval_90,
        probability=part.probability,
        maximum=part.maximum,
        missing=part.missing,
        details=part.details,
    )


def _affected(part: AcnePart) -> Grade:
    level = None if part.affected is None else "affected" if part.affected else "not affected"
    return Grade(
        "acne",
        part.affected,
        level,
        part.why,
        part.source,
        probability=part.probability,
        missing=part.missing,
        details=part.details,
    )


def visit_of(parts: Parts, session: Session, kept: Analysis, photo: Photo) -> Visit:
    """What a comparison over time takes of an analysed photo; flipped where its owner says that it is mirrored.

    Raises:
        UnusableInput: Its pixels are gone.
    """
    case = case_of(parts, session, kept)
    analysis = analysis_of(case)
    pixels = case.need_photo("a comparison").image
    faint = faint_file(kept, parts.vault.key_of(session, kept.owner))
    visit = Visit(
        name=analysis.photo_name,
        sha256=analysis.photo_sha256,
        when=when_of(photo),
        face=analysis.face,
        lesions=analysis.lesions,
        quality=analysis.quality,
        counts=analysis.counts,
        grades=analysis.grades,
        models=analysis.models,
        canvas=make_canvas(pixels, analysis.face),
        faint=tuple(Faint((x, y), score) for x, y, score in json.loads(faint or "[]")),
    )
    return _flipped(visit) if photo.mirrored else visit


def even_out(visits: Sequence[Visit], kept: Sequence[Analysis]) -> tuple[list[Visit], list[str]]:
    """Visits that all have their faint lesions, or none: on one side alone they would look like a change.

    Args:
        visits: In the order of `kept`, the analyses that they are of.

    Returns:
        The visits, and a notice where faint lesions were left aside.
    """
    lacking = sum(analysis.faint is None for analysis in kept)
    if lacking == 0:
        return list(visits), []
    said = f"{lacking} photo(s) were analysed before they were kept: analyse these again"
    return [replace(visit, faint=()) for visit in visits], [f"faint lesions are left aside, because {said}"]


def _flipped(visit: Visit) -> Visit:
    """As in a mirror: lesions follow, since a comparison finds them by the canvas's way to the photo."""
    yaw = visit.face.yaw_deg
    face = replace(visit.face, yaw_deg=None if yaw is None else -yaw)
    return replace(visit, face=face, canvas=mirror(visit.canvas))


def summarize(analysis: Analysis, key: DataKey, *, corrected: bool) -> Summary:
    """An analysis in a few numbers."""
    document = document_of(analysis, key)
    severity, group = document.grades.severity, document.grades.nice_group
    value = None if severity is None else severity.value
    return Summary(
        id=analysis.id,
        created=analysis.created,
        verdict=document.quality.verdict.value,
        total=document.counts.total,
        interval_90=document.counts.interval_90,
        severity=float(value) if isinstance(value, int | float) else None,
        severity_level=None if severity is None else severity.level,
        affected=None if document.grades.acne is None else document.grades.acne.affected,
        fraction=document.coverage.fraction,
        group=None if group is None or group.value is None else str(group.value),
        corrected=corrected,
        complete=analysis.faint is not None,
    )
