"""The 12-week clock: when what is used now, or would begin today, is to be reviewed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from comedo.guidance.advice import Group
from comedo.guidance.answers import Answers
from comedo.guidance.catalogue import Catalogue
from comedo.guidance.profile import weeks_of
from comedo.guidance.series import COURSE_WEEKS, Series


def weeks_so_far(answers: Answers) -> int | None:
    """Weeks of the longest treatment in use, not said counting as long; None: nothing is in use."""
    return max((weeks_of(t) for t in answers.treatments or () if t.now is not False), default=None)


@dataclass(frozen=True)
class Review:
    """The day of the 12-week review, and in words what that day rests on."""

    on: date
    text: str


def find_review(
    answers: Answers, group: Group, words: Catalogue, today: date, series: Series | None = None
) -> Review | None:
    """The next review, the earlier one where the answers and the series disagree; None: nothing is there to review."""
    if group in (Group.NOT_ASSESSED, Group.CLEAR):
        return None
    marked = None if series is None else _by_mark(series, words, today)
    weeks = weeks_so_far(answers)
    if marked is not None and weeks is None:
        return marked
    said = _by_weeks(weeks, words, today)
    return said if marked is None or said.on <= marked.on else marked


def _by_weeks(weeks: int | None, words: Catalogue, today: date) -> Review:
    day = today + timedelta(weeks=max(0, COURSE_WEEKS - (weeks or 0)))
    key = "review_from_today" if weeks is None else "review_running" if day > today else "review_due"
    return Review(day, words.say(key, date=words.day(day)))


def _by_mark(series: Series, words: Catalogue, today: date) -> Review | None:
    due, start = series.review_on, series.treatment_on
    if due is None or start is None:
        return None
    if due > today:
        return Review(due, words.say("review_marked", start=words.day(start), date=words.day(due)))
    return Review(today, words.say("review_marked_due", start=words.day(start)))
