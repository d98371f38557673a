"""Where each photo of a diary stands in the comparison: what it is compared with, whether it can be, and why not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from comedo.progress.values import View
from comedo.report.change_document import ChangeDocument, VisitPart
from comedo.service.actions.stored import name_of
from comedo.service.actions.views import PhotoView
from comedo.service.pages.views.result import advice_of
from comedo.service.pages.words import Words
from comedo.types import Verdict

_TONES = {
    "baseline": "plain",
    "earlier": "plain",
    "comparable": "good",
    "flipped": "good",
    "differs": "fair",
    "poor": "poor",
    "refused": "poor",
}


@dataclass(frozen=True)
class Standing:
    """One photo: a word with its tone, and what lies behind it."""

    word: str
    tone: str
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Flip:
    """A photo that looks mirrored, about which its owner is asked."""

    photo: str
    question: str


def standings(
    photos: Sequence[PhotoView], change: ChangeDocument | None, words: Words
) -> Mapping[str, Standing | None]:
    """By photo; None: not measured, or the comparison that holds it is still being made."""
    parts = {} if change is None else parts_by_photo(change)
    start = next((p for p in photos if p.baseline), None)
    return {photo.id: _standing(photo, start, change, parts, words) for photo in photos}


def parts_by_photo(change: ChangeDocument) -> Mapping[str, VisitPart]:
    """By the name of a photo in documents."""
    return {part.name: part for part in change.photos}


def _standing(
    photo: PhotoView,
    start: PhotoView | None,
    change: ChangeDocument | None,
    parts: Mapping[str, VisitPart],
    words: Words,
) -> Standing | None:
    part = parts.get(name_of(photo))
    if photo.analysis is None:
        return None
    if part is None or change is None:
        earlier = start is not None and _day(photo) <= _day(start) and photo is not start
        return _named("earlier", words) if earlier else None
    if part is change.photos[0]:
        return _named("baseline", words)
    if part.view is not View.COMPARABLE:
        return _named("refused", words, words.tell(part.reason), *advice_of(part.checks, words))
    if part.quality is Verdict.POOR:
        return _named("poor", words)
    advice = advice_of(part.checks, words)
    if advice:
        return _named("differs", words, *advice)
    return _named("flipped" if photo.mirrored else "comparable", words)


def _named(code: str, words: Words, *reasons: str) -> Standing:
    return Standing(words.say(f"standing.{code}"), _TONES[code], reasons)


def _day(photo: PhotoView) -> date:
    return (photo.taken_at or photo.created).date()


def flips(photos: Sequence[PhotoView], change: ChangeDocument | None, words: Words) -> tuple[Flip, ...]:
    """Photos that fit the baseline only as in a mirror; not those whose owner has answered."""
    parts = {} if change is None else parts_by_photo(change)
    asked = [p for p in photos if p.mirrored is None and _looks_mirrored(parts.get(name_of(p)))]
    return tuple(Flip(p.id, words.say("flip.question", day=words.day(_day(p)))) for p in asked)


def _looks_mirrored(part: VisitPart | None) -> bool:
    return part is not None and part.view is View.MIRRORED
