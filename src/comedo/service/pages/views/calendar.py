"""One month with its photos and notes, weeks from Monday."""

from __future__ import annotations

import calendar
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

from comedo.service.pages.words import Words


@dataclass(frozen=True)
class Head:
    """The name of a weekday."""

    short: str
    long: str


@dataclass(frozen=True)
class Day:
    """One field; empty before the first and after the last of the month."""

    n: str
    mark: str = ""
    href: str | None = None
    label: str = ""


@dataclass(frozen=True)
class Month:
    """A month; `before` and `after` are the neighbours as 2026-10."""

    title: str
    before: str
    after: str
    heads: tuple[Head, ...]
    days: tuple[Day, ...]


def view_month(month: date, today: date, photos: Mapping[date, str], notes: Collection[date], words: Words) -> Month:
    """The month around a date; `photos` holds by day where its photo is shown."""
    first = month.replace(day=1)
    last = calendar.monthrange(first.year, first.month)[1]
    empty = [Day("")] * first.weekday()
    days = [_day(first.replace(day=n), today, photos, notes, words) for n in range(1, last + 1)]
    names = [words.say(f"date.weekday.{n}") for n in range(7)]
    return Month(
        title=words.say("date.month_year", month=words.say(f"date.month.{first.month}"), year=first.year),
        before=_named(first.year, first.month - 1),
        after=_named(first.year, first.month + 1),
        heads=tuple(Head(name[:2], name) for name in names),
        days=tuple(empty + days),
    )


def read_month(text: str | None, today: date) -> date:
    """A month as 2026-10; today's where it is none."""
    try:
        year, month = (int(part) for part in (text or "").split("-"))
        return date(year, month, 1) if year >= 1900 else today
    except ValueError:
        return today


def _named(year: int, month: int) -> str:
    return f"{year + (month - 1) // 12:04d}-{(month - 1) % 12 + 1:02d}"


def _day(day: date, today: date, photos: Mapping[date, str], notes: Collection[date], words: Words) -> Day:
    marks = [name for name, holds in (("is-today", day == today), ("is-note", day in notes)) if holds]
    if day > today:
        marks.append("is-off")
    label = words.say("diary.day_photo", day=words.day(day)) if day in photos else ""
    return Day(str(day.day), " ".join(marks), photos.get(day), label)
