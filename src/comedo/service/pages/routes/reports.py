"""Reports of one photo, to print or to hand over."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from comedo.service.accounts.actor import Actor, SignedIn
from comedo.service.actions import guidance, series
from comedo.service.actions.views import PhotoView
from comedo.service.pages.reading import Wired, all_photos, front_photos
from comedo.service.pages.site import render, words_of
from comedo.service.pages.views.diary import day_of
from comedo.service.pages.words import Words
from comedo.service.parts import Parts

router = APIRouter()

_KINDS = {"pdf": "pdf", "pdf_plain": "pdf", "fhir": "fhir", "dicom": "dicom", "csv": "csv", "json": "json"}


@dataclass(frozen=True)
class Item:
    """One report to download."""

    id: str
    title: str
    text: str
    button: str
    href: str


@dataclass(frozen=True)
class Choice:
    """One photo to report on."""

    id: str
    text: str


@router.get("/reports")
def reports(request: Request, parts: Wired, actor: SignedIn, photo: str | None = None) -> HTMLResponse:
    """What can be made of a photo, by default the newest."""
    words = words_of(request)
    found = all_photos(parts, actor)
    measured = {p.id: p for p in (*front_photos(found), *found) if p.analysis is not None}
    if not measured:
        return render(request, "reports.html", photos=(), chosen="", items=())
    chosen = measured.get(photo or "", next(iter(measured.values())))
    assert chosen.analysis is not None
    items = report_items(chosen.analysis.id, words, _printed_along(parts, actor))
    names = [Choice(p.id, _name(p, words)) for p in measured.values()]
    return render(request, "reports.html", photos=names, chosen=chosen.id, items=items)


def _name(photo: PhotoView, words: Words) -> str:
    side = words.say(f"view.{photo.view or 'front'}")
    return f"{words.day(day_of(photo))}, {side}"


def _printed_along(parts: Parts, actor: Actor) -> str:
    """What the PDF shows beside the result: the newest guidance and comparison, where there are any."""
    advice = next(iter(guidance.list_advice(parts, actor, limit=1).items), None)
    change = series.newest(parts, actor, view="front")
    named = (("advice", advice), ("change", change))
    return "".join(f"&{name}={found.id}" for name, found in named if found is not None)


def report_items(analysis: str, words: Words, along: str) -> list[Item]:
    """Every kind of report of an analysis, with its address."""
    options = {"pdf": f"?mask_eyes=false{along}", "pdf_plain": f"?without_photo=true{along}"}
    return [
        Item(
            name,
            words.say(f"reports.{name}.title"),
            words.say(f"reports.{name}.text"),
            words.say(f"reports.{name}.button"),
            f"/api/v1/analyses/{analysis}/reports/{kind}{options.get(name, '')}",
        )
        for name, kind in _KINDS.items()
    ]
