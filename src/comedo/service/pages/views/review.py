"""A reader's review: the form over what was found, and the corrections that it says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from comedo.lesions.kinds import KINDS
from comedo.report.document import Document
from comedo.report.look import in_words
from comedo.report.markup import number
from comedo.service.pages.words import Words
from comedo.types import Group, Kind

_GRADES: Mapping[str, type[int] | type[float]] = {"severity": float, "iga_estimate": int}  # that a reader may set
_OPEN, _CONFIRM, _REJECT = "open", "confirm", "reject"
_MOST_ADDED = 200
_MOST_CHANGES = 14


@dataclass(frozen=True)
class KindChoice:
    """A kind in the list; its key says it from the keyboard."""

    code: str
    name: str


@dataclass(frozen=True)
class Earlier:
    """A review that was made before."""

    by: str
    why: str
    changes: tuple[tuple[str, str, str], ...]


def kind_choices(words: Words) -> tuple[KindChoice, ...]:
    """Every kind, in the order of their keys."""
    return tuple(KindChoice(str(kind), words.say(f"kind.{kind}")) for kind in Kind)


def read_review(form: Mapping[str, Sequence[str]], document: Document) -> dict[str, Any]:
    """The corrections that a form says; lesions left open are not mentioned.

    Raises:
        ValueError: A field is not what the form sends.
    """
    said = [_lesion(form, lesion.id, lesion.kind) for lesion in document.lesions]
    added = [_added(text) for text in form.get("add", ())[:_MOST_ADDED]]
    given = [(scale, read, _first(form, scale).replace(",", ".")) for scale, read in _GRADES.items()]
    grades = [{"scale": scale, "action": "correct", "value": read(text)} for scale, read, text in given if text]
    return {
        "complete": _first(form, "complete") == "yes",
        "why": _first(form, "why")[:2000],
        "lesions": [one for one in said if one is not None] + added,
        "grades": grades,
    }


def _first(form: Mapping[str, Sequence[str]], name: str) -> str:
    return next(iter(form.get(name, ())), "").strip()


def _lesion(form: Mapping[str, Sequence[str]], number_: int, kind: Kind) -> dict[str, Any] | None:
    action, other = _first(form, f"lesion.{number_}"), _first(form, f"kind.{number_}")
    if action == _REJECT:
        return {"action": "reject", "id": number_}
    if other and other != kind:
        return {"action": "correct", "id": number_, "kind": other, "group": str(_group_of(other))}
    return {"action": "confirm", "id": number_} if action == _CONFIRM else None


def _added(text: str) -> dict[str, Any]:
    """A lesion that was missed, as x,y,diameter,kind in pixels of the photo."""
    x, y, diameter, kind = text.split(",")
    return {
        "action": "add",
        "center_xy": [float(x), float(y)],
        "diameter_px": float(diameter),
        "kind": kind,
        "group": str(_group_of(kind)),
    }


def _group_of(kind: str) -> Group:
    return next(group for group, kinds in KINDS.items() if Kind(kind) in kinds)


def view_earlier(document: Mapping[str, Any], when: datetime, words: Words) -> Earlier:
    """A comedo.review/1 document in a few lines."""
    rows = [
        (in_words(c["what"].replace(".", " ")), number(c["before"]), number(c["after"])) for c in document["changes"]
    ]
    by = words.say("review.saved_by", name=document["reviewer"], day=words.day(when))
    return Earlier(by, document["why"], tuple(rows))
