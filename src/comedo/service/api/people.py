"""Routes of people: accounts, sessions, tokens, consent, the audit log."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from pydantic import Field

from comedo.service.accounts import sessions, tokens
from comedo.service.accounts.actor import Scope, SignedIn
from comedo.service.actions import account, audit, consents, erasure
from comedo.service.actions.views import (
    AccountView,
    AuditView,
    ConsentView,
    Page,
    ReceiptView,
    TokenMade,
    TokenView,
)
from comedo.service.api.common import Cursor, Email, Id, Limit, Sent, ShortText, TheParts, example
from comedo.service.parts import Parts
from comedo.service.security.gate import API

router = APIRouter(prefix=API, tags=["people"])
Password = Annotated[str, Field(max_length=256, examples=["several plain words, please"])]


class SignUp(Sent):
    """A new patient's account; clinicians' are made by the administrator."""

    email: Email
    password: Password
    locale: Annotated[str, Field(pattern="^[a-z]{2}$")] = "en"


class SignIn(Sent):
    """Who signs in."""

    email: Email
    password: Password


class StartToken(Sent):
    """The token of the link that `comedo serve` shows."""

    model_config = example(token="the-part-of-the-link-after-its-hash")

    token: Annotated[str, Field(max_length=200)]


class PasswordOnly(Sent):
    """The password once more."""

    password: Password


class NewPassword(Sent):
    """The password that holds, and the one that shall."""

    current: Password
    new: Password


class AccountChanges(Sent):
    """What to change; what is left out stays."""

    model_config = example(locale="de", retention="days", retention_days=365)

    locale: Annotated[str, Field(pattern="^[a-z]{2}$")] | None = None
    retention: Literal["keep", "without_photos", "days"] | None = None
    retention_days: Annotated[int, Field(ge=account.RETENTION_DAYS[0], le=account.RETENTION_DAYS[-1])] | None = None


class NewToken(Sent):
    """What a token may do, and how long."""

    model_config = example(name="my phone", scopes=["read", "write"], expires_in_days=365)

    name: Annotated[ShortText, Field(min_length=1)]
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=len(Scope))]
    expires_in_days: Annotated[int, Field(ge=1, le=3650)] | None = 365


class NewConsent(Sent):
    """The clinician who may look."""

    clinician_email: Email


def _address(request: Request) -> str | None:
    return None if request.client is None else request.client.host


def _signed_in(response: Response, parts: Parts, opened: sessions.Opened) -> AccountView:
    sessions.set_cookie(response, parts, opened)
    return account.account_view(opened.account)


@router.post("/accounts", status_code=201)
def sign_up(parts: TheParts, request: Request, response: Response, sent: SignUp) -> AccountView:
    """Make an account and sign in; where the service has accounts."""
    opened = sessions.sign_up(parts, sent.email, sent.password, locale=sent.locale, address=_address(request))
    return _signed_in(response, parts, opened)


@router.post("/sessions")
def sign_in(parts: TheParts, request: Request, response: Response, sent: SignIn) -> AccountView:
    """Sign in: the answer sets a cookie."""
    return _signed_in(response, parts, sessions.sign_in(parts, sent.email, sent.password, address=_address(request)))


@router.post("/sessions/start")
def start(parts: TheParts, response: Response, sent: StartToken) -> AccountView:
    """Open a service without accounts by its start link, which works once."""
    return _signed_in(response, parts, sessions.start(parts, sent.token))


@router.post("/sessions/confirm", status_code=204)
def confirm(parts: TheParts, actor: SignedIn, sent: PasswordOnly) -> None:
    """Give the password once more; exporting and erasing everything want it."""
    account.confirm(parts, actor, sent.password)


@router.delete("/sessions/current", status_code=204)
def sign_out(parts: TheParts, actor: SignedIn, response: Response) -> None:
    """Sign out."""
    sessions.sign_out(parts, actor)
    sessions.clear_cookie(response, parts)


@router.get("/account")
def get_account(parts: TheParts, actor: SignedIn) -> AccountView:
    """Your account."""
    return account.get(parts, actor)


@router.patch("/account")
def change_account(parts: TheParts, actor: SignedIn, sent: AccountChanges) -> AccountView:
    """Change language and retention."""
    return account.change(parts, actor, account.AccountChange(**sent.model_dump()))


@router.put("/account/password", status_code=204)
def change_password(parts: TheParts, actor: SignedIn, sent: NewPassword) -> None:
    """Set a new password; every other session ends."""
    account.change_password(parts, actor, sent.current, sent.new)


@router.delete("/account")
def erase(parts: TheParts, actor: SignedIn, response: Response) -> ReceiptView:
    """Erase everything: photos, results, account and key. The answer is the receipt."""
    receipt = erasure.erase(parts, actor)
    sessions.clear_cookie(response, parts)
    return receipt


@router.get("/tokens")
def list_tokens(parts: TheParts, actor: SignedIn) -> list[TokenView]:
    """Your API tokens, without their secrets."""
    return tokens.list_tokens(parts, actor)


@router.post("/tokens", status_code=201)
def make_token(parts: TheParts, actor: SignedIn, sent: NewToken) -> TokenMade:
    """Make an API token; only this answer shows its secret."""
    return tokens.make(parts, actor, sent.name, sent.scopes, expires_in_days=sent.expires_in_days)


@router.delete("/tokens/{token}", status_code=204)
def revoke_token(parts: TheParts, actor: SignedIn, token: Id) -> None:
    """Revoke a token at once."""
    tokens.revoke(parts, actor, token)


@router.get("/consents")
def list_consents(parts: TheParts, actor: SignedIn) -> list[ConsentView]:
    """Whom you let look, and, for clinicians, who lets you."""
    return consents.list_consents(parts, actor)


@router.post("/consents", status_code=201)
def give_consent(parts: TheParts, actor: SignedIn, sent: NewConsent) -> ConsentView:
    """Let a clinician look at everything of yours."""
    return consents.give(parts, actor, sent.clinician_email)


@router.delete("/consents/{consent}", status_code=204)
def withdraw_consent(parts: TheParts, actor: SignedIn, consent: Id) -> None:
    """Withdraw a consent; it ends at once."""
    consents.withdraw(parts, actor, consent)


@router.get("/patients")
def list_patients(parts: TheParts, actor: SignedIn) -> list[ConsentView]:
    """The patients who let you look; for clinicians."""
    return consents.patients(parts, actor)


@router.get("/audit")
def list_audit(parts: TheParts, actor: SignedIn, limit: Limit = 50, cursor: Cursor = None) -> Page[AuditView]:
    """Who did what to your data, newest first."""
    return audit.list_audit(parts, actor, limit=limit, cursor=cursor)
