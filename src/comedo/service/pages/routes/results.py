"""The result of one photo: waiting for it, refused with a remedy, or shown with its layers."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, Response

from comedo.report.change_document import ChangeDocument
from comedo.report.document import Document
from comedo.service.accounts.actor import Actor, SignedIn
from comedo.service.actions import analyses, photos, visits
from comedo.service.actions.views import JobView, PhotoView
from comedo.service.pages.layers import paint_coverage, paint_redness
from comedo.service.pages.reading import Wired, newest_change, read_document, see_other
from comedo.service.pages.site import render, words_of
from comedo.service.pages.views.diary import day_of
from comedo.service.pages.views.result import Again, Place, Side, view_result
from comedo.service.pages.words import Words
from comedo.service.parts import Parts
from comedo.service.problems import Problem

router = APIRouter()

_PHOTO_PX = 1600  # of the longer side as shown: enough to zoom, a fifth of the bytes
_LAYERS = ("redness", "coverage")


@router.get("/photos/{photo}")
def result(request: Request, photo: str, parts: Wired, actor: SignedIn) -> HTMLResponse:
    """The result, or how far it is."""
    words = words_of(request)
    found = photos.get_photo(parts, actor, photo)
    if found.analysis is None:
        return _waiting(request, found, words)
    document = read_document(parts, actor, found.analysis.id)
    change = newest_change(parts, actor, owner=None if found.owner == actor.account else found.owner)
    place = _place(parts, actor, found, words)
    view = view_result(document, place, words, _history(document, change, words))
    may_review = actor.local or actor.role == "clinician"
    review = f"/photos/{photo}/review" if may_review else ""
    return render(request, "result.html", view=view, review=review, again=_again(found, actor, words))


def _again(found: PhotoView, actor: Actor, words: Words) -> Again | None:
    """What its owner is offered where the analysis lacks what comparisons use, and the picture is there."""
    whole = found.analysis is None or found.analysis.complete
    if whole or not found.has_picture or found.owner != actor.account:
        return None
    if found.job is None:
        return Again("info", words.say("again.why"))
    if found.job.state == "failed":
        return Again("warn", words.say("again.failed", why=_advice(found.job, words)))
    return Again("info", words.say("again.waits"), found.job.id)


def _waiting(request: Request, found: PhotoView, words: Words) -> HTMLResponse:
    job = found.job
    failed = job is not None and job.state == "failed"
    return render(
        request,
        "waiting.html",
        photo=found.id,
        job="" if job is None else job.id,
        failed=failed,
        advice=_advice(job, words) if failed else "",
        anyway=failed and job is not None and job.error == "poor_photo",
        picture=f"/api/v1/photos/{found.id}/image?max_side=800" if found.has_picture else "",
    )


def _advice(job: JobView | None, words: Words) -> str:
    if job is None or job.error is None:
        return words.say("refusal.unknown")
    return words.refuse(job.error, job.detail or "")


def _place(parts: Parts, actor: Actor, found: PhotoView, words: Words) -> Place:
    siblings = [] if found.visit is None else visits.get_visit(parts, actor, found.visit).photos
    sides = [Side(p.view or "front", f"/photos/{p.id}", p.id == found.id) for p in siblings]
    layers = [(name, f"/photos/{found.id}/layers/{name}.png") for name in _LAYERS] if found.has_picture else []
    return Place(
        photo=found.id,
        image=f"/api/v1/photos/{found.id}/image?max_side={_PHOTO_PX}" if found.has_picture else "",
        when=words.day(day_of(found)),
        own=found.owner == actor.account,
        siblings=tuple(sides),
        pictures=tuple(layers),
    )


def _history(document: Document, change: ChangeDocument | None, words: Words) -> Mapping[int, str]:
    """What became of each lesion since the first photo, where the newest comparison holds this photo."""
    if change is None:
        return {}
    seen = [(track, s) for track in change.ledger for s in track.history if s.photo == document.photo.name]
    dates = {photo.name: photo.when for photo in change.photos}
    told = {}
    for track, sighting in seen:
        if sighting.lesion_id is None:
            continue
        begun = dates.get(track.history[0].photo)
        since = "" if begun is None or track.history[0].photo == sighting.photo else words.short_day(begun)
        state = words.say(f"state.{sighting.state}")
        told[sighting.lesion_id] = f"{state}, {words.say('lesion.since', day=since)}" if since else state
    return told


@router.get("/photos/{photo}/refusal")
def refusal(request: Request, photo: str, parts: Wired, actor: SignedIn) -> PlainTextResponse:
    """Why a photo was not measured and what to do, in the language of the page; empty where it was, or will be."""
    job = photos.get_photo(parts, actor, photo).job
    failed = job is not None and job.state == "failed"
    return PlainTextResponse(_advice(job, words_of(request)) if failed else "")


@router.post("/photos/{photo}/anyway")
def measure_anyway(photo: str, parts: Wired, actor: SignedIn) -> Response:
    """Measure a photo that the quality gate refused; the result says so."""
    analyses.start(parts, actor, photo, allow_poor=True)
    return see_other(f"/photos/{photo}")


@router.post("/photos/{photo}/again")
def measure_again(photo: str, parts: Wired, actor: SignedIn) -> Response:
    """Measure a photo as it was measured before."""
    analyses.start(parts, actor, photo)
    return see_other(f"/photos/{photo}")


@router.post("/photos/{photo}/delete")
def delete(photo: str, parts: Wired, actor: SignedIn) -> Response:
    """Remove a photo with everything made of it."""
    photos.delete(parts, actor, photo)
    return see_other("/diary", done="deleted")


@router.get("/photos/{photo}/layers/{name}.png")
def layer(photo: str, name: str, parts: Wired, actor: SignedIn) -> Response:
    """A picture to lay over the photo: its redness, or the skin under lesions."""
    if name not in _LAYERS:
        raise Problem("not_found", "there is no such layer")
    if name == "coverage":
        png = paint_coverage(analyses.mask(parts, actor, photo).data)
    else:
        found = photos.get_photo(parts, actor, photo)
        if found.analysis is None:
            raise Problem("not_found", "the photo is not measured yet")
        document = read_document(parts, actor, found.analysis.id)
        png = paint_redness(photos.image(parts, actor, photo, max_side=_PHOTO_PX).data, document)
    return Response(png, media_type="image/png")
