"""Photos of one person in, what changed out: each photo is analysed, cut down to its canvas, and let go."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

import numpy as np

from comedo.batch import Source, process_many, source_name
from comedo.errors import ComedoError, UnusableInput
from comedo.photo import read_photo
from comedo.photo.exif import taken
from comedo.photo.limits import DEFAULT_LIMITS
from comedo.pipeline import Analyzer
from comedo.progress.canvas import make_canvas
from comedo.progress.change import measure_change
from comedo.progress.values import Change, LeftOut, Visit
from comedo.types import FaceAnalysis, Photo

When = str | date | datetime
_IN_NAME = re.compile(
    r"(?<!\d)((?:19|20)\d\d)[-_.]?(0[1-9]|1[0-2])[-_.]?(0[1-9]|[12]\d|3[01])"
    r"(?:[T _-]{1,2}([01]\d|2[0-3])[-_:.h]?([0-5]\d)(?:[-_:.]?([0-5]\d))?)?(?!\d)"
)
_SOURCES = ("exif", "name")


@dataclass(frozen=True, eq=False)
class Dated:
    """A photo of the series and when it was taken."""

    source: Source
    name: str
    when: datetime | None


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
        UnusableInput: There is no photo, no photo could be analysed, or dates are not what they should be.
        ModelError: The weights or the noise model cannot be loaded.
    """
    dated, notices = order_by_date(date_photos(photos, dates))
    unknown = set(mirrored) - {d.name for d in dated}
    if unknown:
        raise UnusableInput(
            f"mirrored must name photos of the series, not {', '.join(sorted(unknown))}; check the names"
        )
    visits, left_out = _analyse(dated, mirrored, allow_poor=allow_poor, analyzer=analyzer, workers=workers)
    if not visits:
        raise _nothing_left(left_out)
    start = None if treatment_start is None else read_when(treatment_start)
    notices += [f"{name} was flipped first, as you named it mirrored" for name in mirrored]
    return measure_change(
        visits, left_out=[LeftOut(n, str(e)) for n, e in left_out], treatment_start=start, notices=notices
    )


def _nothing_left(left_out: Sequence[tuple[str, ComedoError]]) -> ComedoError:
    if not left_out:
        return UnusableInput("a series wants photos, got none; name at least two")
    name, error = left_out[0]
    return type(error)(f"no photo of the series could be analysed; the first, {name}: {error}")


def _analyse(
    dated: Sequence[Dated],
    mirrored: Collection[str],
    *,
    allow_poor: bool,
    analyzer: Analyzer | None,
    workers: int | None,
) -> tuple[list[Visit], list[tuple[str, ComedoError]]]:
    visits: list[Visit] = []
    left_out: list[tuple[str, ComedoError]] = []
    sources = (_flipped(d.source) if d.name in mirrored else d.source for d in dated)

    def keep(_: Source, photo: Photo, analysis: FaceAnalysis) -> Visit:
        return to_visit(photo, analysis)

    outcomes = process_many(sources, keep, analyzer=analyzer, workers=workers, allow_poor=allow_poor)
    for item, outcome in zip(dated, outcomes, strict=True):
        if outcome.error is not None:
            left_out.append((item.name, outcome.error))
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


def date_photos(
    photos: Sequence[Source],
    dates: str | os.PathLike[str] | Sequence[When | None] | Mapping[str, When] | None = None,
) -> list[Dated]:
    """Give every photo its name and date.

    Raises:
        UnusableInput: A date is asked of a source that does not hold it for every photo.
    """
    names = [source_name(photo) for photo in photos]
    if isinstance(dates, str) and dates in _SOURCES:
        found = [_FINDERS[dates](photo) for photo in photos]
        missing = [n for n, when in zip(names, found, strict=True) if when is None]
        if missing:
            raise UnusableInput(f"no date in the {dates} of {', '.join(missing[:5])}; give dates in a file instead")
    elif dates is None:
        found = _by_one_source(photos)
    elif isinstance(dates, (str, os.PathLike)):
        found = _look_up(names, _read_dates(Path(dates)))
    elif isinstance(dates, Mapping):
        found = _look_up(names, {name: read_when(when) for name, when in dates.items()})
    else:
        if len(dates) != len(photos):
            raise UnusableInput(f"dates must be one for each of the {len(photos)} photos, got {len(dates)}")
        found = [None if when is None else read_when(when) for when in dates]
    return [Dated(p, n, w) for p, n, w in zip(photos, _distinct(names), found, strict=True)]


def _by_one_source(photos: Sequence[Source]) -> list[datetime | None]:
    """EXIF where every photo has it, else names where every photo has one; never a mixture."""
    for finder in _FINDERS.values():
        found = [finder(photo) for photo in photos]
        if all(when is not None for when in found):
            return found
    return [None] * len(photos)


def _from_exif(photo: Source) -> datetime | None:
    if isinstance(photo, Photo):
        return None
    if isinstance(photo, bytes):
        return taken(photo)
    path = Path(photo)
    try:
        if not path.is_file() or path.stat().st_size > DEFAULT_LIMITS.max_bytes:
            return None
        return taken(path.read_bytes())
    except OSError:  # the analysis says what is wrong with it
        return None


def _from_name(photo: Source) -> datetime | None:
    found = _IN_NAME.search(source_name(photo))
    if found is None:
        return None
    parts = [int(part or 0) for part in found.groups()]
    try:
        return datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001 - local time, as cameras write it
    except ValueError:  # the 31st of a month that has 30 days
        return None


_FINDERS = {"exif": _from_exif, "name": _from_name}


def read_when(value: When) -> datetime:
    """A date or a time in ISO 8601; a time zone is dropped, since photos carry none.

    Raises:
        UnusableInput: It is neither.
    """
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001
    try:
        return datetime.fromisoformat(value.strip()).replace(tzinfo=None)
    except ValueError as error:
        raise UnusableInput(f"a date must look like 2026-03-31 or 2026-03-31T08:15, got {value!r}") from error


def _read_dates(path: Path) -> dict[str, datetime]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableInput(
            f"the file of dates {path.name} cannot be read: {error}; say exif, name, or a CSV file"
        ) from error
    if any(not row.get("photo") or not row.get("date") for row in rows) or not rows:
        raise UnusableInput(f"{path.name} must be a CSV file with the columns photo and date, filled in every row")
    return {row["photo"]: read_when(row["date"]) for row in rows}


def _look_up(names: Sequence[str], dates: Mapping[str, datetime]) -> list[datetime | None]:
    missing = [name for name in names if name not in dates]
    if missing:
        raise UnusableInput(f"there is no date for {', '.join(missing[:5])}; add it")
    return [dates[name] for name in names]


def _distinct(names: Sequence[str]) -> Iterator[str]:
    seen: dict[str, int] = {}
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        yield name if seen[name] == 1 else f"{name} ({seen[name]})"


def order_by_date(dated: Sequence[Dated]) -> tuple[list[Dated], list[str]]:
    """The photos in order of time, with a notice where they came in another; undated ones stay as they came."""
    known = [d.when for d in dated if d.when is not None]
    if len(known) < len(dated):
        notice = "not every photo has a date: the order given is kept, and no direction is concluded from it"
        return [replace(d, when=None) for d in dated], [notice]
    ordered = [
        item for _, _, item in sorted((when, i, d) for i, (when, d) in enumerate(zip(known, dated, strict=True)))
    ]
    moved = ordered != list(dated)
    return ordered, ["the photos were put in order of their dates"] if moved else []
