"""The clinician's inbox: who lets them look, what is new or worse first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from comedo.report.change_document import ChangeDocument
from comedo.service.actions.views import ConsentView, PhotoView
from comedo.service.pages.views.charts import draw_spark
from comedo.service.pages.views.diary import day_of
from comedo.service.pages.words import Words

_SPARK_PHOTOS = 12
_URGENCY = {"worse": 0, "cannot_tell": 2, "same": 3, "better": 3, None: 4}
_NEW_FIRST = 1  # what is new stands behind what is worse and before the rest


@dataclass(frozen=True)
class Course:
    """A patient with the photos from the front, newest first, and the newest comparison."""

    consent: ConsentView
    photos: Sequence[PhotoView]
    change: ChangeDocument | None


@dataclass(frozen=True)
class InboxRow:
    """One patient."""

    href: str
    picture: str | None
    name: str
    text: str
    answer: str | None
    new: bool
    spark: Markup
    spark_text: str


def view_inbox(courses: Sequence[Course], words: Words) -> tuple[InboxRow, ...]:
    """The list, in order of what wants attention."""
    rows = [(_rank(course), _row(course, words)) for course in courses]
    return tuple(row for _, row in sorted(rows, key=lambda pair: pair[0]))


def _answer(course: Course) -> str | None:
    change = course.change
    return None if change is None or len(change.photos) < 2 else str(change.verdict.answer)


def _is_new(course: Course) -> bool:
    """Whether the newest photo is measured and nobody has corrected or confirmed it."""
    newest = next(iter(course.photos), None)
    return newest is not None and newest.analysis is not None and not newest.analysis.corrected


def _rank(course: Course) -> tuple[int, float]:
    newest = next(iter(course.photos), None)
    rank = _URGENCY[_answer(course)]
    if _is_new(course):
        rank = min(rank, _NEW_FIRST)
    return rank, 0.0 if newest is None else -(newest.taken_at or newest.created).timestamp()


def _row(course: Course, words: Words) -> InboxRow:
    newest = next(iter(course.photos), None)
    totals = [float(p.analysis.total) for p in reversed(course.photos[:_SPARK_PHOTOS]) if p.analysis is not None]
    shown = newest is not None and newest.has_picture
    return InboxRow(
        href=f"/clinic/{course.consent.patient}",
        picture=f"/api/v1/photos/{newest.id}/image?max_side=160" if newest is not None and shown else None,
        name=course.consent.patient_email or course.consent.patient[:8],
        text=words.say("clinic.none") if newest is None else _latest(newest, words),
        answer=_answer(course),
        new=_is_new(course),
        spark=draw_spark(totals),
        spark_text=", ".join(words.number(v, 0) for v in totals),
    )


def _latest(photo: PhotoView, words: Words) -> str:
    """The newest photo's day and count."""
    day = words.say("clinic.latest", day=words.day(day_of(photo)))
    return day if photo.analysis is None else f"{day} · {words.count('lesions', photo.analysis.total)}"
