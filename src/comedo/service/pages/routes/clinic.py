"""The clinician's pages: inbox, a patient's course, the review of one photo."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from comedo.errors import UnusableInput
from comedo.grading import iga
from comedo.service.accounts.actor import Actor, SignedIn
from comedo.service.actions import consents, corrections, notes, photos
from comedo.service.actions.views import CorrectionView, PhotoView
from comedo.service.pages.reading import (
    Form,
    Wired,
    all_photos,
    first,
    front_photos,
    newest_change,
    read_document,
    see_other,
)
from comedo.service.pages.routes.compare import view_pair
from comedo.service.pages.routes.diary import gather
from comedo.service.pages.routes.reports import report_items
from comedo.service.pages.site import render, words_of
from comedo.service.pages.views.calendar import read_month
from comedo.service.pages.views.clinic import Course, view_inbox
from comedo.service.pages.views.diary import day_of, view_diary
from comedo.service.pages.views.result import Place, view_result
from comedo.service.pages.views.review import Earlier, kind_choices, read_review, view_earlier
from comedo.service.pages.words import Words
from comedo.service.parts import Parts
from comedo.service.problems import Problem

router = APIRouter()

_PHOTO_PX = 1600


@router.get("/clinic")
def inbox(request: Request, parts: Wired, actor: SignedIn) -> HTMLResponse:
    """Who lets this clinician look."""
    courses = [
        Course(
            consent,
            front_photos(all_photos(parts, actor, owner=consent.patient)),
            newest_change(parts, actor, owner=consent.patient),
        )
        for consent in consents.patients(parts, actor)
    ]
    return render(request, "inbox.html", rows=view_inbox(courses, words_of(request)))


@router.get("/clinic/{patient}")
def course(request: Request, patient: str, parts: Wired, actor: SignedIn, month: str | None = None) -> HTMLResponse:
    """A patient's course, with room for a note."""
    today = datetime.now(UTC).date()
    words, material = words_of(request), gather(parts, actor, owner=patient)
    view = view_diary(material, read_month(month, today), today, words)
    latest = next((p for p in material.photos if p.analysis is not None), None)
    items = [] if latest is None or latest.analysis is None else report_items(latest.analysis.id, words, "")
    return render(
        request,
        "patient.html",
        view=view,
        patient=patient,
        name=_name(parts, actor, patient),
        latest="" if latest is None else latest.id,
        items=items,
    )


@router.get("/clinic/{patient}/compare")
def compare(
    request: Request,
    patient: str,
    parts: Wired,
    actor: SignedIn,
    before: str | None = None,
    after: str | None = None,
) -> HTMLResponse:
    """Two photos of a patient side by side."""
    found = all_photos(parts, actor, owner=patient)
    view = view_pair(parts, actor, found, (before, after), words_of(request))
    return render(request, "compare.html", view=view, base=f"/clinic/{patient}/compare")


@router.post("/clinic/{patient}/notes")
def add_note(patient: str, parts: Wired, actor: SignedIn, form: Form) -> Response:
    """A note that the patient reads in the diary."""
    notes.add(parts, actor, first(form, "text"), owner=patient)
    return see_other(f"/clinic/{patient}", done="note")


def _name(parts: Parts, actor: Actor, patient: str) -> str:
    known = {c.patient: c.patient_email for c in consents.patients(parts, actor)}
    return known.get(patient) or patient[:8]


@router.get("/photos/{photo}/review")
def review(request: Request, photo: str, parts: Wired, actor: SignedIn) -> HTMLResponse:
    """The form over what was found."""
    return _review(request, parts, actor, photo)


@router.post("/photos/{photo}/review")
def save_review(request: Request, photo: str, parts: Wired, actor: SignedIn, form: Form) -> Response:
    """Keep the reading beside the original."""
    found = photos.get_photo(parts, actor, photo)
    analysis = _measured(found)
    try:
        corrections.correct(parts, actor, analysis, read_review(form, read_document(parts, actor, analysis)))
    except (ValueError, UnusableInput) as error:
        told = words_of(request).refuse("review", str(error))
        return _review(request, parts, actor, photo, error=told, status=422)
    return see_other(f"/photos/{photo}/review", done="reviewed")


def _review(
    request: Request, parts: Parts, actor: Actor, photo: str, *, error: str = "", status: int = 200
) -> HTMLResponse:
    words, found = words_of(request), photos.get_photo(parts, actor, photo)
    if actor.role != "clinician" and not actor.local:
        raise Problem("not_allowed", "reviews are made by clinicians")
    analysis = _measured(found)
    document = read_document(parts, actor, analysis)
    image = f"/api/v1/photos/{photo}/image?max_side={_PHOTO_PX}" if found.has_picture else ""
    place = Place(photo, image, words.day(day_of(found)), own=False)
    made = corrections.list_corrections(parts, actor, analysis)
    return render(
        request,
        "review.html",
        status=status,
        view=view_result(document, place, words),
        kinds=kind_choices(words),
        iga_levels=iga.LEVELS,
        earlier=[_earlier(parts, actor, one, words) for one in made],
        error=error,
        back=f"/photos/{photo}" if actor.local else f"/clinic/{found.owner}",
        patient=found.owner,
    )


def _measured(found: PhotoView) -> str:
    if found.analysis is None:
        raise Problem("not_ready", "the photo is not measured yet")
    return found.analysis.id


def _earlier(parts: Parts, actor: Actor, correction: CorrectionView, words: Words) -> Earlier:
    return view_earlier(corrections.get_review(parts, actor, correction.id).document, correction.created, words)
