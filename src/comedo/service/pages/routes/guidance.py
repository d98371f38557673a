"""The questionnaire, and what guidelines list for the answers."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from comedo.errors import UnusableInput
from comedo.guidance.answers import Answers, check_answers
from comedo.guidance.load import load_catalogue, load_tables
from comedo.report.advice_document import to_advice_document
from comedo.report.advise import advise
from comedo.service.accounts.actor import Actor, SignedIn
from comedo.service.actions import guidance
from comedo.service.pages.reading import Form, Wired, all_photos, front_photos, read_document, see_other
from comedo.service.pages.site import render, words_of
from comedo.service.pages.views.guidance import read_form, view_guidance, view_questions
from comedo.service.parts import Parts

router = APIRouter()


@router.get("/guidance")
def page(request: Request, parts: Wired, actor: SignedIn) -> HTMLResponse:
    """Guidance for the newest result, made anew from the latest answers in the language of the page."""
    analysis, answers = newest_analysis(parts, actor), guidance.newest_answers(parts, actor)
    if analysis is None or answers is None:
        return render(request, "guidance.html", view=None, has_photo=analysis is not None)
    words = words_of(request)
    advice = advise(read_document(parts, actor, analysis), answers.document, language=words.language)
    view = view_guidance(to_advice_document(advice), load_catalogue(words.language), words)
    return render(request, "guidance.html", view=view, has_photo=True)


@router.get("/guidance/questions")
def questions(request: Request, parts: Wired, actor: SignedIn) -> HTMLResponse:
    """The questions, with what was answered before."""
    saved = guidance.newest_answers(parts, actor)
    asked = load_tables().questions
    return _form(request, None if saved is None else check_answers(saved.document, asked))


def _form(request: Request, given: Answers | None, *, error: str = "", status: int = 200) -> HTMLResponse:
    shown = view_questions(load_tables().questions, given, load_catalogue(words_of(request).language))
    return render(request, "questions.html", status=status, questions=shown, error=error)


@router.post("/guidance/questions")
def save(request: Request, parts: Wired, actor: SignedIn, form: Form) -> Response:
    """Keep the answers, and the advice that follows from them."""
    try:
        guidance.save_answers(parts, actor, read_form(form, load_tables().questions))
    except UnusableInput as error:
        return _form(request, None, error=words_of(request).refuse("answers", str(error)), status=422)
    analysis = newest_analysis(parts, actor)
    if analysis is not None:
        guidance.advise(parts, actor, analysis, language=words_of(request).language)
    return see_other("/guidance")


def newest_analysis(parts: Parts, actor: Actor) -> str | None:
    """Of the newest measured photo, from the front where there is one."""
    photos = all_photos(parts, actor)
    found = [p.analysis.id for p in (*front_photos(photos), *photos) if p.analysis is not None]
    return next(iter(found), None)
