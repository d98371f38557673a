"""What every page shares: templates, texts, the addresses of static files, and the frame around the page."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from comedo.service.accounts.actor import Actor, maybe_signed_in
from comedo.service.pages.words import LANGUAGES, Words, choose_language, load_words
from comedo.service.parts import Parts

FOLDER = Path(str(files("comedo.service")))
STATIC = FOLDER / "static"
THEMES = ("light", "dark")
THEME_COOKIE, LANGUAGE_COOKIE = "theme", "language"
_NAMES = {"en": "English", "de": "Deutsch"}


@dataclass(frozen=True)
class Tab:
    """A place in the navigation: `main` is drawn as the round button, `tab` stands in the bar of a phone."""

    href: str
    text: str
    icon: str
    main: bool = False
    tab: bool = True
    here: bool = False


_PATIENT = (
    Tab("/diary", "nav.diary", "diary"),
    Tab("/compare", "nav.compare", "compare"),
    Tab("/capture", "nav.capture", "camera", main=True),
    Tab("/guidance", "nav.guidance", "guidance"),
    Tab("/reports", "nav.reports", "report", tab=False),
    Tab("/privacy", "nav.privacy", "privacy", tab=False),
    Tab("/more", "nav.more", "more"),
)
_CLINICIAN = (Tab("/clinic", "nav.clinic", "inbox"), Tab("/privacy", "nav.account", "user"))


@dataclass(frozen=True)
class Message:
    """A line at the top of a page, about what was just done."""

    tone: str
    text: str


@dataclass(frozen=True)
class Frame:
    """The frame around a page."""

    path: str
    theme: str | None
    languages: tuple[tuple[str, str], ...]
    accounts: bool
    signed_in: bool
    home: str
    tabs: tuple[Tab, ...]
    messages: tuple[Message, ...]


@cache
def static_href(name: str) -> str:
    """The address of a static file; it changes with the content, so that it can be cached for good."""
    return f"/static/{name}?v={hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]}"


@cache
def templates() -> Environment:
    """The templates; a name that nothing fills is an error."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["static"] = static_href
    return environment


def words_of(request: Request) -> Words:
    """The texts in the language of a request."""
    wanted = request.cookies.get(LANGUAGE_COOKIE)
    return load_words(choose_language(wanted, request.headers.get("accept-language", "")))


def home_of(actor: Actor | None) -> str:
    """The first page of a person."""
    if actor is None:
        return "/"
    return "/clinic" if actor.role == "clinician" else "/diary"


def frame_of(request: Request, words: Words) -> Frame:
    """The frame for who asks; a message is named by its key in the address, `?done=privacy.saved`."""
    actor = maybe_signed_in(request)
    parts: Parts = request.app.state.parts
    theme = request.cookies.get(THEME_COOKIE)
    done = f"done.{request.query_params.get('done', '')}"
    path = request.url.path
    return Frame(
        path=path,
        theme=theme if theme in THEMES else None,
        languages=tuple((language, _NAMES[language]) for language in LANGUAGES),
        accounts=parts.settings.accounts,
        signed_in=actor is not None,
        home=home_of(actor),
        tabs=_tabs(actor, path),
        messages=(Message("good", words.say(done)),) if words.has(done) else (),
    )


def _tabs(actor: Actor | None, path: str) -> tuple[Tab, ...]:
    if actor is None:
        return ()
    tabs: Sequence[Tab] = _CLINICIAN if actor.role == "clinician" else _PATIENT
    return tuple(
        Tab(t.href, t.text, t.icon, t.main, t.tab, here=path == t.href or path.startswith(f"{t.href}/")) for t in tabs
    )


def render(request: Request, template: str, *, status: int = 200, **values: object) -> HTMLResponse:
    """A page in the language of its reader."""
    words = words_of(request)
    text = templates().get_template(template).render(t=words, frame=frame_of(request, words), **values)
    return HTMLResponse(text, status)
