"""What the routes share: the wired parts, parameters with their limits, and the problems that any may answer."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any, cast

from fastapi import Depends, Header, Path, Query, Request
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from comedo.service.database.columns import UnstorableText, storable
from comedo.service.parts import Parts
from comedo.service.problems import KINDS, MEDIA_TYPE

_YEARS = (1970, 2200)  # outside, arithmetic with dates overflows
_EMAIL = re.compile(r"[^@\s\x00-\x20\x7f]{1,64}@[^@\s\x00-\x20\x7f]{1,180}")


def parts_of(request: Request) -> Parts:
    """The wired parts of the application."""
    return cast(Parts, request.app.state.parts)


def _email(text: str) -> str:
    plain = text.strip().lower()
    if _EMAIL.fullmatch(plain) is None:
        raise ValueError("must be an e-mail address like name@example.org")
    return plain


def _plain(text: str) -> str:
    try:
        return storable(text)
    except UnstorableText as error:
        raise ValueError(str(error)) from error  # so that the answer names the field


def _moment(when: datetime) -> datetime:
    plausible_day(when.date())
    return when.astimezone(UTC)


def plausible_day(day: date) -> date:
    """A day in the years that photos and treatments can be of, else ValueError."""
    if not _YEARS[0] <= day.year <= _YEARS[1]:
        raise ValueError(f"must be in the years {_YEARS[0]} to {_YEARS[1]}")
    return day


TheParts = Annotated[Parts, Depends(parts_of)]
Id = Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="128 random bits, in hexadecimal.")]
OwnerQuery = Annotated[
    str | None, Query(pattern="^[0-9a-f]{32}$", description="A patient who lets you look; by default yourself.")
]
Limit = Annotated[int, Query(ge=1, le=200, description="How many at most.")]
Cursor = Annotated[str | None, Query(max_length=200, description="`next` of the page before.")]
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[\x21-\x7e]{1,200}$",
        description="The same request again under the same key is done once and answered the same.",
    ),
]
ShortText = Annotated[str, Field(max_length=200), AfterValidator(_plain)]
LongText = Annotated[str, Field(max_length=5000), AfterValidator(_plain)]
Email = Annotated[str, Field(max_length=254, examples=["anna@example.org"]), AfterValidator(_email)]
Moment = Annotated[AwareDatetime, AfterValidator(_moment)]
Day = Annotated[date, AfterValidator(plausible_day)]
RowId = Annotated[str, Field(pattern="^[0-9a-f]{32}$")]


class Sent(BaseModel):
    """Base of what is sent: a field that is not known is refused, so that none is set behind one's back."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def example(**values: Any) -> ConfigDict:
    """The configuration of a body with an example for the document."""
    return ConfigDict(json_schema_extra={"examples": [values]})


class ProblemDocument(BaseModel):
    """Why a request was refused (RFC 9457); `code` is stable."""

    type: str
    title: str
    status: int
    code: str = Field(examples=["not_found"])
    detail: str
    fields: dict[str, str] | None = None


def _answer(status: int) -> dict[str, Any]:
    codes = ", ".join(code for code, kind in KINDS.items() if kind.status == status)
    example = next(code for code, kind in KINDS.items() if kind.status == status)
    document = {
        "type": f"urn:comedo:problem:{example}",
        "title": KINDS[example].title,
        "status": status,
        "code": example,
        "detail": "what is wrong, and what to do about it",
    }
    schema = {"$ref": "#/components/schemas/ProblemDocument"}
    return {"description": f"Refused: {codes}.", "content": {MEDIA_TYPE: {"schema": schema, "example": document}}}


PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: _answer(status) for status in sorted({kind.status for kind in KINDS.values()})
}


def files(*media_types: str) -> dict[int | str, dict[str, Any]]:
    """The answer of a route that sends a file."""
    binary = {"schema": {"type": "string", "format": "binary"}}
    return {200: {"description": "The file.", "content": dict.fromkeys(media_types, binary)}}
