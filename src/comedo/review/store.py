"""Reviews as files beside their analysis: NAME.review.json, the next NAME.review-2.json; none is ever replaced."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from comedo.errors import ComedoError, UnusableInput
from comedo.report.case import Case, load_case
from comedo.report.whole_file import write_whole
from comedo.report.written import StrPath, first_fault, is_stdin, name_of, read_bytes
from comedo.review.document import Review, review_json
from comedo.review.run import reviewed_case


def save_review(review: Review, analysis: StrPath) -> Path:
    """Write a review beside its analysis; the same review again keeps its file.

    Raises:
        ComedoError: The folder cannot be written to.
    """
    data = review_json(review).encode() + b"\n"
    path = Path(analysis)
    number = 1
    while (target := _numbered(path, number)).exists():
        if target.read_bytes() == data:
            return target
        number += 1
    try:
        return write_whole(target, [data])
    except OSError as error:
        raise ComedoError(
            f"{target} cannot be written: {error.strerror}; free some space or change the rights"
        ) from error


def find_reviews(analysis: StrPath) -> list[Path]:
    """The reviews beside an analysis, oldest first."""
    path = Path(analysis)
    found: list[Path] = []
    while (target := _numbered(path, len(found) + 1)).exists():
        found.append(target)
    return found


def read_review(path: StrPath) -> Review:
    """Read what `save_review` wrote.

    Raises:
        UnusableInput: It cannot be read, or is no review.
    """
    here = Path(path)
    try:
        return Review.model_validate_json(read_bytes(here, "the review"))
    except ValidationError as error:
        raise UnusableInput(f"{here} is not a review: {first_fault(error)}; name a file that comedo wrote") from error


def load_reviewed(analysis: StrPath, *, photo: StrPath | None = None) -> Case:
    """The analysis with the numbers of the last review beside it.

    Raises:
        UnusableInput: There is no review, or a file cannot be used; see `load_case`.
    """
    case = load_case(analysis, photo=photo)
    reviews = [] if is_stdin(analysis) else find_reviews(analysis)
    if not reviews:
        raise UnusableInput(
            f"there is no review beside {name_of(analysis)}; make one with comedo review, or drop --reviewed"
        )
    return reviewed_case(case, read_review(reviews[-1]))


def _numbered(analysis: Path, number: int) -> Path:
    return analysis.with_name(f"{analysis.stem}.review{'' if number == 1 else f'-{number}'}.json")
