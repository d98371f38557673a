"""Everything of a person in one archive: photos, documents and a list of what is in it."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from comedo.report.sheets import safe_cell
from comedo.service.accounts.actor import Actor, Scope
from comedo.service.actions import account, audit, guidance, notes, series, treatments, visits
from comedo.service.actions.account import need_confirmed
from comedo.service.actions.photos import list_photos
from comedo.service.actions.stored import as_file, document_of, faint_file, mask_file
from comedo.service.actions.views import Page
from comedo.service.database.audit import record
from comedo.service.database.tables import Account, Analysis, Correction, Photo
from comedo.service.parts import Parts
from comedo.service.problems import absent
from comedo.service.storage.photos import read_photo
from comedo.service.storage.vault import DataKey

_README = (
    "Everything that comedo keeps of this account. photos/ holds the photos without camera data, analyses/ their\n"
    "measurements (schema comedo.analysis/1), masks and faint places (x, y in pixels, score) that fell short\n"
    "of being reported; the other files lists of what their names say, as JSON and, for spreadsheets, photos.csv.\n\n"
    "comedo measures appearance. It is research software, not a medical device.\n"
)


class _Sink(io.RawIOBase):
    """Takes what the archive writes, to be handed on piece by piece."""

    def __init__(self) -> None:
        self.waiting: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.waiting.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        """What came since the last time."""
        pieces, self.waiting = b"".join(self.waiting), []
        return pieces


def export_zip(parts: Parts, actor: Actor) -> Iterator[bytes]:
    """The archive in pieces, one photo in memory at a time. What may not be is refused before the first piece.

    Raises:
        Problem: A token without the scope asks, or the password was not given just now.
    """
    actor.need(Scope.EXPORT)
    actor.need(Scope.READ)  # what it holds is read by the same actions
    if actor.via == "cookie":
        need_confirmed(actor)
    with parts.database.write() as session:
        record(session, actor=actor.account, owner=actor.account, action="account.export", address=actor.address)
    return _pieces(parts, actor)


def _pieces(parts: Parts, actor: Actor) -> Iterator[bytes]:
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in _files(parts, actor):
            stored = zipfile.ZIP_STORED if name.startswith("photos/") else zipfile.ZIP_DEFLATED
            archive.writestr(name, data, compress_type=stored)
            yield sink.take()
    yield sink.take()


def _files(parts: Parts, actor: Actor) -> Iterator[tuple[str, bytes]]:
    yield "README.txt", _README.encode()
    photos = _all(list_photos, parts, actor)
    yield "photos.json", _json(photos)
    yield "photos.csv", _photo_csv(photos)
    yield "account.json", _json(account.get(parts, actor))
    yield "treatments.json", _json(treatments.list_treatments(parts, actor))
    answered = guidance.newest_answers(parts, actor)
    yield "answers.json", b"null\n" if answered is None else _json(answered)
    for name, listed in (
        ("visits", visits.list_visits),
        ("changes", series.list_changes),
        ("advice", guidance.list_advice),
        ("notes", notes.list_notes),
        ("audit", audit.list_audit),
    ):
        yield f"{name}.json", _json(_all(listed, parts, actor))
    for photo in photos:
        yield from _photo_files(parts, actor, photo.id)


def _photo_files(parts: Parts, actor: Actor, photo: str) -> list[tuple[str, bytes]]:
    """One photo with its analyses and corrections; a photo that goes meanwhile is left out.

    A list, so that no transaction stays open while a slow reader takes the archive.
    """
    with parts.database.read() as session:
        if session.get(Account, actor.account) is None:
            raise absent("account")
        row = session.get(Photo, photo)
        if row is None:
            return []
        key = parts.vault.key_of(session, actor.account)
        files = (
            [] if row.blob is None else [(f"photos/{photo}.{row.format}", read_photo(parts.storage, session, photo))]
        )
        for analysis in session.scalars(select(Analysis).where(Analysis.photo == photo)).all():
            files += _analysis_files(session, key, analysis)
        return files


def _analysis_files(session: Session, key: DataKey, analysis: Analysis) -> Iterator[tuple[str, bytes]]:
    stem = f"analyses/{analysis.photo}-{analysis.id}"
    yield f"{stem}.json", as_file(document_of(analysis, key))
    if analysis.mask is not None:
        yield f"{stem}.mask.png", mask_file(analysis, key)
    faint = faint_file(analysis, key)
    if faint is not None:
        yield f"{stem}.faint.json", faint
    for n, said in enumerate(session.scalars(select(Correction).where(Correction.analysis == analysis.id)).all(), 1):
        yield f"{stem}.corrections-{n}.json", key.open(said.document, about=said.id)


def _all(listed: Any, parts: Parts, actor: Actor) -> list[Any]:
    """Every item of a list that comes in pages."""
    items: list[Any] = []
    cursor = None
    while True:
        page: Page[Any] = listed(parts, actor, limit=100, cursor=cursor)
        items += page.items
        cursor = page.next
        if cursor is None:
            return items


def _json(value: BaseModel | list[Any]) -> bytes:
    plain = [one.model_dump(mode="json") for one in value] if isinstance(value, list) else value.model_dump(mode="json")
    return json.dumps(plain, ensure_ascii=False, indent=1).encode() + b"\n"


def _photo_csv(photos: list[Any]) -> bytes:
    """One row a photo; cells that a spreadsheet would take for a formula are made harmless."""
    text = io.StringIO(newline="")
    sheet = csv.writer(text)
    sheet.writerow(["photo", "taken_at", "view", "note", "total", "severity", "quality"])
    for photo in photos:
        found = photo.analysis
        numbers = ["", "", ""] if found is None else [found.total, found.severity, found.verdict]
        note = safe_cell(photo.note or "")
        sheet.writerow(
            [photo.id, photo.taken_at or "", photo.view or "", note, *("" if n is None else n for n in numbers)]
        )
    return text.getvalue().encode()
