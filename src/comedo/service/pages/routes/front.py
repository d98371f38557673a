"""The way in: start page, signing in and up, the start link of a single user, language and theme."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from comedo.errors import ComedoError
from comedo.service.accounts import sessions
from comedo.service.accounts.actor import MaybeSignedIn, SignedIn, signed_in
from comedo.service.pages.reading import Form, Wired, address_of, first, own_path, see_other
from comedo.service.pages.site import LANGUAGE_COOKIE, THEME_COOKIE, THEMES, home_of, render, words_of
from comedo.service.pages.words import LANGUAGES
from comedo.service.problems import problem_of

router = APIRouter()

_YEAR_S = 365 * 24 * 3600


@router.get("/")
def start(request: Request, actor: MaybeSignedIn) -> Response:
    """What it is and is not; whoever is signed in goes on."""
    return render(request, "start.html") if actor is None else RedirectResponse(home_of(actor), 303)


@router.get("/about")
def about(request: Request) -> HTMLResponse:
    """How it works."""
    return render(request, "about.html")


@router.get("/more", dependencies=[Depends(signed_in)])
def more(request: Request) -> HTMLResponse:
    """What the bar of a phone has no room for."""
    return render(request, "more.html")


@router.get("/start")
def open_link(request: Request) -> HTMLResponse:
    """Where the start link of a single user leads: its secret stands after the #, which no server sees."""
    return render(request, "opening.html")


@router.get("/sign-in")
def sign_in_page(request: Request, actor: MaybeSignedIn) -> Response:
    """The form."""
    return _form(request, up=False) if actor is None else RedirectResponse(home_of(actor), 303)


@router.get("/sign-up")
def sign_up_page(request: Request, actor: MaybeSignedIn) -> Response:
    """The form."""
    return _form(request, up=True) if actor is None else RedirectResponse(home_of(actor), 303)


def _form(request: Request, *, up: bool, error: str = "", email: str = "", status: int = 200) -> HTMLResponse:
    after = own_path(request.query_params.get("next", "/"))
    return render(request, "sign.html", status=status, up=up, error=error, email=email, next=after)


@router.post("/sign-in")
def sign_in(request: Request, parts: Wired, form: Form) -> Response:
    """Open a session, or say in one sentence why not."""
    email = first(form, "email").lower()
    try:
        opened = sessions.sign_in(parts, email, _password(form), address=address_of(request))
    except ComedoError as error:
        return _refused(request, error, up=False, email=email)
    return _opened(parts, opened, own_path(first(form, "next")))


@router.post("/sign-up")
def sign_up(request: Request, parts: Wired, form: Form) -> Response:
    """Make an account and open a session."""
    email, words = first(form, "email").lower(), words_of(request)
    try:
        opened = sessions.sign_up(parts, email, _password(form), locale=words.language, address=address_of(request))
    except ComedoError as error:
        return _refused(request, error, up=True, email=email)
    return _opened(parts, opened, "/diary")


def _password(form: Form) -> str:
    return next(iter(form.get("password", ())), "")  # as typed, blanks and all


def _opened(parts: Wired, opened: sessions.Opened, path: str) -> Response:
    answer = see_other(path)
    sessions.set_cookie(answer, parts, opened)
    return answer


def _refused(request: Request, error: ComedoError, *, up: bool, email: str) -> Response:
    problem, words = problem_of(error), words_of(request)
    if problem.status >= 500:
        raise error
    told = {"sign_in_failed": words.say("sign.wrong"), "too_many_requests": words.say("sign.late")}
    said = told.get(problem.code) or words.refuse(problem.code, problem.detail)
    return _form(request, up=up, error=said, email=email, status=problem.status)


@router.post("/sign-out")
def sign_out(parts: Wired, actor: SignedIn) -> Response:
    """End the session here and on the server."""
    sessions.sign_out(parts, actor)
    answer = see_other("/")
    sessions.clear_cookie(answer, parts)
    return answer


@router.post("/display")
def display(form: Form, parts: Wired) -> Response:
    """Remember language and theme in this browser."""
    answer = see_other(own_path(first(form, "back")))
    for name, known in ((THEME_COOKIE, THEMES), (LANGUAGE_COOKIE, LANGUAGES)):
        value = first(form, name)
        if value in known:
            answer.set_cookie(name, value, max_age=_YEAR_S, samesite="lax", httponly=True, secure=parts.secure)
    return answer
