"""From an analysis and a reader's corrections to a review, and to the case that reports and exports then show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from os import PathLike

from comedo.calibration import Calibration, load_calibration
from comedo.errors import UnusableInput
from comedo.inference import read_manifest
from comedo.lesions.counting import measure_coverage
from comedo.pipeline import judge
from comedo.report.case import Case, Reader
from comedo.report.document import CountsPart, CoveragePart, GradePart, GradesPart
from comedo.report.pictures import skin_pixels
from comedo.report.tables import to_counts_part, to_coverage_part, to_grades_part, to_lesion_part
from comedo.report.written import StrPath
from comedo.review.corrections import Corrections, check_corrections, in_utc, read_corrections
from comedo.review.document import REVIEW_SCHEMA, Change, Original, ReadCounts, ReadLesion, Result, Review
from comedo.review.grades import correct_grades, without_interval
from comedo.review.lesions import Read, Status, correct_lesions, correct_mask
from comedo.types import Counts, Lesion, Mask

READERS_COUNT = (
    "a complete reading: the counts and grades are the reader's, without an interval, because comedo's describes its "
    "own errors; readers differ too"
)
OTHER_NETWORKS = "other networks made this analysis than are installed; grades were computed with the installed scales"


def review(case: Case, corrections: Corrections, *, calibration: Calibration | None = None) -> Review:
    """Apply a reader's corrections to an analysis, which stays as it is.

    Counts, coverage and grades are computed by the functions that the analysis used. What no correction touches keeps
    its number to the last digit.

    Args:
        case: The analysis; its mask is needed where lesions come, go or move.
        corrections: What the reader says.
        calibration: Of the networks that made the analysis; by default the installed one.

    Raises:
        UnusableInput: The corrections are for another analysis, or name what is not there.
    """
    if corrections.analysis_sha256 not in (None, case.sha256):
        raise UnusableInput("corrections.analysis_sha256 is that of another analysis; review the file it was made for")
    if case.reader is not None:
        raise UnusableInput("a review starts from the original analysis, not from another review; name the original")
    calibration = calibration or load_calibration()
    photo = case.document.photo
    read = correct_lesions(case.lesions, corrections.lesions, case.face, (photo.width, photo.height))
    lesions = tuple(r.lesion for r in read)
    counts, grades = _judged(case, read, calibration, complete=corrections.complete)
    result = Result(
        lesions=tuple(ReadLesion(**to_lesion_part(r.lesion).model_dump(), status=r.status) for r in read),
        counts=counts,
        coverage=_coverage(case, lesions),
        grades=correct_grades(case.document.grades, grades, corrections),
    )
    return Review(
        schema=REVIEW_SCHEMA,
        analysis=Original(
            sha256=case.sha256,
            photo_name=photo.name,
            photo_sha256=photo.sha256,
            models=case.document.models,
        ),
        reviewer=corrections.reviewer,
        reviewed_at=corrections.reviewed_at or datetime.now(UTC).replace(microsecond=0),
        complete=corrections.complete,
        why=corrections.why,
        lesion_corrections=corrections.lesions,
        grade_corrections=corrections.grades,
        result=result,
        changes=tuple(_changes(case, result)),
        notices=_notices(case, complete=corrections.complete),
    )


def apply_corrections(case: Case, corrections: Corrections | Mapping[str, object] | StrPath) -> Review:
    """Apply what a reader says, as values or as the path of a file (comedo.corrections/1); see `review`.

    Raises:
        UnusableInput: A field is wrong, or the corrections are for another analysis.
    """
    if isinstance(corrections, str | PathLike):
        return review(case, read_corrections(corrections))
    return review(case, corrections if isinstance(corrections, Corrections) else check_corrections(corrections))


def reviewed_case(case: Case, review: Review) -> Case:
    """The case with the review's numbers in place of comedo's.

    Raises:
        UnusableInput: The review is of another analysis.
    """
    if review.analysis.sha256 != case.sha256:
        raise UnusableInput("the review is of another analysis; name the file that it was made for")
    result, document = review.result, case.document
    total = result.counts.total
    counts = result.counts.model_dump() | {"interval_90": result.counts.interval_90 or (total, total)}
    lesions = tuple(lesion.model_dump(exclude={"status"}) for lesion in result.lesions)
    named = frozenset(x.id for x in result.lesions if x.status is not Status.UNREVIEWED)
    reader = Reader(review.reviewer, in_utc(review.reviewed_at), review.complete, named)
    changed = document.model_dump(by_alias=True) | {
        "lesions": lesions,
        "counts": counts,
        "coverage": result.coverage.model_dump(),
        "grades": result.grades.model_dump(),
        "notices": (*document.notices, f"reviewed by {reader.name} at {reader.at}", *review.notices),
    }
    after = replace(case, document=type(document).model_validate(changed), reader=reader)
    return replace(after, mask=None if case.mask is None else _mask(case, case.mask, after.lesions))


def _judged(
    case: Case, read: Sequence[Read], calibration: Calibration, *, complete: bool
) -> tuple[ReadCounts, GradesPart]:
    """Counts and grades of the lesions that stand; a scale whose arithmetic is untouched keeps what was written."""
    document, convention = case.document, case.document.counts.convention
    lesions = tuple(r.lesion for r in read)
    old_counts, old_grades = judge(case.lesions, case.face, calibration, convention=convention)
    new_counts, new_grades = judge(lesions, case.face, calibration, convention=convention)
    part = document.counts if old_counts == new_counts else to_counts_part(new_counts)
    before, after = to_grades_part(old_grades), to_grades_part(new_grades)
    grades = {
        name: getattr(document.grades if getattr(before, name) == getattr(after, name) else after, name)
        for name in GradesPart.model_fields
    }
    if complete:
        grades = {n: without_interval(g) if isinstance(g, GradePart) else g for n, g in grades.items()}
    seen = sum(r.status is not Status.UNREVIEWED and r.lesion.active for r in read)
    return _read_counts(part, new_counts, seen, complete=complete), GradesPart.model_validate(grades)


def _read_counts(part: CountsPart, counts: Counts, seen: int, *, complete: bool) -> ReadCounts:
    """Lesions that a person saw are no longer in doubt: the count cannot be below their number."""
    low, high = part.interval_90
    interval = None if complete else (max(low, min(seen, counts.total)), high)
    return ReadCounts(**part.model_dump(exclude={"interval_90"}), interval_90=interval)


def _coverage(case: Case, lesions: Sequence[Lesion]) -> CoveragePart:
    if _active_circles(case.lesions) == _active_circles(lesions):
        return case.document.coverage
    mask = _mask(case, case.need_mask("a review in which lesions come, go or move"), lesions)
    return to_coverage_part(measure_coverage(mask, case.face))


def _mask(case: Case, mask: Mask, lesions: Sequence[Lesion]) -> Mask:
    photo = case.document.photo
    return correct_mask(mask, skin_pixels(case.face, (photo.width, photo.height)), case.lesions, lesions)


def _active_circles(lesions: Sequence[Lesion]) -> set[tuple[int, float, float, float]]:
    return {(x.id, *x.center_xy, x.diameter_px) for x in lesions if x.active}


def _changes(case: Case, result: Result) -> list[Change]:
    before = _numbers(case.document.counts, case.document.coverage, case.document.grades)
    after = _numbers(result.counts, result.coverage, result.grades)
    names = sorted(before.keys() | after.keys())
    pairs = ((name, before.get(name), after.get(name)) for name in names)
    return [Change(what=name, before=old, after=new) for name, old, new in pairs if old != new]


def _numbers(
    counts: CountsPart | ReadCounts, coverage: CoveragePart, grades: GradesPart
) -> Mapping[str, bool | int | float | str | None]:
    low, high = counts.interval_90 or (None, None)
    found: dict[str, bool | int | float | str | None] = {
        "counts.total": counts.total,
        "counts.low_90": low,
        "counts.high_90": high,
        "coverage.fraction": coverage.fraction,
    }
    found |= {f"counts.{group}": n for group, n in counts.by_group.items()}
    found |= {f"counts.{kind}": n for kind, n in counts.by_kind.items()}
    found |= {f"counts.{region}": n for region, n in counts.by_region.items()}
    found |= {f"grades.{name}": grade.value for name, grade in grades.scales().items()}
    return found | ({} if grades.acne is None else {"grades.acne": grades.acne.affected})


def _notices(case: Case, *, complete: bool) -> tuple[str, ...]:
    installed = {f"{card.name}@sha256:{card.sha256}" for card in read_manifest().values()}
    notices = [READERS_COUNT] if complete else []
    return tuple(notices if set(case.document.models) <= installed else [*notices, OTHER_NETWORKS])
