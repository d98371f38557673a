"""Routes of the diary: visits, change over time, treatments, answers, advice, notes, and everything at once."""

from __future__ import annotations

from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Body, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import Field

from comedo.service.accounts.actor import SignedIn
from comedo.service.actions import exports, guidance, notes, series, treatments, visits
from comedo.service.actions.reports import File
from comedo.service.actions.treatments import TreatmentIn
from comedo.service.actions.views import (
    AdviceView,
    AnswersView,
    ChangeView,
    JobView,
    NoteView,
    Page,
    Side,
    TreatmentView,
    VisitView,
)
from comedo.service.api.answers import download
from comedo.service.api.common import (
    Cursor,
    Day,
    Id,
    Limit,
    LongText,
    Moment,
    OwnerQuery,
    RowId,
    Sent,
    ShortText,
    TheParts,
    example,
    files,
)
from comedo.service.api.photos import IdQuery, Wait, wait_for_job
from comedo.service.security.gate import API
from comedo.service.security.web import FILE_POLICY

router = APIRouter(prefix=API)
Language = Annotated[str, Query(pattern="^[a-z]{2}$")]
Answered = Annotated[dict[str, Any], Body(examples=[{"age": 24, "pregnancy": "not_possible", "allergies": []}])]


class NewVisit(Sent):
    """When the photos were taken; null: now."""

    model_config = example(taken_at="2026-03-01T08:00:00Z")

    taken_at: Moment | None = None


class NewChange(Sent):
    """Which photos to compare; null: all of the view that were analysed (view null: photos without one)."""

    model_config = example(view="front", treatment_start="2026-03-01")

    photos: Annotated[list[RowId], Field(min_length=2, max_length=series.MOST_PHOTOS)] | None = None
    view: Side | None = None
    treatment_start: Day | None = None


class NewTreatment(Sent):
    """A treatment with its days; `ended` null: still in use."""

    model_config = example(name="benzoyl peroxide 5 %", started="2026-03-01", note="in the evening")

    name: Annotated[ShortText, Field(min_length=1, examples=["benzoyl peroxide 5 %"])]
    started: Day
    ended: Day | None = None
    note: LongText | None = None


class NewAdvice(Sent):
    """On which analysis, by which answers; null: the latest."""

    model_config = example(analysis="3f0c9a1e5b7d4c2f8e6a0b1c2d3e4f50", language="en")

    analysis: RowId
    answers: RowId | None = None
    language: Annotated[str, Field(pattern="^[a-z]{2}$")] = "en"


class NewNote(Sent):
    """A text about a person or one photo."""

    model_config = example(text="calmer than last week")

    text: Annotated[LongText, Field(min_length=1)]
    owner: RowId | None = None
    photo: RowId | None = None


@router.get("/visits", tags=["diary"])
def list_visits(
    parts: TheParts, actor: SignedIn, owner: OwnerQuery = None, limit: Limit = 20, cursor: Cursor = None
) -> Page[VisitView]:
    """Visits with their photos, newest first."""
    return visits.list_visits(parts, actor, owner=owner, limit=limit, cursor=cursor)


@router.post("/visits", status_code=201, tags=["diary"])
def add_visit(parts: TheParts, actor: SignedIn, sent: NewVisit) -> VisitView:
    """Begin a visit; photos name it when they are sent."""
    return visits.add(parts, actor, taken_at=sent.taken_at)


@router.get("/visits/{visit}", tags=["diary"])
def get_visit(parts: TheParts, actor: SignedIn, visit: Id) -> VisitView:
    """One visit."""
    return visits.get_visit(parts, actor, visit)


@router.delete("/visits/{visit}", status_code=204, tags=["diary"])
def delete_visit(parts: TheParts, actor: SignedIn, visit: Id) -> None:
    """Remove a visit; its photos stay."""
    visits.delete(parts, actor, visit)


@router.get("/changes", tags=["diary"])
def list_changes(
    parts: TheParts,
    actor: SignedIn,
    owner: OwnerQuery = None,
    view: Side | None = None,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> Page[ChangeView]:
    """Comparisons over time, newest first; one is made by itself after each analysis."""
    return series.list_changes(parts, actor, owner=owner, view=view, limit=limit, cursor=cursor)


@router.post("/changes", status_code=202, tags=["diary"])
async def start_change(
    request: Request, parts: TheParts, actor: SignedIn, sent: NewChange, prefer: Wait = None
) -> JobView:
    """Compare photos over time; the answer is the job."""
    job = await to_thread.run_sync(
        lambda: series.start_change(parts, actor, sent.photos, view=sent.view, treatment_start=sent.treatment_start)
    )
    return await wait_for_job(request, parts, actor, job.id, prefer) or job


@router.get("/changes/{change}", tags=["diary"])
def get_change(parts: TheParts, actor: SignedIn, change: Id) -> ChangeView:
    """One comparison with its document."""
    return series.get_change(parts, actor, change)


@router.get("/changes/{change}/ledger", tags=["diary"], response_class=Response, responses=files("text/csv"))
def get_ledger(parts: TheParts, actor: SignedIn, change: Id) -> Response:
    """The lesions of a comparison as CSV: one row a lesion, one column a photo."""
    text = series.ledger_csv(parts, actor, change)
    return download(File("comedo-ledger.csv", "text/csv", text.encode("utf-8", "replace")))


@router.get("/treatments", tags=["diary"])
def list_treatments(parts: TheParts, actor: SignedIn, owner: OwnerQuery = None) -> list[TreatmentView]:
    """Treatments, the latest begun first."""
    return treatments.list_treatments(parts, actor, owner=owner)


@router.post("/treatments", status_code=201, tags=["diary"])
def add_treatment(parts: TheParts, actor: SignedIn, sent: NewTreatment) -> TreatmentView:
    """Keep a treatment."""
    return treatments.add(parts, actor, TreatmentIn(**sent.model_dump()))


@router.put("/treatments/{treatment}", tags=["diary"])
def change_treatment(parts: TheParts, actor: SignedIn, treatment: Id, sent: NewTreatment) -> TreatmentView:
    """Say a treatment anew."""
    return treatments.change(parts, actor, treatment, TreatmentIn(**sent.model_dump()))


@router.delete("/treatments/{treatment}", status_code=204, tags=["diary"])
def delete_treatment(parts: TheParts, actor: SignedIn, treatment: Id) -> None:
    """Forget a treatment."""
    treatments.delete(parts, actor, treatment)


@router.get("/questions", tags=["guidance"])
def list_questions(_: SignedIn, language: Language = "en") -> list[dict[str, Any]]:
    """The questions that filter the advice, with the answers that each takes."""
    return guidance.questions(language)


@router.get("/answers", tags=["guidance"])
def get_answers(parts: TheParts, actor: SignedIn, owner: OwnerQuery = None) -> AnswersView | None:
    """The latest answers; null: nothing was answered."""
    return guidance.newest_answers(parts, actor, owner=owner)


@router.post("/answers", status_code=201, tags=["guidance"])
def save_answers(parts: TheParts, actor: SignedIn, sent: Answered) -> AnswersView:
    """Keep answers; the fields are those of GET /questions, and what is left out counts as the cautious answer."""
    return guidance.save_answers(parts, actor, sent)


@router.get("/advice", tags=["guidance"])
def list_advice(
    parts: TheParts, actor: SignedIn, owner: OwnerQuery = None, limit: Limit = 20, cursor: Cursor = None
) -> Page[AdviceView]:
    """Advice, newest first."""
    return guidance.list_advice(parts, actor, owner=owner, limit=limit, cursor=cursor)


@router.post("/advice", status_code=201, tags=["guidance"])
def make_advice(parts: TheParts, actor: SignedIn, sent: NewAdvice) -> AdviceView:
    """What guidelines list for an analysis, filtered by the answers; no diagnosis, no prescription."""
    return guidance.advise(parts, actor, sent.analysis, answers=sent.answers, language=sent.language)


@router.get("/advice/{advice}", tags=["guidance"])
def get_advice(parts: TheParts, actor: SignedIn, advice: Id) -> AdviceView:
    """One advice with its document."""
    return guidance.get_advice(parts, actor, advice)


@router.get("/notes", tags=["diary"])
def list_notes(
    parts: TheParts,
    actor: SignedIn,
    owner: OwnerQuery = None,
    photo: IdQuery = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[NoteView]:
    """Notes, newest first."""
    return notes.list_notes(parts, actor, owner=owner, photo=photo, limit=limit, cursor=cursor)


@router.post("/notes", status_code=201, tags=["diary"])
def add_note(parts: TheParts, actor: SignedIn, sent: NewNote) -> NoteView:
    """Keep a note."""
    return notes.add(parts, actor, sent.text, owner=sent.owner, photo=sent.photo)


@router.delete("/notes/{note}", status_code=204, tags=["diary"])
def delete_note(parts: TheParts, actor: SignedIn, note: Id) -> None:
    """Remove a note."""
    notes.delete(parts, actor, note)


@router.get("/export", tags=["people"], response_class=StreamingResponse, responses=files("application/zip"))
def export(parts: TheParts, actor: SignedIn) -> StreamingResponse:
    """Everything of yours in one archive."""
    headers = {
        "Content-Disposition": 'attachment; filename="comedo-export.zip"',
        "Content-Security-Policy": FILE_POLICY,
    }
    return StreamingResponse(exports.export_zip(parts, actor), media_type="application/zip", headers=headers)
