"""What a series of photos says, as guidance takes it: information beside the lists, never a reason to list more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

COURSE_WEEKS = 12  # NICE NG198: an antibiotic course is reviewed at 12 weeks; a treatment is judged then
ANSWERS = ("better", "same", "worse", "cannot_tell")  # those of comedo.progress
REVIEWED = {answer: f"{answer}_at_12_weeks" for answer in ANSWERS}
BEFORE_REVIEW, REVIEW_DUE = "before_review", "review_due"
CODES = (*ANSWERS, BEFORE_REVIEW, REVIEW_DUE, *REVIEWED.values())


@dataclass(frozen=True)
class Series:
    """The verdict on a series, and where its treatment stands; None: not known."""

    answer: str  # of the latest comparable photo against the first
    first_on: date | None = None
    last_on: date | None = None
    treatment_on: date | None = None  # the start that was marked
    review_answer: str | None = None  # of the photo near 12 weeks after that start against the one before it

    def __post_init__(self) -> None:
        for answer in (self.answer, self.review_answer or self.answer):
            if answer not in ANSWERS:
                raise ValueError(f"a series answers one of {', '.join(ANSWERS)}, got {answer!r}")

    @property
    def review_on(self) -> date | None:
        """12 weeks after the start of the treatment."""
        return None if self.treatment_on is None else self.treatment_on + timedelta(weeks=COURSE_WEEKS)

    def codes(self, today: date) -> frozenset[str]:
        """What rows of the tables can ask of a series."""
        found = {self.answer}
        if self.review_on is not None:
            found.add(REVIEW_DUE if today >= self.review_on else BEFORE_REVIEW)
        if self.review_answer is not None:
            found.add(REVIEWED[self.review_answer])
        return frozenset(found)
