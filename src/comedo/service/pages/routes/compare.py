"""Two photos laid on each other."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from comedo.service.accounts.actor import Actor, SignedIn
from comedo.service.actions.views import PhotoView
from comedo.service.pages.pairs import make_pair
from comedo.service.pages.reading import Wired, all_photos, front_photos
from comedo.service.pages.site import render, words_of
from comedo.service.pages.views.compare import Chosen, CompareView, Half, Option, view_compare
from comedo.service.pages.views.diary import day_of
from comedo.service.pages.words import Words
from comedo.service.parts import Parts

router = APIRouter()


@router.get("/compare")
def compare(
    request: Request, parts: Wired, actor: SignedIn, before: str | None = None, after: str | None = None
) -> HTMLResponse:
    """By default the first photo from the front against the last."""
    view = view_pair(parts, actor, all_photos(parts, actor), (before, after), words_of(request))
    return render(request, "compare.html", view=view, base="/compare")


def view_pair(
    parts: Parts,
    actor: Actor,
    photos: Sequence[PhotoView],
    wanted: tuple[str | None, str | None],
    words: Words,
) -> CompareView | None:
    """The comparison of two of these photos; None where there are not two with pixels."""
    usable = [p for p in front_photos(photos) if p.analysis is not None and p.has_picture]
    if len(usable) < 2:
        return None
    by_id = {photo.id: photo for photo in usable}
    first = by_id.get(wanted[0] or "", next((p for p in usable if p.baseline), usable[-1]))
    last = by_id.get(wanted[1] or "", usable[0] if first is not usable[0] else usable[1])
    pair = make_pair(parts, actor, first.id, last.id)
    before, after = (
        Half(photo.id, words.short_day(day_of(photo)), face)
        for photo, face in ((first, pair.before), (last, pair.after))
    )
    options = [Option(photo.id, words.day(day_of(photo))) for photo in reversed(usable)]
    asked = last.mirrored is None and last.owner == actor.account
    return view_compare(pair.change, Chosen(before, after, options, may_flip=asked, day=words.day(day_of(last))), words)
