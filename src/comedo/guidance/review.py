"""The 12-week clock: when what is used now, or would begin today, is to be reviewed."""

from __future__ import annotations

from datetime import date, timedelta

from comedo.guidance.advice import Group
from comedo.guidance.answers import Answers
from comedo.guidance.catalogue import Catalogue
from comedo.guidance.profile import COURSE_WEEKS, weeks_of


def weeks_so_far(answers: Answers) -> int | None:
    """Weeks of the longest treatment in use, not said counting as long; None: nothing is in use."""
    return max((weeks_of(t) for t in answers.treatments or () if t.now is not False), default=None)


def review_day(answers: Answers, group: Group, today: date) -> date | None:
    """The day of the 12-week review; None where nothing is there to review."""
    if group in (Group.NOT_ASSESSED, Group.CLEAR):
        return None
    left = max(0, COURSE_WEEKS - (weeks_so_far(answers) or 0))
    return today + timedelta(weeks=left)


def review_text(answers: Answers, words: Catalogue, review_on: date, today: date) -> str:
    """What that day rests on, in words."""
    if weeks_so_far(answers) is None:
        key = "review_from_today"
    else:
        key = "review_running" if review_on > today else "review_due"
    return words.say(key, date=words.day(review_on))
