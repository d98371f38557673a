"""Signing in and programs: a new password, a code for who forgot theirs, and tokens for programs."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from comedo.errors import ComedoError
from comedo.service.accounts import resets, sessions, tokens
from comedo.service.accounts.actor import Actor, Scope, SignedIn
from comedo.service.actions import account
from comedo.service.actions.views import TokenView
from comedo.service.pages.reading import Form, Wired, address_of, first, see_other
from comedo.service.pages.site import render, words_of
from comedo.service.pages.words import Words
from comedo.service.parts import Parts
from comedo.service.problems import Problem, problem_of

router = APIRouter()

_MOST_DAYS = 3650
_MOST_NAME = 100


@dataclass(frozen=True)
class TokenRow:
    """One token, without its secret."""

    id: str
    name: str
    scopes: str
    text: str


@router.get("/account")
def page(request: Request, parts: Wired, actor: SignedIn) -> HTMLResponse:
    """Password and tokens."""
    return _page(request, parts, actor)


def _page(
    request: Request, parts: Parts, actor: Actor, *, error: str = "", secret: str = "", status: int = 200
) -> HTMLResponse:
    words = words_of(request)
    rows = [_row(token, words) for token in tokens.list_tokens(parts, actor)]
    return render(
        request,
        "account.html",
        status=status,
        tokens=rows,
        scopes=[scope.value for scope in Scope],
        secret=secret,
        error=error,
        local=actor.local,
        most_days=_MOST_DAYS,
    )


def _row(token: TokenView, words: Words) -> TokenRow:
    used = words.say("account.unused") if token.used is None else words.say("account.used", day=words.day(token.used))
    until = token.expires
    ends = words.say("account.endless") if until is None else words.say("account.until", day=words.day(until))
    scopes = ", ".join(words.say(f"scope.{scope.value}.name") for scope in token.scopes)
    return TokenRow(token.id, token.name, scopes, f"{ends}, {used}")


@router.post("/account/password")
def change_password(request: Request, parts: Wired, actor: SignedIn, form: Form) -> Response:
    """Set a new password; other browsers are signed out."""
    try:
        account.change_password(parts, actor, _typed(form, "current"), _typed(form, "new"))
    except ComedoError as error:
        return _told(request, parts, actor, error)
    return see_other("/account", done="password")


def _typed(form: Form, name: str) -> str:
    return next(iter(form.get(name, ())), "")  # blanks and all


@router.post("/account/tokens")
def make_token(request: Request, parts: Wired, actor: SignedIn, form: Form) -> Response:
    """Make a token; only this answer shows its secret."""
    try:
        made = tokens.make(parts, actor, _name(form), _scopes(form), expires_in_days=_days(form))
    except ComedoError as error:
        return _told(request, parts, actor, error)
    return _page(request, parts, actor, secret=made.token)


def _name(form: Form) -> str:
    name = first(form, "name")
    if not 1 <= len(name) <= _MOST_NAME:
        raise Problem("invalid", "give the token a name", fields={"name": "is missing"})
    return name


def _scopes(form: Form) -> list[Scope]:
    chosen = [Scope(scope) for scope in form.get("scope", ()) if scope in set(Scope)]
    if not chosen:
        raise Problem("invalid", "choose what the token may do", fields={"scope": "is missing"})
    return chosen


def _days(form: Form) -> int | None:
    text = first(form, "days")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:5]) <= _MOST_DAYS):
        raise Problem("invalid", "give the days as a whole number", fields={"days": "is no number"})
    return int(text[:5])


@router.post("/account/tokens/{token}/revoke")
def revoke_token(token: str, parts: Wired, actor: SignedIn) -> Response:
    """It no longer works."""
    tokens.revoke(parts, actor, token)
    return see_other("/account", done="revoked")


def _told(request: Request, parts: Parts, actor: Actor, error: ComedoError) -> Response:
    problem, words = problem_of(error), words_of(request)
    if problem.status >= 500 or problem.status == 404:
        raise error
    known = {"sign_in_failed": words.say("privacy.wrong"), "too_many_requests": words.say("sign.late")}
    said = known.get(problem.code) or words.refuse(problem.code, problem.detail)
    return _page(request, parts, actor, error=said, status=problem.status)


@router.get("/reset")
def reset_page(request: Request) -> HTMLResponse:
    """The form for a code, and how to get one."""
    return render(request, "reset.html", error="", email="")


@router.post("/reset")
def reset(request: Request, parts: Wired, form: Form) -> Response:
    """Set a new password by a code, and sign in with it."""
    email, password, words = first(form, "email").lower(), _typed(form, "password"), words_of(request)
    try:
        resets.use_code(parts, email, first(form, "code"), password, address=address_of(request))
        opened = sessions.sign_in(parts, email, password, address=address_of(request))
    except ComedoError as error:
        problem = problem_of(error)
        if problem.status >= 500:
            raise
        known = {"sign_in_failed": words.say("reset.wrong"), "too_many_requests": words.say("sign.late")}
        said = known.get(problem.code) or words.refuse(problem.code, problem.detail)
        return render(request, "reset.html", status=problem.status, error=said, email=email)
    answer = see_other("/")
    sessions.set_cookie(answer, parts, opened)
    return answer
