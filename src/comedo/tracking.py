"""Photos of one person in, what changed out: each photo is analysed, cut down to its canvas, and let go."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np

from comedo.batch import Source, process_many
from comedo.dating import Dated, When, date_photos, leave_out_copies, order_by_date, read_when
from comedo.errors import ComedoError, UnusableInput
from comedo.photo import read_photo
from comedo.pipeline import Analyzer
from comedo.progress.canvas import make_canvas
from comedo.progress.change import measure_change
from comedo.progress.values import Change, LeftOut, Visit
from comedo.types import FaceAnalysis, Photo


def track(
    photos: Sequence[Source],
    *,
    dates: str | os.PathLike[str] | Sequence[When | None] | Mapping[str, When] | None = None,
    mirrored: Collection[str] = (),
    treatment_start: When | None = None,
    allow_poor: bool = False,
    analyzer: Analyzer | None = None,
    workers: int | None = None,
) -> Change:
    """Compare photos of one person over time, lesion by lesion, and say whether a change is more than noise.

    Args:
        photos: Paths, bytes or photos of one person.
        dates: "exif", "name" (a date in the file's name), the path of a CSV file with the columns photo and date, a
            sequence as long as `photos`, or a mapping from names. By default EXIF, and then the name.
        mirrored: Names of photos known to be mirrored: they are flipped before anything else.
        treatment_start: Day on which treatment began, for the 12-week review.
        allow_poor: Analyse photos that the quality gate refuses; nothing is concluded from them.
        analyzer: The shipped networks by default.
        workers: Photos at a time; by default one for each core.

    Raises:
        UnusableInput: There is no photo, no photo could be analysed, dates are not what they should be, or one photo
            is given twice with different dates.
        ModelError: The weights or the noise model cannot be loaded.
    """
    start = None if treatment_start is None else read_when(treatment_start)
    single, copies = leave_out_copies(date_photos(photos, dates))
    dated, notices = order_by_date(single)
    unknown = set(mirrored) - {d.name for d in dated}
    if unknown:
        raise UnusableInput(
            f"mirrored must name photos of the series, not {', '.join(sorted(unknown))}; check the names"
        )
    visits, left_out = _analyse(dated, mirrored, allow_poor=allow_poor, analyzer=analyzer, workers=workers)
    if not visits:
        raise _nothing_left(left_out)
    notices += [*copies, *(f"{name} was flipped first, as you named it mirrored" for name in mirrored)]
    left = [LeftOut(d.name, str(e), d.when, e.code) for d, e in left_out]
    return measure_change(visits, left_out=left, treatment_start=start, notices=notices)


def _nothing_left(left_out: Sequence[tuple[Dated, ComedoError]]) -> ComedoError:
    if not left_out:
        return UnusableInput("a series wants photos, got none; name at least two")
    first, error = left_out[0]
    return type(error)(f"no photo of the series could be analysed; the first, {first.name}: {error}")


def _analyse(
    dated: Sequence[Dated],
    mirrored: Collection[str],
    *,
    allow_poor: bool,
    analyzer: Analyzer | None,
    workers: int | None,
) -> tuple[list[Visit], list[tuple[Dated, ComedoError]]]:
    visits: list[Visit] = []
    left_out: list[tuple[Dated, ComedoError]] = []
    sources = (_flipped(d.source) if d.name in mirrored else d.source for d in dated)

    def keep(_: Source, photo: Photo, analysis: FaceAnalysis) -> Visit:
        return to_visit(photo, analysis)

    outcomes = process_many(sources, keep, analyzer=analyzer, workers=workers, allow_poor=allow_poor)
    for item, outcome in zip(dated, outcomes, strict=True):
        if outcome.error is not None:
            left_out.append((item, outcome.error))
        else:
            visits.append(replace(outcome.unwrap(), name=item.name, when=item.when))
    return visits, left_out


def _flipped(source: Source) -> Source:
    """The photo turned round, as the user says that it is mirrored; one that cannot be read is refused later."""
    try:
        photo = source if isinstance(source, Photo) else read_photo(source)
    except ComedoError:
        return source
    return replace(photo, image=np.ascontiguousarray(photo.image[:, ::-1]))


def to_visit(photo: Photo, analysis: FaceAnalysis, when: datetime | None = None) -> Visit:
    """What the comparison keeps of an analysed photo: no pixels but the canvas."""
    return Visit(
        name=analysis.photo_name,
        sha256=analysis.photo_sha256,
        when=when,
        face=analysis.face,
        lesions=analysis.lesions,
        quality=analysis.quality,
        counts=analysis.counts,
        grades=analysis.grades,
        models=analysis.models,
        canvas=make_canvas(photo.image, analysis.face),
        faint=analysis.faint,
    )
