"""A change over time read back from its file, for what is said beside one analysis."""

from __future__ import annotations

from pydantic import ValidationError

from comedo.errors import UnusableInput
from comedo.guidance.series import Series
from comedo.progress.values import View
from comedo.report.change_document import CHANGE_SCHEMA, ChangeDocument, VisitPart
from comedo.report.written import StrPath, first_fault, name_of, read_bytes


def read_change(path: StrPath, photo_sha256: str) -> ChangeDocument:
    """Read what `comedo track` wrote, of a series that ends with a photo.

    Raises:
        UnusableInput: It cannot be read, is no change document, or its series does not end with that photo.
    """
    change = parse_change(read_bytes(path, "the change"), name_of(path))
    check_last(change, photo_sha256, name_of(path))
    return change


def parse_change(data: bytes, name: str) -> ChangeDocument:
    """A change document from the bytes of its file.

    Raises:
        UnusableInput: They are none; the message names the field.
    """
    try:
        return ChangeDocument.model_validate_json(data)
    except ValidationError as error:
        fault = first_fault(error)
        raise UnusableInput(f"{name} is not a document of schema {CHANGE_SCHEMA}: {fault}") from error


def check_last(change: ChangeDocument, photo_sha256: str, name: str = "the change") -> None:
    """Refuse a series that says nothing about a photo.

    Raises:
        UnusableInput: The photo is neither the last of the series nor the last that could be compared.
    """
    if photo_sha256 not in {last_compared(change).sha256, change.photos[-1].sha256}:
        raise UnusableInput(f"{name} is about a series that does not end with this photo; name that of its own series")


def last_compared(change: ChangeDocument) -> VisitPart:
    """The latest photo that could be compared with the first; the first where none could."""
    later = [photo for photo in change.photos[1:] if photo.view is View.COMPARABLE]
    return later[-1] if later else change.photos[0]


def to_series(change: ChangeDocument) -> Series:
    """What guidance takes from a change."""
    review = change.review
    first, last = change.photos[0].when, last_compared(change).when
    return Series(
        answer=str(change.verdict.answer),
        first_on=None if first is None else first.date(),
        last_on=None if last is None else last.date(),
        treatment_on=None if review is None else review.start.date(),
        review_answer=None if review is None or review.verdict is None else str(review.verdict.answer),
    )
