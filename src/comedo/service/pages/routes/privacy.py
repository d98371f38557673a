"""What is kept, who may see it, who did, and taking or erasing everything."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response

from comedo.errors import ComedoError
from comedo.service.accounts import sessions
from comedo.service.accounts.actor import Actor, SignedIn, signed_in
from comedo.service.actions import account, audit, consents, erasure
from comedo.service.actions.account import CONFIRMED_FOR, AccountChange
from comedo.service.actions.views import AuditView, ConsentView, ReceiptView
from comedo.service.database.columns import now
from comedo.service.pages.reading import Form, Wired, first, see_other
from comedo.service.pages.site import render, words_of
from comedo.service.pages.words import Words
from comedo.service.parts import Parts
from comedo.service.problems import Problem, problem_of

router = APIRouter()

_LOG_LINES = 60
_DEFAULT_DAYS = 365
_MARGIN = timedelta(minutes=1)  # a link that is shown has to work when it is clicked


@dataclass(frozen=True)
class Allowed:
    """A clinician who may look."""

    id: str
    name: str
    since: str


@dataclass(frozen=True)
class PrivacyView:
    """Everything on the page."""

    retention: str
    days: int
    consents: tuple[Allowed, ...]
    log: tuple[tuple[str, str, str], ...]
    export: str
    confirmed: bool


@router.get("/privacy")
def privacy(request: Request, parts: Wired, actor: SignedIn) -> HTMLResponse:
    """The page."""
    return _page(request, parts, actor)


def _page(request: Request, parts: Parts, actor: Actor, *, error: str = "", status: int = 200) -> HTMLResponse:
    words, own = words_of(request), account.get(parts, actor)
    given = [] if actor.local else consents.list_consents(parts, actor)
    mine = [c for c in given if c.patient == actor.account and c.withdrawn is None]
    view = PrivacyView(
        retention=own.retention,
        days=own.retention_days or _DEFAULT_DAYS,
        consents=tuple(_allowed(c, words) for c in mine),
        log=tuple(_log_line(line, actor, words) for line in audit.list_audit(parts, actor, limit=_LOG_LINES).items),
        export="/api/v1/export",
        confirmed=_is_confirmed(actor),
    )
    patient = own.role == "patient"
    return render(request, "privacy.html", status=status, view=view, error=error, patient=patient)


def _is_confirmed(actor: Actor) -> bool:
    return actor.local or (actor.confirmed_at is not None and now() - actor.confirmed_at < CONFIRMED_FOR - _MARGIN)


def _allowed(consent: ConsentView, words: Words) -> Allowed:
    name = consent.clinician_name or consent.clinician_email or ""
    return Allowed(consent.id, name, words.say("privacy.since", day=words.day(consent.given)))


def _log_line(line: AuditView, actor: Actor, words: Words) -> tuple[str, str, str]:
    who = words.say("privacy.you") if line.actor == actor.account else line.actor_name
    key = f"audit.{line.action}"
    what = words.say(key) if words.has(key) else words.say("audit.other", action=line.action)
    return f"{words.day(line.at)}, {line.at:%H:%M} UTC", who or words.say("privacy.service"), what


@router.post("/privacy/retention")
def keep(parts: Wired, actor: SignedIn, form: Form) -> Response:
    """Choose what is kept."""
    chosen, days = first(form, "retention"), first(form, "days")
    if chosen == "days" and not (days.isascii() and days.isdigit() and len(days) <= 5):
        raise Problem("invalid", "give the days as a whole number", fields={"days": "is no number"})
    wanted = AccountChange(retention=chosen, retention_days=int(days) if chosen == "days" else None)
    account.change(parts, actor, wanted)
    return see_other("/privacy", done="saved")


@router.post("/privacy/consents")
def allow(request: Request, parts: Wired, actor: SignedIn, form: Form) -> Response:
    """Let a clinician look."""
    try:
        consents.give(parts, actor, first(form, "clinician").lower())
    except ComedoError as error:
        return _told(request, parts, actor, error)
    return see_other("/privacy", done="consent")


@router.post("/privacy/consents/{consent}/withdraw")
def withdraw(consent: str, parts: Wired, actor: SignedIn) -> Response:
    """They see nothing from the next request on."""
    consents.withdraw(parts, actor, consent)
    return see_other("/privacy", done="withdrawn")


@router.post("/privacy/confirm")
def confirm(request: Request, parts: Wired, actor: SignedIn, form: Form) -> Response:
    """Give the password once more."""
    try:
        account.confirm(parts, actor, next(iter(form.get("password", ())), ""))
    except ComedoError as error:
        return _told(request, parts, actor, error)
    return see_other("/privacy")


def _told(request: Request, parts: Parts, actor: Actor, error: ComedoError) -> Response:
    problem, words = problem_of(error), words_of(request)
    if problem.status >= 500:
        raise error
    known = {"sign_in_failed": words.say("privacy.wrong"), "too_many_requests": words.say("sign.late")}
    error_text = known.get(problem.code) or words.refuse(problem.code, problem.detail)
    return _page(request, parts, actor, error=error_text, status=problem.status)


@router.get("/privacy/erase", dependencies=[Depends(signed_in)])
def erase_page(request: Request) -> HTMLResponse:
    """Ask once more."""
    return render(request, "erase.html", error="")


@router.post("/privacy/erase")
def erase(request: Request, parts: Wired, actor: SignedIn, form: Form) -> Response:
    """Erase everything and show the receipt."""
    words = words_of(request)
    if first(form, "sure") != "yes":
        return render(request, "erase.html", status=422, error=words.say("erase.not_sure"))
    try:
        receipt = erasure.erase(parts, _confirmed(parts, actor, form))
    except ComedoError as error:
        problem = problem_of(error)
        if problem.code != "sign_in_failed":
            raise
        return render(request, "erase.html", status=problem.status, error=words.say("privacy.wrong"))
    request.scope["state"]["actor"] = None  # whoever asked is nobody from here on
    answer = render(request, "receipt.html", rows=_receipt(receipt, words))
    sessions.clear_cookie(answer, parts)
    return answer


def _confirmed(parts: Parts, actor: Actor, form: Form) -> Actor:
    """The same person, proven by the password just now."""
    if actor.local:
        return actor
    account.confirm(parts, actor, next(iter(form.get("password", ())), ""))
    return replace(actor, confirmed_at=now())


def _receipt(receipt: ReceiptView, words: Words) -> list[tuple[str, str]]:
    done = (
        words.say("receipt.later") if receipt.done is None else f"{words.day(receipt.done)}, {receipt.done:%H:%M} UTC"
    )
    rows = [(words.say("receipt.id"), receipt.id), (words.say("receipt.done"), done)]
    return rows + [(_removed(name, words), str(n)) for name, n in receipt.removed.items()]


def _removed(name: str, words: Words) -> str:
    key = f"receipt.{name}"
    return words.say(key) if words.has(key) else name.replace("_", " ")
