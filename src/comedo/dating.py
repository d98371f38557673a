"""When photos were taken: from EXIF, from names, from a file; copies left out, and all in order of time."""

from __future__ import annotations

import csv
import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

from comedo.batch import Source, source_name
from comedo.errors import UnusableInput
from comedo.photo.exif import taken
from comedo.photo.limits import DEFAULT_LIMITS
from comedo.types import Photo

When = str | date | datetime
_IN_NAME = re.compile(
    r"(?<!\d)((?:19|20)\d\d)[-_.]?(0[1-9]|1[0-2])[-_.]?(0[1-9]|[12]\d|3[01])"
    r"(?:[T _-]{1,2}([01]\d|2[0-3])[-_:.h]?([0-5]\d)(?:[-_:.]?([0-5]\d))?)?(?!\d)"
)
_SOURCES = ("exif", "name")
_NAMED = 5  # photos at most that a message lists


@dataclass(frozen=True, eq=False)
class Dated:
    """A photo of the series and when it was taken."""

    source: Source
    name: str
    when: datetime | None


def date_photos(
    photos: Sequence[Source],
    dates: str | os.PathLike[str] | Sequence[When | None] | Mapping[str, When] | None = None,
) -> list[Dated]:
    """Give every photo its name and date.

    Raises:
        UnusableInput: A date is asked of a source that does not hold it for every photo, or that names photos of which
            two are called the same.
    """
    names = [source_name(photo) for photo in photos]
    if isinstance(dates, str) and dates in _SOURCES:
        found = [_FINDERS[dates](photo) for photo in photos]
        missing = [n for n, when in zip(names, found, strict=True) if when is None]
        if missing:
            raise UnusableInput(f"no date in the {dates} of {_listed(missing)}; give dates in a file instead")
    elif dates is None:
        found = _by_one_source(photos)
    elif isinstance(dates, (str, os.PathLike)):
        found = _look_up(names, _read_dates(Path(dates)))
    elif isinstance(dates, Mapping):
        found = _look_up(names, {name: read_when(when) for name, when in dates.items()})
    elif isinstance(dates, Sequence) and len(dates) == len(photos):
        found = [None if when is None else read_when(when) for when in dates]
    else:
        got = len(dates) if isinstance(dates, Sequence) else repr(dates)
        raise UnusableInput(f"dates must be one for each of the {len(photos)} photos, got {got}")
    return [Dated(p, n, w) for p, n, w in zip(photos, _distinct(names), found, strict=True)]


def _by_one_source(photos: Sequence[Source]) -> list[datetime | None]:
    """EXIF or names, never a mixture: whichever dates more of the photos, EXIF if they date as many."""
    found = ([finder(photo) for photo in photos] for finder in _FINDERS.values())
    return max(found, key=lambda dates: sum(when is not None for when in dates))


def _from_exif(photo: Source) -> datetime | None:
    if isinstance(photo, Photo):
        return None
    if isinstance(photo, bytes):
        return taken(photo)
    data = _read(Path(photo))
    return None if data is None else taken(data)


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
    except (ValueError, AttributeError) as error:  # a text that is no date, or no text
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
    found: dict[str, datetime] = {}
    for row in rows:
        when = read_when(row["date"])
        if found.setdefault(row["photo"], when) != when:
            raise UnusableInput(f"{path.name} must hold one date for each photo, got two for {row['photo']}; keep one")
    return found


def _look_up(names: Sequence[str], dates: Mapping[str, datetime]) -> list[datetime | None]:
    missing = [name for name in names if name not in dates]
    if missing:
        raise UnusableInput(f"there is no date for {_listed(missing)}; add it")
    shared = sorted(name for name, photos in Counter(names).items() if photos > 1)
    if shared:
        raise UnusableInput(
            f"where dates are given by name, photos must be called differently, got more than one {_listed(shared)}; "
            "rename them"
        )
    return [dates[name] for name in names]


def _listed(names: Sequence[str]) -> str:
    return ", ".join([*names[:_NAMED], *(["…"] if len(names) > _NAMED else [])])


def _distinct(names: Sequence[str]) -> Iterator[str]:
    seen: dict[str, int] = {}
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        yield name if seen[name] == 1 else f"{name} ({seen[name]})"


def leave_out_copies(dated: Sequence[Dated]) -> tuple[list[Dated], list[str]]:
    """The photos without byte for byte copies of others, and a notice of each copy.

    A copy is no second photo: it would count as a visit of its own, and would show the noise to be none.

    Raises:
        UnusableInput: A photo and its copy have different dates.
    """
    kept: dict[str, Dated] = {}
    notices: list[str] = []
    for n, item in enumerate(dated):
        first = kept.setdefault(_fingerprint(item.source) or f"unread {n}", item)
        if first is item:
            continue
        if first.when != item.when:
            raise UnusableInput(
                f"a photo has one date, but {first.name} and its copy {item.name} have {_day_of(first)} and "
                f"{_day_of(item)}; leave one of them out, or give both the right date"
            )
        notices.append(f"{item.name} was left out: it is a copy of {first.name}")
    return list(kept.values()), notices


def _day_of(item: Dated) -> str:
    return "none" if item.when is None else item.when.isoformat(" ", "minutes")


def _fingerprint(source: Source) -> str | None:
    """SHA-256, as analyses have it; None where the file cannot be read."""
    if isinstance(source, Photo):
        return source.sha256
    data = source if isinstance(source, bytes) else _read(Path(source))
    return None if data is None else hashlib.sha256(data).hexdigest()


def _read(path: Path) -> bytes | None:
    """A file's bytes; None where it cannot be read or is too large: the analysis says what is wrong with it."""
    try:
        if not path.is_file() or path.stat().st_size > DEFAULT_LIMITS.max_bytes:
            return None
        return path.read_bytes()
    except OSError:
        return None


def order_by_date(dated: Sequence[Dated]) -> tuple[list[Dated], list[str]]:
    """The photos in order of time, with a notice where they came in another; undated ones stay as they came."""
    known = [d.when for d in dated if d.when is not None]
    if len(known) < len(dated):
        missing = _listed([d.name for d in dated if d.when is None])
        said = f"not every photo has a date (none for {missing})" if known else "no photo has a date"
        notice = f"{said}: the order given is kept, and no direction is concluded from it"
        return [replace(d, when=None) for d in dated], [notice]
    ordered = [
        item for _, _, item in sorted((when, i, d) for i, (when, d) in enumerate(zip(known, dated, strict=True)))
    ]
    moved = ordered != list(dated)
    return ordered, ["the photos were put in order of their dates"] if moved else []
