"""Filling a fresh store: two accounts, a series with treatment and notes, answers, and consent to the clinician."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from comedo.pipeline import Analyzer
from comedo.service.accounts import sessions
from comedo.service.accounts.actor import Actor
from comedo.service.actions import consents, guidance, notes, photos, treatments, visits
from comedo.service.actions.photos import Upload
from comedo.service.actions.treatments import TreatmentIn
from comedo.service.admin import add_clinician
from comedo.service.demo.photos import DemoPhoto
from comedo.service.parts import Parts
from comedo.service.work.worker import work_once

PATIENT, CLINICIAN = "robin@demo.example", "doctor@demo.example"
PASSWORD = "rendered faces only"
TREATMENT = "Adapalene and benzoyl peroxide"
ANSWERS: dict[str, object] = {
    "age": 24,
    "sex": "female",
    "pregnancy": "not_possible",
    "breast_feeding": "no",
    "allergies": [],
    "conditions": [],
    "skin_type": "combination",
    "sun": "sometimes_burns",
    "distress": "some",
    "scars": ["dark_marks"],
    "red_flags": [],
}


@dataclass(frozen=True)
class Demo:
    """Who is in the store."""

    patient: Actor
    clinician: str  # account


def fill(parts: Parts, analyzer: Analyzer, series: Iterable[DemoPhoto]) -> Demo:
    """Fill a store that is empty; everything passes the same actions as a person's clicks.

    Raises:
        Problem: There is such an account already.
    """
    opened = sessions.sign_up(parts, PATIENT, PASSWORD, locale="en", address=None)
    clinician = add_clinician(parts.storage, CLINICIAN, "Dr. Ada Demo", "en", PASSWORD)
    patient = Actor(account=opened.account.id, role="patient", via="cookie")
    shown = sorted(series, key=lambda photo: photo.when)
    for photo in _uploads(parts, patient, shown):
        photos.upload(parts, patient, photo)
    began = shown[0].when.date() + timedelta(days=1)
    treatments.add(parts, patient, TreatmentIn(TREATMENT, began))
    notes.add(parts, patient, "Skin dry around the nose, used more moisturiser.")
    guidance.save_answers(parts, patient, ANSWERS | {"treatments": [_in_use(began)]})
    consents.give(parts, patient, CLINICIAN)
    while work_once(parts, analyzer, "demo"):
        pass
    return Demo(patient, clinician)


def _in_use(began: date) -> dict[str, object]:
    weeks = (datetime.now(UTC).date() - began).days // 7
    return {"what": "topical_retinoid", "weeks": weeks, "now": "yes", "helped": "yes"}


def _uploads(parts: Parts, patient: Actor, shown: list[DemoPhoto]) -> Iterable[list[Upload]]:
    """One batch a sitting; several sides of one share a visit."""
    for when in dict.fromkeys(photo.when for photo in shown):
        sides = [photo for photo in shown if photo.when == when]
        visit = visits.add(parts, patient, taken_at=when).id if len(sides) > 1 else None
        yield [Upload(p.jpeg, view=p.view, taken_at=when, mirrored=False, visit=visit) for p in sides]
