"""What several pages read: photos of a person, an analysis as its document, who asks, days of forms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated

from fastapi import Depends, Request
from fastapi.responses import RedirectResponse

from comedo.report.change_document import ChangeDocument
from comedo.report.document import Document
from comedo.service.accounts.actor import Actor
from comedo.service.actions import analyses, photos, series
from comedo.service.actions.views import PhotoView
from comedo.service.api.common import plausible_day
from comedo.service.parts import Parts
from comedo.service.problems import Problem

_MOST_PHOTOS = 600


def parts_of(request: Request) -> Parts:
    """The wired parts of the service."""
    parts: Parts = request.app.state.parts
    return parts


Wired = Annotated[Parts, Depends(parts_of)]


async def form_of(request: Request) -> Mapping[str, Sequence[str]]:
    """The text fields of a form, each with all its values."""
    async with request.form() as form:
        return {name: [v for v in form.getlist(name) if isinstance(v, str)] for name in form}


Form = Annotated[Mapping[str, Sequence[str]], Depends(form_of)]


def first(form: Mapping[str, Sequence[str]], name: str) -> str:
    """The first value of a field, without blanks around it; empty where there is none."""
    return next(iter(form.get(name, ())), "").strip()


def address_of(request: Request) -> str | None:
    """Where a request comes from, as the gate found it."""
    return None if request.client is None else request.client.host


def own_path(path: str) -> str:
    """A path of this site; anything else becomes the first page, so that no form leads elsewhere."""
    inside = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if inside else "/"


def see_other(path: str, *, done: str = "") -> RedirectResponse:
    """On to another page after a form, with a message there."""
    return RedirectResponse(f"{path}?done={done}" if done else path, 303)


def all_photos(parts: Parts, actor: Actor, *, owner: str | None = None) -> list[PhotoView]:
    """The photos of a person, newest taken first."""
    found: list[PhotoView] = []
    cursor: str | None = None
    while len(found) < _MOST_PHOTOS:
        page = photos.list_photos(parts, actor, owner=owner, limit=100, cursor=cursor)
        found += page.items
        cursor = page.next
        if cursor is None:
            break
    return sorted(found, key=_when, reverse=True)


def _when(photo: PhotoView) -> datetime:
    return photo.taken_at or photo.created


def front_photos(found: Sequence[PhotoView]) -> list[PhotoView]:
    """Those from the front, or of which no side is known."""
    return [photo for photo in found if photo.view in (None, "front")]


def read_document(parts: Parts, actor: Actor, analysis: str) -> Document:
    """An analysis in its written form."""
    return Document.model_validate(analyses.get_analysis(parts, actor, analysis).document)


def newest_change(parts: Parts, actor: Actor, *, owner: str | None = None) -> ChangeDocument | None:
    """The newest comparison of the front; None: there is none."""
    found = series.newest(parts, actor, owner=owner, view="front")
    return None if found is None else ChangeDocument.model_validate(found.document)


def day_of(text: str, field: str) -> date:
    """A day that was typed into a field of a form.

    Raises:
        Problem: It is no day, or of no year that photos and treatments can be of.
    """
    try:
        return plausible_day(date.fromisoformat(text))
    except ValueError as error:
        raise Problem("invalid", "the day must look like 2026-03-31", fields={field: "is no day"}) from error
