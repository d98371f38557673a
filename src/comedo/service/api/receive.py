"""Photos as they come over the wire: read only after the sender is known, kept in memory, never in a temporary file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from fastapi import Request
from pydantic import ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from comedo.service.actions.photos import Upload
from comedo.service.actions.views import Side
from comedo.service.api.common import LongText, Moment, RowId, Sent
from comedo.service.problems import Problem

MAX_FIELDS = 20
MAX_FIELD_BYTES = 32 * 1024
IMAGE_TYPES = ("image/jpeg", "image/png", "image/webp", "image/heic", "image/heif", "application/octet-stream")


class About(Sent):
    """What is said of photos that are sent."""

    view: Side | None = None
    taken_at: Moment | None = None
    mirrored: bool | None = None
    visit: RowId | None = None
    note: LongText | None = None


class _InMemory(MultiPartParser):
    spool_max_size = 2**62  # a photo never lies in a temporary file: the body's limit bounds the memory


@dataclass
class Form:
    """A form that was read: files and plain fields."""

    files: list[bytes] = field(default_factory=list)
    fields: dict[str, str] = field(default_factory=dict)


async def read_photos(request: Request, *, most: int) -> list[Upload]:
    """The photos of a request: its body itself, or the files of a form.

    Raises:
        Problem: There is none, there are too many, or a field is wrong.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        form = await read_form(request, most=most)
    elif kind in IMAGE_TYPES and most == 1:
        form = Form([await request.body()], dict(request.query_params))
    else:
        raise Problem("wrong_type", f"send multipart/form-data or one of {', '.join(IMAGE_TYPES)}")
    if not form.files:
        raise Problem("invalid", "send at least one photo", fields={"file": "is missing"})
    about = _about(form.fields)
    return [Upload(data, **about) for data in form.files]


@asynccontextmanager
async def opened_form(request: Request, *, most: int) -> AsyncIterator[FormData]:
    """A multipart form whose files are in memory.

    Raises:
        Problem: It cannot be read, or has too many parts.
    """
    try:
        async with aclosing(request.stream()) as stream:
            parser = _InMemory(
                request.headers, stream, max_files=most, max_fields=MAX_FIELDS, max_part_size=MAX_FIELD_BYTES
            )
            parsed = await parser.parse()
    except MultiPartException as error:
        raise Problem("bad_request", f"the form cannot be read: {error.message}") from error
    try:
        yield parsed
    finally:
        await parsed.close()


async def read_form(request: Request, *, most: int) -> Form:
    """The files and fields of a multipart form.

    Raises:
        Problem: It cannot be read, or has too many parts.
    """
    form = Form()
    async with opened_form(request, most=most) as parsed:
        for name, value in parsed.multi_items():
            if isinstance(value, UploadFile):
                form.files.append(await value.read())
            elif name in form.fields:
                raise Problem("invalid", f"{name} came twice", fields={name: "came twice"})
            else:
                form.fields[name] = value
    return form


def _about(fields: dict[str, str]) -> dict[str, Any]:
    """The fields of a form as values; an empty one says nothing."""
    try:
        about = About.model_validate({name: text for name, text in fields.items() if text != ""})
    except ValidationError as error:
        wrong = {".".join(map(str, e["loc"])): e["msg"] for e in error.errors(include_input=False, include_url=False)}
        first = next(iter(wrong.items()))
        raise Problem("invalid", f"{first[0]}: {first[1]}", fields=wrong) from error
    return about.model_dump()
