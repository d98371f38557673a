"""The diary, and what a person adds to it: treatments and notes."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from comedo.service.accounts.actor import Actor, SignedIn
from comedo.service.actions import notes, photos, series, treatments
from comedo.service.actions.photos import PhotoChange
from comedo.service.actions.treatments import TreatmentIn
from comedo.service.database.columns import now
from comedo.service.pages.reading import Form, Wired, all_photos, day_of, first, front_photos, newest_change, see_other
from comedo.service.pages.site import render, words_of
from comedo.service.pages.views.calendar import read_month
from comedo.service.pages.views.diary import Material, view_diary
from comedo.service.parts import Parts
from comedo.service.problems import Problem, absent

router = APIRouter()


@router.get("/diary")
def diary(request: Request, parts: Wired, actor: SignedIn, month: str | None = None) -> HTMLResponse:
    """The person's own course."""
    today = datetime.now(UTC).date()
    view = view_diary(gather(parts, actor), read_month(month, today), today, words_of(request))
    return render(request, "diary.html", view=view)


def gather(parts: Parts, actor: Actor, *, owner: str | None = None) -> Material:
    """What a diary is made of: one's own, or that of a patient who lets a clinician look."""
    return Material(
        photos=front_photos(all_photos(parts, actor, owner=owner)),
        change=newest_change(parts, actor, owner=owner),
        treatments=treatments.list_treatments(parts, actor, owner=owner),
        notes=notes.list_notes(parts, actor, owner=owner, limit=30).items,
        reader=actor.account,
        own=owner is None,
    )


@router.post("/diary/baseline")
def choose_baseline(parts: Wired, actor: SignedIn, form: Form) -> Response:
    """Compare what came later with this photo."""
    photo = first(form, "photo")
    if not photo:
        raise Problem("invalid", "choose a photo", fields={"photo": "is missing"})
    series.choose_baseline(parts, actor, photo)
    return see_other("/diary", done="baseline")


@router.post("/photos/{photo}/mirrored")
def answer_mirrored(photo: str, parts: Wired, actor: SignedIn, form: Form) -> Response:
    """What its owner says of a photo that looks mirrored; only a yes flips it, and only for comparisons."""
    mirrored = first(form, "mirrored") == "yes"
    photos.change_photo(parts, actor, photo, PhotoChange(frozenset({"mirrored"}), mirrored=mirrored))
    return see_other("/diary", done="flipped" if mirrored else "not_flipped")


@router.post("/treatments")
def add_treatment(parts: Wired, actor: SignedIn, form: Form) -> Response:
    """Note a treatment."""
    started = day_of(first(form, "started"), "started")
    treatments.add(parts, actor, TreatmentIn(first(form, "name"), started))
    return see_other("/diary", done="treatment")


@router.post("/treatments/{treatment}/end")
def end_treatment(treatment: str, parts: Wired, actor: SignedIn) -> Response:
    """It is no longer used, from today on."""
    mine = next((t for t in treatments.list_treatments(parts, actor) if t.id == treatment), None)
    if mine is None:
        raise absent("treatment")
    ended = max(now().date(), mine.started)
    treatments.change(parts, actor, treatment, TreatmentIn(mine.name, mine.started, ended, mine.note))
    return see_other("/diary", done="saved")


@router.post("/treatments/{treatment}/delete")
def delete_treatment(treatment: str, parts: Wired, actor: SignedIn) -> Response:
    """It was noted by mistake."""
    treatments.delete(parts, actor, treatment)
    return see_other("/diary", done="saved")


@router.post("/notes")
def add_note(parts: Wired, actor: SignedIn, form: Form) -> Response:
    """Note something."""
    notes.add(parts, actor, first(form, "text"))
    return see_other("/diary", done="note")


@router.post("/notes/{note}/delete")
def delete_note(note: str, parts: Wired, actor: SignedIn) -> Response:
    """Remove a note."""
    notes.delete(parts, actor, note)
    return see_other("/diary", done="saved")
